import type { GatewayDesired } from "../desired/desired.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { fromBits } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import { baseBits, prefixOf, sizeOf } from "../net/prefix.ts";
import { protocolNumber, transports } from "../net/transport.ts";
import { usualFlows } from "./allowed.ts";
import { arrivalsAt, plainPackets } from "./arrivals.ts";
import { Exposure } from "./exposure.ts";
import type { FilterRules, Site, Vantage } from "./filter-rules.ts";
import { strangers } from "./fleet-tests.ts";
import { noPackets, type PacketSet, PacketSpace } from "./packet-set.ts";
import { flowsIn, formatGroup, groupsOf } from "./seen-flows.ts";
import { oneValue } from "./values.ts";
import { placesOf } from "./vantages.ts";

/**
 * What new flows from one place can use in a host's block. `open`: everything, at more than single addresses. `partly`:
 * some flows or addresses. `unsure`: it depends on a rule that is not understood. `inside`: it passes no gateway.
 */
export type MatrixCell = {
  readonly state: "open" | "partly" | "closed" | "unsure" | "inside";
  /** `tcp 80, 443`: six kinds of flows at most. */
  readonly flows: readonly string[];
  /** At how many single addresses something is open. */
  readonly addresses: number;
  /** One of them, with a service, as `why` takes it: `[2001:db8::1]:80/tcp`. */
  readonly example?: string;
};

export type MatrixRow = { readonly host: string; readonly cells: readonly MatrixCell[] };

export type MatrixHost = { readonly host: string; readonly block: Prefix };

const icmpv6 = 58;
const names: Readonly<Record<number, string>> = Object.fromEntries(
  transports.map((transport) => [protocolNumber(transport), transport]),
);
/** Kinds of flows that a cell names. */
const mostKinds = 6;

/** Where a matrix looks from: strangers, groups, management, and hosts with their own address. */
export function matrixVantages(desired: GatewayDesired, fleet: Fleet, mostHosts: number): readonly Vantage[] {
  const own = new Map<string, Prefix>(
    desired.hosts.slice(0, mostHosts).map(({ host, address }) => [host, prefixOf(address, 128)]),
  );
  return placesOf(desired, fleet.groups).flatMap(({ vantage, seat }): readonly Vantage[] => {
    if (vantage.name === "internet") return [{ ...vantage, from: strangers(desired, fleet) }];
    if (seat.side !== "hosts") return [vantage];
    const from = own.get(vantage.name);
    return from === undefined ? [] : [{ ...vantage, from: [from] }];
  });
}

/** Each host by each vantage, in the order of both. Messages of ICMPv6 but echo are no flows here: the links need them. */
export function exposureMatrix(
  { rules, site }: { readonly rules: FilterRules; readonly site: Site },
  vantages: readonly Vantage[],
  hosts: readonly MatrixHost[],
): readonly MatrixRow[] {
  const space = new PacketSpace();
  const columns = vantages.map((vantage) => columnOf(new Exposure(rules, site, vantage, space), hosts));
  return hosts.map(({ host }, at) => ({
    host,
    cells: columns.map((column, n): MatrixCell => {
      if (vantages[n]?.name === host) return { state: "inside", flows: [], addresses: 0 };
      return column[at] ?? { state: "closed", flows: [], addresses: 0 };
    }),
  }));
}

type Ground = { flows: PacketSet; addresses: number; wide: boolean; unsure: boolean; example: string | undefined };

function columnOf(exposure: Exposure, hosts: readonly MatrixHost[]): readonly MatrixCell[] {
  const { space, vantage } = exposure;
  const plain = plainPackets(space);
  const usual = usualFlows(space);
  const wanted = space.and(usual, flowsIn(space, space.and(arrivalsAt(space, vantage), plain)));
  const messages = space.where("protocol", oneValue(icmpv6, 256));
  const toldOf = (packets: PacketSet): PacketSet => {
    const flows = flowsIn(space, space.and(packets, plain));
    return space.or(space.minus(flows, messages), space.and(flows, usual));
  };
  const spans = hosts.map(({ block }) => ({ first: baseBits(block), last: baseBits(block) + sizeOf(block) - 1n }));
  const order = spans.map((_, at) => at).sort((a, b) => ((spans[a]?.first ?? 0n) < (spans[b]?.first ?? 0n) ? -1 : 1));
  const grounds = hosts.map(
    (): Ground => ({ flows: noPackets, addresses: 0, wide: false, unsure: false, example: undefined }),
  );
  for (const { first, last, outcome } of exposure.all()) {
    const flows = toldOf(outcome.accepted);
    const unsure = toldOf(outcome.doubtful) !== noPackets;
    if (flows === noPackets && !unsure) continue;
    const isAll = space.minus(wanted, flows) === noPackets;
    for (let n = firstEndingFrom(first, order, spans); n < order.length; n++) {
      const at = order[n] ?? 0;
      const span = spans[at];
      const ground = grounds[at];
      if (span === undefined || ground === undefined || span.first > last) break;
      ground.unsure ||= unsure;
      ground.flows = space.or(ground.flows, flows);
      if (first === last && flows !== noPackets) {
        ground.addresses += 1;
        // A port says more than ping.
        if (ground.example?.endsWith(":ping") ?? true) ground.example = exampleOf(first, flows) ?? ground.example;
      } else if (isAll) ground.wide = true;
    }
  }
  return grounds.map(cellOf);
}

/** The first block, in order, that does not end before an address. */
function firstEndingFrom(
  at: bigint,
  order: readonly number[],
  spans: readonly { readonly first: bigint; readonly last: bigint }[],
): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const span = spans[order[middle] ?? 0];
    if (span !== undefined && span.last < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A service of the flows that people ask about: a port, else ping. */
function exampleOf(at: bigint, flows: PacketSet): string | undefined {
  let ping: string | undefined;
  for (const { protocols, toPorts } of groupsOf(flows, mostKinds).groups) {
    const protocol = Number(protocols[0]?.first);
    if (protocol === icmpv6) ping = `[${fromBits(at)}]:ping`;
    const name = names[protocol];
    if (name !== undefined) return `[${fromBits(at)}]:${Math.max(1, Number(toPorts[0]?.first))}/${name}`;
  }
  return ping;
}

function cellOf({ flows, addresses, wide, unsure, example }: Ground): MatrixCell {
  const shown = example === undefined ? {} : { example };
  if (wide && !unsure) return { state: "open", flows: ["everything"], addresses, ...shown };
  const { groups, more } = groupsOf(flows, mostKinds);
  const kinds = [...new Set(groups.map(formatGroup)), ...(more ? ["and more"] : [])];
  const state = unsure ? "unsure" : flows === noPackets ? "closed" : "partly";
  return { state, flows: kinds, addresses, ...shown };
}
