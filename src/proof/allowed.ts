import type { GatewayDesired, GatewayHost } from "../desired/desired.ts";
import { type Address, parseAddress, toBits } from "../net/address.ts";
import { baseBits, baseOf, type Prefix, parsePrefix, prefix, sizeOf } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import { protocolNumber, transports } from "../net/transport.ts";
import type { Opening, Service } from "../openings/opening.ts";
import { prefixValues } from "./arrivals.ts";
import type { Site, Vantage } from "./filter-rules.ts";
import { icmpv6Rows } from "./icmpv6.ts";
import { noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { plannedSite } from "./planned-site.ts";
import { oneValue, type Span, valuesOf } from "./values.ts";

/** What a fleet says of new flows: `may` get through, `must` get through. What may is no more than that. */
export type Claim = { readonly may: PacketSet; readonly must: PacketSet };

/** Addresses of which one thing is said. */
export type Ground = { readonly first: bigint; readonly last: bigint; readonly claim: Claim };

/** What is said of flows from one vantage: of addresses one by one, and of everything else by grounds, in numeric order. */
export type Claims = { readonly points: ReadonlyMap<Address, Claim>; readonly grounds: readonly Ground[] };

/** The side of the gateway that a vantage is on. */
export type Seat = { readonly side: "uplink" | "hosts" | "management"; readonly host?: GatewayHost };

const anywhere = prefix("::/0");
/** Where the Internet is. */
const global = prefix("2000::/3");
/** The link itself: neighbours, routers, listeners. */
const onLink: readonly Prefix[] = [prefix("fe80::/10"), prefix("ff00::/8")];
const none: Claim = { may: noPackets, must: noPackets };

/**
 * What a fleet wants of flows from a vantage. `granted` is what the policy's decisions opened beside the fleet file.
 * From the hosts' side only with the host's own addresses: nothing is said of others, so none may get through. `site`
 * tells which addresses are the gateway's own. `unasked`: types of ICMPv6 that such a gateway lets through anyway;
 * where there are any it is pf, whose rules can't say "ICMPv6 but echo" or "neither TCP nor UDP": hosts may then send messages of every
 * type wherever they may send, and what has no ports to the gateway itself.
 */
export function claimsFor(
  space: PacketSpace,
  desired: GatewayDesired,
  granted: readonly Opening[],
  { vantage, seat }: { readonly vantage: Vantage; readonly seat: Seat },
  site: Site,
  unasked: readonly number[] = [],
): Claims {
  const sources = sourcesAt(space, desired, vantage, seat);
  const isPf = unasked.length > 0;
  const own = ownClaim(space, desired, seat, isPf);
  const flows = isPf ? sources : space.and(startsOf(space), sources);
  // From the first address of a link, which is every router's (RFC 4291 §2.6.1), nobody has to be heard.
  const routers = desired.hosts.map(({ link }) => `${baseOf(link)}/128` as Prefix);
  const usual = space.minus(usualFlows(space), space.where("from", prefixValues(routers)));
  const points = new Map<Address, Claim>();
  for (const route of [...plannedSite(desired).routes, ...site.routes])
    if (route.kind === "local") points.set(baseOf(route.to), own);
  const known = new Map<string, PacketSet>();
  const opened = seat.side === "management" ? [] : [...desired.openings, ...granted];
  const wide = seat.side === "hosts" ? hostGrounds(space, desired, flows, usual) : [];
  for (const [to, openings] of Map.groupBy(opened, (each) => each.to)) {
    const may = space.and(openedFlows(space, openings, known), sources);
    const around = groundAt(wide, toBits(to)).claim;
    points.set(to, joinClaims(space, { may, must: space.and(may, usual) }, around));
  }
  const links = onLink.map((each): Ground => ({ ...spanOf(each), claim: { may: own.may, must: noPackets } }));
  const grounds = [...wide, ...links].sort((a, b) => (a.first < b.first ? -1 : 1));
  return unasked.length === 0 ? { points, grounds } : withUnasked(space, { points, grounds }, unasked);
}

/** The same, with messages that may pass everywhere, whoever sends them. */
function withUnasked(space: PacketSpace, { points, grounds }: Claims, types: readonly number[]): Claims {
  const may = messagesOfTypes(space, types);
  const more = (claim: Claim): Claim => joinClaims(space, claim, { may, must: noPackets });
  return {
    points: new Map([...points].map(([at, claim]) => [at, more(claim)])),
    grounds: withoutGaps(grounds).map((each) => ({ ...each, claim: more(each.claim) })),
  };
}

function withoutGaps(grounds: readonly Ground[]): readonly Ground[] {
  const all: Ground[] = [];
  let next = 0n;
  for (const ground of grounds) {
    if (ground.first > next) all.push({ first: next, last: ground.first - 1n, claim: none });
    all.push(ground);
    next = ground.last + 1n;
  }
  const end = 1n << 128n;
  return next < end ? [...all, { first: next, last: end - 1n, claim: none }] : all;
}

/** What is said of an address that has no claim of its own. */
export function groundAt(grounds: readonly Ground[], at: bigint): { readonly claim: Claim; readonly last?: bigint } {
  let low = 0;
  let high = grounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((grounds[middle] as Ground).first <= at) low = middle + 1;
    else high = middle;
  }
  const found = grounds[low - 1];
  if (found !== undefined && at <= found.last) return found;
  const next = grounds[low];
  return next === undefined ? { claim: none } : { claim: none, last: next.first - 1n };
}

/** Sources of which the fleet speaks at all: not those that never come from there. */
function sourcesAt(space: PacketSpace, desired: GatewayDesired, vantage: Vantage, { side, host }: Seat): PacketSet {
  const all = PrefixSet.of(vantage.from ?? [anywhere]);
  const never = PrefixSet.of([...desired.bogons, desired.delegated]);
  const kept =
    side === "uplink"
      ? all.subtract(never)
      : host === undefined
        ? PrefixSet.empty
        : all
            .intersect(PrefixSet.of([host.block]))
            .subtract(PrefixSet.of(desired.own.map((each) => `${each}/128` as Prefix)));
  return space.where("from", prefixValues(kept.prefixes()));
}

/** Many addresses are open for the same: `known` is by what that is. */
function openedFlows(space: PacketSpace, openings: readonly Opening[], known: Map<string, PacketSet>): PacketSet {
  const key = openings.map(({ service, from }) => `${serviceText(service)} ${from.join()}`).join(" ");
  let flows = known.get(key);
  if (flows === undefined) {
    const each = openings.map(({ service, from }) =>
      space.and(serviceFlows(space, service), space.where("from", prefixValues(from))),
    );
    known.set(key, (flows = space.union(each)));
  }
  return flows;
}

function serviceText(service: Service): string {
  return service.kind === "ping" ? "ping" : `${service.transport} ${service.ports.first}-${service.ports.last}`;
}

/** The flows of a service, whoever asks. */
export function serviceFlows(space: PacketSpace, service: Service): PacketSet {
  if (service.kind === "ping") return messages(space, [{ first: 128, last: 128 }]);
  const { transport, ports } = service;
  return space.and(
    space.where("protocol", oneValue(protocolNumber(transport), 256)),
    space.where("toPort", valuesOf([ports], 65_536)),
  );
}

/** Messages of ICMPv6 of these types, any code. */
export function messagesOfTypes(space: PacketSpace, types: readonly number[]): PacketSet {
  return messages(
    space,
    types.map((each) => ({ first: each, last: each })),
  );
}

function messages(space: PacketSpace, types: readonly Span[]): PacketSet {
  const places = types.map(({ first, last }) => ({ first: Number(first) << 8, last: (Number(last) << 8) | 255 }));
  return space.and(
    space.where("protocol", oneValue(protocolNumber("icmpv6"), 256)),
    space.where("fromPort", valuesOf(places, 65_536)),
  );
}

/** Flows as programs make them: from a port that the system gives, to one that is not 0; of messages, echo of code 0. */
export function usualFlows(space: PacketSpace): PacketSet {
  const withPorts = space.union(transports.map((each) => space.where("protocol", oneValue(protocolNumber(each), 256))));
  const ports = space.and(space.where("fromPort", [1024]), space.where("toPort", [1]));
  const echo = space.and(
    space.where("protocol", oneValue(protocolNumber("icmpv6"), 256)),
    space.where("fromPort", oneValue(128 << 8, 65_536)),
  );
  return space.or(space.and(withPorts, ports), echo);
}

/** To the gateway itself: RFC 4890's messages, and its doors on the side that they are on. Nothing of it must be. */
function ownClaim(space: PacketSpace, desired: GatewayDesired, { side }: Seat, isPf: boolean): Claim {
  const types = icmpv6Rows.filter((row) => row.local !== "drop" && (row.local !== "inside" || side === "hosts"));
  const parts = [
    messages(
      space,
      types.flatMap((row) => row.types),
    ),
  ];
  if (isPf && side === "hosts") parts.push(space.minus(space.where("protocol", [0]), portedFlows(space)));
  const { management, controller } = desired;
  if (side === "management" && management !== undefined) {
    const ports = [22, ...(controller?.apiPort === undefined ? [] : [controller.apiPort])];
    const admins = management.admins.flatMap((each) => parsePrefix(each) ?? []);
    for (const port of ports) parts.push(door(space, port, admins));
  }
  if (
    controller !== undefined &&
    (side === "management") === (controller.device === management?.device) &&
    side !== "uplink"
  ) {
    parts.push(
      door(
        space,
        controller.agentPort,
        controller.agents.flatMap((each) => addressPrefix(each)),
      ),
    );
  }
  return { may: space.union(parts), must: noPackets };
}

/** TCP and UDP. */
function portedFlows(space: PacketSpace): PacketSet {
  return space.union(
    (["tcp", "udp"] as const).map((each) => space.where("protocol", oneValue(protocolNumber(each), 256))),
  );
}

function addressPrefix(text: string): readonly Prefix[] {
  const address = parseAddress(text);
  return address === undefined ? [] : [`${address}/128` as Prefix];
}

function door(space: PacketSpace, port: number, from: readonly Prefix[]): PacketSet {
  const service: Service = { kind: "ports", transport: "tcp", ports: { first: port, last: port } };
  return space.and(serviceFlows(space, service), space.where("from", prefixValues(from)));
}

/** From a host: to the Internet and to other hosts, as the policy says. */
function hostGrounds(
  space: PacketSpace,
  desired: GatewayDesired,
  flows: PacketSet,
  usual: PacketSet,
): readonly Ground[] {
  const { policy, delegated, hosts, bogons } = desired;
  const open: Claim = { may: flows, must: space.and(flows, usual) };
  const grounds: Ground[] = [];
  if (policy.betweenHosts === "open") for (const { block } of hosts) grounds.push({ ...spanOf(block), claim: open });
  if (policy.egress === "open") {
    const outside = PrefixSet.of([anywhere]).subtract(PrefixSet.of([...bogons, ...hosts.map(({ block }) => block)]));
    const internet = PrefixSet.of([global]).subtract(PrefixSet.of([delegated]));
    // Also to what is no Internet, such as the uplink's own link: that gets through, and nobody needs it.
    const odd: Claim = { may: flows, must: noPackets };
    for (const each of outside.intersect(internet).prefixes()) grounds.push({ ...spanOf(each), claim: open });
    for (const each of outside.subtract(internet).prefixes()) grounds.push({ ...spanOf(each), claim: odd });
  }
  return grounds.sort((a, b) => (a.first < b.first ? -1 : 1));
}

/** Of messages only echo starts a flow (RFC 4890 §4.3); of everything else any first packet does. */
function startsOf(space: PacketSpace): PacketSet {
  const all = messages(space, [{ first: 0, last: 255 }]);
  return space.or(space.minus(space.where("protocol", [0]), all), messages(space, [{ first: 128, last: 128 }]));
}

function joinClaims(space: PacketSpace, a: Claim, b: Claim): Claim {
  return { may: space.or(a.may, b.may), must: space.or(a.must, b.must) };
}

function spanOf(p: Prefix): { readonly first: bigint; readonly last: bigint } {
  return { first: baseBits(p), last: baseBits(p) + sizeOf(p) - 1n };
}
