import { fromBits } from "../net/address.ts";
import { type Prefix, prefix, prefixesOfSpan } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import { bogons } from "../net/special.ts";
import { extensions } from "./arrivals.ts";
import { endOf, type Field, fields } from "./field.ts";
import { allPackets, noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { oneValue, type Span, spansOf, type Value, valuesWhere } from "./values.ts";

/** The fields that people tell flows by. The others say how a packet of a flow may look. */
const told: readonly Field[] = ["protocol", "toPort", "fromPort", "from"];

/** Protocols whose first four octets say what a flow is for: ports, or the kind of a message. */
const withPorts: readonly number[] = [6, 17, 33, 58, 132, 136];

/**
 * Flows of which some packet is in the set: the fields that people do not tell flows by no longer count, nor do ports
 * where a protocol has none. A message's checksum is no port either.
 */
export function flowsIn(space: PacketSpace, set: PacketSet): PacketSet {
  const seen = fields.reduce((all, field) => (told.includes(field) ? all : space.without(field, all)), set);
  const ported = space.where(
    "protocol",
    valuesWhere(256, (each) => withPorts.includes(each)),
  );
  const messages = space.where("protocol", oneValue(58, 256));
  return space.union([
    space.and(space.minus(seen, messages), ported),
    space.without("toPort", space.and(seen, messages)),
    space.without("fromPort", space.without("toPort", space.minus(seen, ported))),
  ]);
}

/** Flows that are alike but for their ports, in spans; every source of `from` may use every one of them. */
export type FlowGroup = {
  readonly protocols: readonly Span[];
  readonly toPorts: readonly Span[];
  readonly fromPorts: readonly Span[];
  readonly from: readonly Prefix[];
};

/** A set of flows as groups, by protocol, then port. At most `most` of them; `more` tells that there are others. */
export function groupsOf(
  set: PacketSet,
  most: number,
): { readonly groups: readonly FlowGroup[]; readonly more: boolean } {
  const groups: FlowGroup[] = [];
  for (const [byPort, protocols] of Map.groupBy([...branches(set, "protocol")], ([, kid]) => kid)) {
    // Ports of the same flows together: 80 and 443 from anywhere are one line.
    const alike = Map.groupBy([...branches(byPort, "toPort")], ([, kid]) => kid);
    for (const [kid, ports] of alike) {
      for (const [from, rest] of Map.groupBy([...branches(kid, "fromPort")], ([, inner]) => inner)) {
        if (groups.length === most) return { groups, more: true };
        groups.push({
          protocols: joined(protocols.map(([span]) => span)),
          toPorts: joined(ports.map(([span]) => span)),
          fromPorts: joined(rest.map(([span]) => span)),
          from: sourcesIn(from),
        });
      }
    }
  }
  return { groups, more: false };
}

/** The spans of a field's values with what is left behind each, empty ones left out. */
function* branches(set: PacketSet, field: Field): Generator<readonly [Span, PacketSet], void, void> {
  if (set === noPackets) return;
  const end = endOf(field);
  if (fields[set.rank] !== field) {
    yield [{ first: 0, last: typeof end === "bigint" ? end - 1n : end - 1 }, set];
    return;
  }
  for (const [at, kid] of set.kids.entries()) {
    if (kid === noPackets) continue;
    const [span] = spansOf([set.starts[at] as Value, set.starts[at + 1] ?? end], end);
    if (span !== undefined) yield [span, kid];
  }
}

function joined(spans: readonly Span[]): readonly Span[] {
  const all: Span[] = [];
  for (const span of spans) {
    const last = all.at(-1);
    if (last !== undefined && Number(last.last) + 1 === Number(span.first))
      all[all.length - 1] = { first: last.first, last: span.last };
    else all.push(span);
  }
  return all;
}

function sourcesIn(set: PacketSet): readonly Prefix[] {
  if (set === allPackets) return prefixesOfSpan(0n, (1n << 128n) - 1n);
  return [...branches(set, "from")].flatMap(([{ first, last }]) => prefixesOfSpan(BigInt(first), BigInt(last)));
}

const names: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp" };

/** `tcp 80, 443`, `icmpv6 type 128`, `protocol 47`. The source is not in it. */
export function formatGroup({ protocols, toPorts, fromPorts }: FlowGroup): string {
  const numbers = protocols.flatMap(({ first, last }) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at),
  );
  // Numbers of extension headers are no transport's, so they are in no set.
  if (numbers.length >= 256 - extensions.length) return "any protocol";
  const [first = 0] = numbers;
  const name =
    numbers.length === 1 ? (names[first] ?? `protocol ${first}`) : `protocols ${few(protocols.map(formatSpan))}`;
  if (numbers.length === 1 && first === 58) {
    return isAll(fromPorts) ? name : `${name} type ${few(fromPorts.map(formatMessage))}`;
  }
  const ports = isAll(toPorts) ? "" : ` ${few(toPorts.map(formatSpan))}`;
  return `${name}${ports}${isAll(fromPorts) ? "" : ` from port ${few(fromPorts.map(formatSpan))}`}`;
}

function isAll([first]: readonly Span[]): boolean {
  return first !== undefined && Number(first.first) === 0 && Number(first.last) === 65_535;
}

function formatSpan({ first, last }: Span): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** Types, with a code only where not all of a type's codes are meant. */
function formatMessage({ first, last }: Span): string {
  const [low, high] = [Number(first), Number(last)];
  const isWhole = (low & 255) === 0 && (high & 255) === 255;
  if (isWhole) return formatSpan({ first: low >> 8, last: high >> 8 });
  const place = (value: number): string => `${value >> 8}/${value & 255}`;
  return low === high ? place(low) : `${place(low)}-${place(high)}`;
}

/** Sources that packets from the Internet may have (RFC 6890). */
const internet = PrefixSet.of([prefix("2000::/3")]).subtract(PrefixSet.of(bogons([])));
const everywhere = PrefixSet.of([prefix("::/0")]);

/**
 * `any`, one prefix, or several; a whole address without its length. `any on the Internet` where some are left out, but
 * none that a packet from the Internet may have. Where nearly all is in it, what is not.
 */
export function formatSources(from: readonly Prefix[]): string {
  if (from.length === 1 && from[0] === "::/0") return "any";
  const set = PrefixSet.of(from);
  if (internet.subtract(set).isEmpty()) return "any on the Internet";
  const others = everywhere.subtract(set).prefixes();
  const texts = (all: readonly Prefix[]): string => few(all.map((each) => each.replace(/\/128$/, "")));
  return others.length < from.length ? `any but ${texts(others)}` : texts(from);
}

/** The first of them, and how many more there are. */
function few(texts: readonly string[]): string {
  const most = 6;
  return texts.length > most ? `${texts.slice(0, most).join(", ")} and ${texts.length - most} more` : texts.join(", ");
}

/** One address, a prefix, or from first to last. */
export function formatDestination(first: bigint, last: bigint): string {
  if (first === last) return fromBits(first);
  const prefixes = prefixesOfSpan(first, last);
  return prefixes.length === 1 ? String(prefixes[0]) : `${fromBits(first)}-${fromBits(last)}`;
}
