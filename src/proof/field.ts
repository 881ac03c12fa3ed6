/**
 * What packets are told apart by, in the order in which packet sets branch. Destination and interfaces are not in it:
 * exposure is worked out destination by destination, from one interface to another.
 *
 * `protocol`: of the transport header, after all extension headers. `toPort` and `fromPort`: bytes 2-3 and 0-1 of the
 * transport header, whatever the protocol; for ICMPv6 that is the checksum, and type × 256 + code. `flags`: byte 13, of
 * TCP. `hops`: hop limit on arrival. `hopByHop`, `options`, `fragment`, `authentication`: 1 with such an extension header. `routing`: 0
 * without a routing header, else 1 + its type. `mac`: Ethernet source. `untracked`: 1 after a rule said not to track.
 * `length`: the whole packet, in octets.
 */
export const fields = [
  "protocol",
  "toPort",
  "fromPort",
  "from",
  "flags",
  "hops",
  "hopByHop",
  "routing",
  "options",
  "fragment",
  "authentication",
  "mac",
  "mark",
  "flowMark",
  "untracked",
  "dscp",
  "label",
  "length",
] as const;

export type Field = (typeof fields)[number];

const widths: Readonly<Record<Field, number>> = {
  protocol: 8,
  toPort: 16,
  fromPort: 16,
  from: 128,
  flags: 8,
  hops: 8,
  hopByHop: 1,
  routing: 9,
  options: 1,
  fragment: 1,
  authentication: 1,
  mac: 48,
  mark: 32,
  flowMark: 32,
  untracked: 1,
  dscp: 6,
  label: 20,
  length: 17,
};

/** In bits. */
export function widthOf(field: Field): number {
  return widths[field];
}

/** The place of a field in the order above. */
export function rankOf(field: Field): number {
  return ranks[field];
}

const ranks = Object.fromEntries(fields.map((field, rank) => [field, rank])) as Readonly<Record<Field, number>>;

/** One more than the greatest value: a number, or a bigint where the field is as wide as an address. */
export function endOf(field: Field): number | bigint {
  const width = widths[field];
  return width > 52 ? 1n << BigInt(width) : 2 ** width;
}
