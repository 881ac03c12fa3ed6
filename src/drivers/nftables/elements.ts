import { compareKeys } from "../../change/diff.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { parseAddress4 } from "../../net/ipv4.ts";
import { linkLocalOf } from "../../net/mac.ts";
import { baseOf } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import { placesOf } from "./host-chains.ts";
import { keyText, membersOf, prefixText } from "./members.ts";
import { type Element, quoteInterface } from "./ruleset.ts";
import { memberSet } from "./set-shapes.ts";

/** Elements that are as rare as rules: bogons, who owns which block, where a block's rules are, whose agents report. */
export function structuralElements(desired: GatewayDesired): readonly Element[] {
  const inside = quoteInterface(desired.inside);
  const { chainFor } = placesOf(desired);
  const agents = desired.controller?.agents ?? [];
  return [
    ...PrefixSet.of(desired.bogons)
      .prefixes()
      .map((each) => structural("bogons", prefixText(each))),
    ...desired.hosts.map((each) => structural("owners", `${inside} . ${each.mac} . ${baseOf(each.block)}`)),
    ...desired.hosts.map((each) => structural("owners", `${inside} . ${each.mac} . ${linkLocalOf(each.mac)}`)),
    ...desired.hosts.map((each) => structural("neighbours", linkLocalOf(each.mac))),
    ...[...new Set(desired.own)].map((each) => structural("own", each)),
    ...desired.hosts.map((each) => structural("hosts", baseOf(each.block), chainFor(each))),
    ...[...new Set(agents)].map((each) => structural(parseAddress4(each) === undefined ? "agents" : "agents4", each)),
  ];
}

function structural(set: string, key: string, target?: string): Element {
  return { set, key, lane: "structure", ...(target === undefined ? {} : { target }) };
}

/**
 * The fleet file's own openings as elements, sorted. Throws a RangeError for an opening to a host that is not there;
 * `audit` refuses it before.
 */
export function staticElements(desired: GatewayDesired): readonly Element[] {
  const hosts = new Set(desired.hosts.map((each) => each.host));
  for (const { host } of desired.openings) {
    if (!hosts.has(host)) throw new RangeError(`Opening to an unknown host: ${JSON.stringify(host)}`);
  }
  return [...Map.groupBy(desired.openings, (each) => each.to)]
    .flatMap(([to, services]) => membersOf(to, services))
    .map((member): Element => ({ set: memberSet(member.kind), key: keyText(member), lane: "members" }))
    .sort((a, b) => compareKeys(`${a.set} ${a.key}`, `${b.set} ${b.key}`));
}
