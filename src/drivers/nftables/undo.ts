import type { Change } from "../../change/change-set.ts";
import { table } from "./ruleset.ts";
import { inverseOf, partsOf, type RulesOf, transactionOf } from "./transaction.ts";

/** The rules of each chain, as `nft --stateless list table` prints them: one line each, without the indent. */
export function rulesIn(listing: string): RulesOf {
  const chains = new Map<string, string[]>();
  let rules: string[] | undefined;
  for (const line of listing.split("\n")) {
    const chain = /^\tchain (\S+) \{$/.exec(line)?.[1];
    if (chain !== undefined) {
      rules = [];
      chains.set(chain, rules);
    } else if (line === "\t}") rules = undefined;
    else if (rules !== undefined && line.startsWith("\t\t") && !/^\t\t(type \S+ hook |comment ")/.test(line))
      rules.push(line.trim());
  }
  return (name) => chains.get(name) ?? [];
}

/**
 * A shell script that puts the table back to what `before` shows, after `changes` went in. First the inverse delta,
 * which leaves no gap; where that does not load any more, the whole table as it was. `before` is undefined where there
 * was no table: then it goes. What the change opened is also cut from the live flows.
 */
export function undoScript(changes: readonly Change[], before: string | undefined): string {
  if (before === undefined) return `nft 'add table ${table}; delete table ${table}'\n`;
  const inverse = transactionOf(inverseOf(changes), rulesIn(before));
  const whole = `add table ${table}\ndelete table ${table}\n${before}`;
  return [
    `nft -f - <<'${inverseEnd}' || nft -f - <<'${wholeEnd}' || exit 1`,
    `${inverse.trimEnd()}\n${inverseEnd}`,
    `${whole.trimEnd()}\n${wholeEnd}`,
    ...closings(changes),
    "exit 0",
    "",
  ].join("\n");
}

const inverseEnd = "SIXGATE_INVERSE";
const wholeEnd = "SIXGATE_WHOLE";

/** All flows to what is closed again; more than needed where a range or a source goes, for closing wins. */
function closings(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind !== "create" || change.after.lane !== "members") return [];
    const { name, rest } = partsOf(change.after);
    const [to = "", protocol = "", port = ""] = rest.split(" . ");
    const service = name.startsWith("live") ? "icmpv6" : protocol;
    const exact = /^\d+$/.test(port) && name.startsWith("open_") ? ` --orig-port-dst ${port}` : "";
    return [`conntrack -D -f ipv6 -p ${service} -d ${to}${exact} >/dev/null 2>&1`];
  });
}
