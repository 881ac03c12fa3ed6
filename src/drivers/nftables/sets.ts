import { compareKeys } from "../../change/diff.ts";
import type { GatewayDesired, GatewayHost } from "../../desired/desired.ts";
import type { Address } from "../../net/address.ts";
import type { PortRange } from "../../net/port.ts";
import { baseOf, contains, lengthOf, type Prefix, prefix } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import type { Transport } from "../../net/transport.ts";
import type { Opening } from "../../openings/opening.ts";
import { type Element, nameOf, quoteInterface, type SetShape } from "./ruleset.ts";

/** Where no source is named. */
export const anywhere: Prefix = prefix("::/0");

/** The sets that every gateway has, then four for each host. */
export function setShapes(desired: GatewayDesired): readonly SetShape[] {
  return [
    {
      name: "bogons",
      kind: "set",
      type: ["ipv6_addr"],
      flags: ["interval"],
      why: "never a source or destination between us and the Internet (RFC 6890, RFC 5156)",
    },
    {
      name: "owners",
      kind: "set",
      type: ["ifname", "ether_addr", "ipv6_addr"],
      flags: [],
      why: "which host, by interface and MAC address, may use which block as its source",
    },
    { name: "hosts", kind: "map", type: ["ipv6_addr"], flags: [], why: "from a block to the chain of its host" },
    ...desired.hosts.flatMap(shapesOf),
  ];
}

function shapesOf({ host }: GatewayHost): readonly SetShape[] {
  const name = nameOf(host);
  return [
    {
      name: `open_${name}`,
      kind: "set",
      type: ["ipv6_addr", "inet_proto", "inet_service"],
      flags: [],
      why: "single ports, open to anyone",
    },
    {
      name: `from_${name}`,
      kind: "set",
      type: ["ipv6_addr", "inet_proto", "inet_service", "ipv6_addr"],
      flags: ["interval"],
      why: "port ranges, and ports that are open to some sources only",
    },
    { name: `live_${name}`, kind: "set", type: ["ipv6_addr"], flags: [], why: "answer echo requests of anyone" },
    {
      name: `livefrom_${name}`,
      kind: "set",
      type: ["ipv6_addr", "ipv6_addr"],
      flags: ["interval"],
      why: "answer echo requests of some sources only",
    },
  ];
}

/** Elements that are as rare as rules: bogons, who owns which block, where a block's rules are. */
export function structuralElements(desired: GatewayDesired): readonly Element[] {
  const inside = quoteInterface(desired.inside);
  return [
    ...PrefixSet.of(desired.bogons)
      .prefixes()
      .map((each) => structural("bogons", prefixText(each))),
    ...desired.hosts.map((each) => structural("owners", `${inside} . ${each.mac} . ${baseOf(each.block)}`)),
    ...desired.hosts.map((each) => structural("hosts", baseOf(each.block), `host_${nameOf(each.host)}`)),
  ];
}

function structural(set: string, key: string, target?: string): Element {
  return { set, key, lane: "structure", ...(target === undefined ? {} : { target }) };
}

/** A prefix as nft prints it: a whole address without its length. */
export function prefixText(p: Prefix): string {
  return lengthOf(p) === 128 ? baseOf(p) : p;
}

/**
 * The openings as elements, sorted. Intervals of one address and transport never overlap, because nft refuses
 * overlapping ones and because two states are to be equal when they admit the same: what another opening covers
 * is left out, and ranges that overlap in part are cut at each other's ends.
 * Throws a RangeError for an opening to a host that is not there; `audit` refuses it before.
 */
export function memberElements(desired: GatewayDesired): readonly Element[] {
  const hosts = new Set(desired.hosts.map((each) => each.host));
  const groups = new Map<string, Opening[]>();
  for (const opening of desired.openings) {
    if (!hosts.has(opening.host)) throw new RangeError(`Opening to an unknown host: ${JSON.stringify(opening.host)}`);
    const kind = opening.service.kind === "ping" ? "ping" : opening.service.transport;
    const group = `${nameOf(opening.host)} ${opening.to} ${kind}`;
    const there = groups.get(group);
    if (there === undefined) groups.set(group, [opening]);
    else there.push(opening);
  }
  const elements = [...groups.values()].flatMap(elementsOf);
  return elements.sort((a, b) => compareKeys(`${a.set} ${a.key}`, `${b.set} ${b.key}`));
}

/** `openings` is not empty; all are to one address, by one transport or by echo. */
function elementsOf(openings: readonly Opening[]): readonly Element[] {
  const first = openings[0];
  if (first === undefined) return [];
  const name = nameOf(first.host);
  if (first.service.kind === "ping") return echoElements(name, first.to, openings);
  return portElements(name, first.to, first.service.transport, openings);
}

function echoElements(name: string, to: Address, openings: readonly Opening[]): readonly Element[] {
  const sources = widest(openings.flatMap((each) => each.from));
  return sources.map((from) =>
    from === anywhere ? member(`live_${name}`, to) : member(`livefrom_${name}`, `${to} . ${prefixText(from)}`),
  );
}

type Grant = { readonly ports: PortRange; readonly from: Prefix };

function portElements(
  name: string,
  to: Address,
  transport: Transport,
  openings: readonly Opening[],
): readonly Element[] {
  const grants = openings.flatMap(({ service, from }) =>
    service.kind === "ports" ? from.map((source) => ({ ports: service.ports, from: source })) : [],
  );
  return disjoint(grants).map(({ ports, from }) => {
    const single = ports.first === ports.last;
    const key = `${to} . ${transport} . ${single ? ports.first : `${ports.first}-${ports.last}`}`;
    if (single && from === anywhere) return member(`open_${name}`, key);
    return member(`from_${name}`, `${key} . ${prefixText(from)}`);
  });
}

function member(set: string, key: string): Element {
  return { set, key, lane: "members" };
}

/**
 * The same (port, source) pairs in elements that fit into the two sets. Single ports to anyone are a hash look-up of
 * their own and cut nothing; the others may not overlap among themselves, and stay whole where nothing cuts them.
 */
function disjoint(grants: readonly Grant[]): readonly Grant[] {
  const isPlain = ({ ports, from }: Grant): boolean => ports.first === ports.last && from === anywhere;
  const plain = new Map(grants.filter(isPlain).map((each) => [each.ports.first, each]));
  const others = grants.filter(
    (each) => !isPlain(each) && !(each.ports.first === each.ports.last && plain.has(each.ports.first)),
  );
  const needed = withoutCovered(others);
  const wide = needed.filter((each) => each.from === anywhere);
  const ports = [...plain.values()].filter((each) => !wide.some((range) => covers(range, each)));
  const met = new Set<Grant>();
  eachOverlap(needed, (a, b) => {
    if (contains(a.from, b.from) || contains(b.from, a.from)) met.add(a).add(b);
  });
  const cuts = [...new Set([...met].flatMap((each) => [each.ports.first, each.ports.last + 1]))].sort((a, b) => a - b);
  return [...ports, ...withoutCovered(needed.flatMap((each) => (met.has(each) ? cut(each, cuts) : [each])))];
}

function cut(grant: Grant, cuts: readonly number[]): readonly Grant[] {
  const starts = cuts.filter((at) => at > grant.ports.first && at <= grant.ports.last);
  return [grant.ports.first, ...starts].map((first, i) => ({
    ports: { first, last: (starts[i] ?? grant.ports.last + 1) - 1 },
    from: grant.from,
  }));
}

/** Of equal ones one stays. */
function withoutCovered(grants: readonly Grant[]): readonly Grant[] {
  const covered = new Set<Grant>();
  eachOverlap(grants, (a, b) => {
    if (covers(a, b)) covered.add(b);
    else if (covers(b, a)) covered.add(a);
  });
  return grants.filter((each) => !covered.has(each));
}

/** Every two whose ports overlap, once. */
function eachOverlap(grants: readonly Grant[], visit: (a: Grant, b: Grant) => void): void {
  let open: Grant[] = [];
  for (const grant of grants.toSorted((a, b) => a.ports.first - b.ports.first || b.ports.last - a.ports.last)) {
    open = open.filter((each) => each.ports.last >= grant.ports.first);
    for (const each of open) visit(each, grant);
    open.push(grant);
  }
}

function covers(outer: Grant, inner: Grant): boolean {
  return (
    outer.ports.first <= inner.ports.first && outer.ports.last >= inner.ports.last && contains(outer.from, inner.from)
  );
}

/** Without those that lie in another; sorted as texts. */
export function widest(prefixes: readonly Prefix[]): readonly Prefix[] {
  const unique = [...new Set(prefixes)].sort(compareKeys);
  return unique.filter((each) => !unique.some((other) => other !== each && contains(other, each)));
}
