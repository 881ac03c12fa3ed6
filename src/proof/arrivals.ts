import { parseMac } from "../net/mac.ts";
import type { Prefix } from "../net/prefix.ts";
import { baseBits, prefix, sizeOf } from "../net/prefix.ts";
import { endOf } from "./field.ts";
import type { Vantage } from "./filter-rules.ts";
import { allPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { oneValue, otherValues, type Values, valuesOf, valuesWhere } from "./values.ts";

const tcp = 6;
const udp = 17;
const icmpv6 = 58;

/** Numbers of extension headers: a packet's transport is never one of them (RFC 8200 §4, RFC 4302). */
export const extensions: readonly number[] = [0, 43, 44, 51, 60];

/** No interface of the gateway takes packets from these: loopback and multicast (ip6_rcv, RFC 4291 §2.5.3, §2.7). */
const neverFrom: Values = prefixValues([prefix("::1/128"), prefix("ff00::/8")]);

/** A router does not forward packets from these: unspecified and link-local (RFC 4291 §2.5.2, §2.5.6). */
const neverForwarded: Values = prefixValues([prefix("::/128"), prefix("fe80::/10")]);

/** The shortest packet of a protocol: IPv6 header and its own. */
const shortest: readonly (readonly [protocol: number, octets: number])[] = [
  [tcp, 60],
  [udp, 48],
  [icmpv6, 44],
];

/**
 * Every packet that may arrive at a vantage and belongs to no flow yet: whole (not in fragments), with any extension
 * headers; of TCP only what asks for a connection (SYN without ACK, FIN and RST), since nothing else opens one.
 */
export function arrivalsAt(space: PacketSpace, vantage: Vantage): PacketSet {
  const isTcp = space.where("protocol", oneValue(tcp, 256));
  const asks = space.where("flags", asksForConnection);
  const parts: PacketSet[] = [
    space.where(
      "protocol",
      valuesWhere(256, (protocol) => !extensions.includes(protocol)),
    ),
    space.or(space.minus(allPackets, isTcp), asks),
    space.where("from", otherValues(neverFrom)),
    space.where("routing", valuesOf([{ first: 0, last: 256 }], endOf("routing"))),
    space.where("length", valuesOf([{ first: 40, last: 40 + 65_535 }], endOf("length"))),
    ...shortest.map(([protocol, octets]) =>
      space.or(
        space.where("protocol", otherValues(oneValue(protocol, 256))),
        space.where("length", valuesOf([{ first: octets, last: 40 + 65_535 }], endOf("length"))),
      ),
    ),
    ...(["mark", "flowMark", "untracked"] as const).map((field) => space.where(field, oneValue(0, endOf(field)))),
  ];
  if (vantage.from !== undefined) parts.push(space.where("from", prefixValues(vantage.from)));
  if (vantage.mac !== undefined) parts.push(space.where("mac", oneValue(macValue(vantage.mac), endOf("mac"))));
  return parts.reduce((all, each) => space.and(all, each));
}

const asksForConnection: Values = valuesWhere(256, (flags) => (flags & 0b10111) === 0b00010);

/** What of it a router hands on: hop limit 2 or more, and a source that may leave its link unless it goes back out where it came in. */
export function forwardable(space: PacketSpace, turnsBack: boolean): PacketSet {
  const hops = space.where("hops", valuesOf([{ first: 2, last: 255 }], 256));
  return turnsBack ? hops : space.and(hops, space.where("from", otherValues(neverForwarded)));
}

/** A packet as any host would send it: SYN alone, no extension header, a usual hop limit, nothing set that needs not be. */
export function plainPackets(space: PacketSpace): PacketSet {
  const isTcp = space.where("protocol", oneValue(tcp, 256));
  const parts = [
    space.or(space.minus(allPackets, isTcp), space.where("flags", oneValue(0b00010, 256))),
    space.where("hops", oneValue(64, 256)),
    ...(["hopByHop", "routing", "options", "fragment", "authentication", "dscp", "label"] as const).map((field) =>
      space.where(field, oneValue(0, endOf(field))),
    ),
    space.where("length", oneValue(100, endOf("length"))),
  ];
  return parts.reduce((all, each) => space.and(all, each));
}

/** Addresses of the prefixes as values of the field `from`. */
export function prefixValues(prefixes: readonly Prefix[]): Values {
  return valuesOf(
    prefixes.map((each) => ({ first: baseBits(each), last: baseBits(each) + sizeOf(each) - 1n })),
    endOf("from"),
  );
}

/** 48 bits as a number. Throws a RangeError for what is no MAC address. */
export function macValue(text: string): number {
  const mac = parseMac(text);
  if (mac === undefined) throw new RangeError(`Not a MAC address: ${JSON.stringify(text)}`);
  return Number.parseInt(mac.replaceAll(":", ""), 16);
}
