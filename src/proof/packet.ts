import { type Address, address, toBits } from "../net/address.ts";
import type { Flow } from "../net/flow.ts";
import { protocolNumber } from "../net/transport.ts";
import { macValue } from "./arrivals.ts";
import type { Field } from "./field.ts";
import { fields } from "./field.ts";
import type { Vantage } from "./filter-rules.ts";
import { allPackets, kidFor, noPackets, type PacketSet } from "./packet-set.ts";
import { isZero, type Value } from "./values.ts";

/** One packet at the interface that it comes in by. */
export type Packet = { readonly in: string; readonly to: Address; readonly values: Readonly<Record<Field, Value>> };

/** The value of a field that a plain packet has (see `plainPackets`): SYN alone, hop limit 64, nothing else set. */
const plain: Readonly<Record<Field, Value>> = {
  protocol: 6,
  toPort: 0,
  fromPort: 40_000,
  from: 0n,
  flags: 2,
  hops: 64,
  hopByHop: 0,
  routing: 0,
  options: 0,
  fragment: 0,
  authentication: 0,
  mac: 0,
  mark: 0,
  flowMark: 0,
  untracked: 0,
  dscp: 0,
  label: 0,
  length: 100,
};

/** The first packet of a flow as any host would send it. Without a port it is 0; ICMPv6 without a type is an echo request. */
export function firstPacket(flow: Flow, vantage: Vantage): Packet {
  const protocol = protocolNumber(flow.transport);
  const isMessage = flow.transport === "icmpv6";
  return {
    in: vantage.device,
    to: flow.to,
    values: {
      ...plain,
      protocol,
      from: toBits(flow.from),
      toPort: flow.port ?? 0,
      fromPort: isMessage ? (flow.type ?? 128) << 8 : (flow.fromPort ?? 40_000),
      mac: vantage.mac === undefined ? 0 : macValue(vantage.mac),
    },
  };
}

export function hasPacket(set: PacketSet, packet: Packet): boolean {
  let node = set;
  while (node !== allPackets && node !== noPackets) node = kidFor(node, packet.values[fields[node.rank] as Field]);
  return node === allPackets;
}

/** Documentation space (RFC 3849), and an address of the Internet where that is none of a fleet's sources. */
const likelySources: readonly bigint[] = [toBits(address("2001:db8:ffff::2")), toBits(address("2600::1"))];

/** The most usual packet of a set: each field as a plain packet has it where that is in the set. Undefined for the empty one. */
export function examplePacket(set: PacketSet, at: { readonly in: string; readonly to: Address }): Packet | undefined {
  if (set === noPackets) return undefined;
  const values: Record<Field, Value> = { ...plain };
  let node = set;
  while (node !== allPackets) {
    const field = fields[node.rank] as Field;
    const usual = kidFor(node, values[field]);
    if (usual !== noPackets) node = usual;
    else {
      const other = field === "from" ? likelySources.find((each) => kidFor(node, each) !== noPackets) : undefined;
      if (other !== undefined) {
        values[field] = other;
        node = kidFor(node, other);
        continue;
      }
      const first = node.kids.findIndex((kid) => kid !== noPackets);
      const start = node.starts[first] as Value;
      // The subnet-router anycast address and port 0 are what nobody would try.
      const next = node.starts[first + 1];
      const later = typeof start === "bigint" ? start + 1n : start + 1;
      values[field] = isZero(start) && field !== "protocol" && (next === undefined || later < next) ? later : start;
      node = node.kids[first] as PacketSet;
    }
  }
  return { ...at, values };
}
