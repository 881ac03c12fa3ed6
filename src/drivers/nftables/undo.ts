import type { Change } from "../../change/change-set.ts";
import type { Item } from "../../change/item.ts";
import { table } from "./ruleset.ts";
import { inverseOf, partsOf, type RulesOf, rebuildOf, transactionOf } from "./transaction.ts";

/** The rules of each chain, as `nft --stateless --terse list table` prints them: one line each, without the indent. */
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

/** What was in force before a change: its items, and the table as nft prints it without elements of sets. */
export type Former = { readonly items: readonly Item[]; readonly listing: string };

/**
 * A shell script that puts the table back to what was before, after `changes` went in. First the inverse delta, which
 * leaves no gap and lets be what labels and people opened; where that does not load any more, the whole table as it
 * was, without those openings: the controller opens them again. `before` is undefined where there was no table: then
 * it goes. What the change opened is also cut from the live flows.
 */
export function undoScript(changes: readonly Change[], before: Former | undefined): string {
  if (before === undefined) return `nft 'add table ${table}; delete table ${table}'\n`;
  const rules = rulesIn(before.listing);
  const inverse = transactionOf(inverseOf(changes), rules);
  const whole = rebuildOf(
    before.items.filter((each) => !each.key.startsWith("file ")),
    rules,
  );
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
    const service = name.startsWith("static_live") ? "icmpv6" : protocol;
    const exact = /^\d+$/.test(port) && name === "static_open" ? ` --orig-port-dst ${port}` : "";
    return [`conntrack -D -f ipv6 -p ${service} -d ${to}${exact} >/dev/null 2>&1`];
  });
}
