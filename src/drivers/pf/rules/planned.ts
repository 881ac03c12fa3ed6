import type { GatewayDesired } from "../../../desired/desired.ts";
import type { Elements } from "../../../proof/filter-rules.ts";
import type { PfRule } from "../model.ts";
import { modelOf } from "../policy.ts";
import { parseLines, type RuleLine } from "./lines.ts";
import type { PfProduct } from "./product.ts";
import { tableElements } from "./tables.ts";

/** The rules of a device that has ours and what the product makes by itself, in pf's order. */
export function plannedLines(desired: GatewayDesired, { before, after, labels }: PfProduct): readonly RuleLine[] {
  const { rules, aliases } = modelOf(desired);
  const names = new Set(aliases.map(({ name }) => name));
  const text = (rule: PfRule): string => `${ruleText(rule, names)} ${labels(rule.name)}`;
  const [first, others] = [rules.filter((rule) => rule.first), rules.filter((rule) => !rule.first)];
  return parseLines([...before, ...first.map(text), ...others.map(text), ...after].join("\n"));
}

export function plannedTables(desired: GatewayDesired): ReadonlyMap<string, Elements> {
  return new Map(modelOf(desired).aliases.map(({ name, entries }) => [name, tableElements(name, entries)]));
}

function ruleText({ action, on, match, from, to }: PfRule, aliases: ReadonlySet<string>): string {
  const place = ({ not, is }: PfRule["from"]): string => `${not ? "! " : ""}${aliases.has(is) ? `<${is}>` : is}`;
  const [protocol, ports] = matchText(match);
  const end = action === "pass" ? `${match.kind === "echo" ? "" : "flags S/SA "}keep state` : "";
  return `${action === "pass" ? "pass" : "block drop"} in quick on ${on} inet6 ${protocol} from ${place(from)} to ${place(to)} ${ports} ${end}`;
}

function matchText(match: PfRule["match"]): readonly [protocol: string, ports: string] {
  switch (match.kind) {
    case "any":
      return ["", ""];
    case "echo":
      return ["proto ipv6-icmp", "icmp6-type echoreq"];
    case "transports":
      return ["proto { tcp udp }", ""];
    case "ports": {
      const { transport, first, last } = match;
      return [`proto ${transport}`, first === last ? `port = ${first}` : `port ${first}:${last}`];
    }
  }
}
