import fc from "fast-check";
import { expect, test } from "vitest";
import { address, toBits } from "../net/address.ts";
import { endOf, type Field } from "./field.ts";
import { firstPacket, hasPacket, type Packet } from "./packet.ts";
import { allPackets, noPackets, type PacketSet, PacketSpace } from "./packet-set.ts";
import { hasValue, otherValues, spansOf, type Value, type Values, valuesOf } from "./values.ts";

/** A set in words, with what it means for one packet. */
type Said =
  | { readonly kind: "where"; readonly field: Field; readonly values: Values }
  | { readonly kind: "and" | "or" | "minus"; readonly a: Said; readonly b: Said };

const some: readonly Field[] = ["protocol", "toPort", "from", "hopByHop", "mac"];

function valuesIn(field: Field): fc.Arbitrary<Values> {
  const end = BigInt(endOf(field));
  const value = fc
    .bigInt({ min: 0n, max: end < 12n ? end - 1n : 11n })
    .map((n): bigint => (n > 9n ? end - (12n - n) : n));
  const shown = (n: bigint): Value => (field === "from" ? n : Number(n));
  return fc.array(fc.tuple(value, value), { maxLength: 3 }).map((pairs) =>
    valuesOf(
      pairs.map(([a, b]) => ({ first: shown(a < b ? a : b), last: shown(a < b ? b : a) })),
      endOf(field),
    ),
  );
}

const said: fc.Arbitrary<Said> = fc.letrec<{ said: Said }>((tie) => ({
  said: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc
      .constantFrom(...some)
      .chain((field) => valuesIn(field).map((values): Said => ({ kind: "where", field, values }))),
    fc
      .tuple(fc.constantFrom("and", "or", "minus"), tie("said"), tie("said"))
      .map(([kind, a, b]): Said => ({ kind, a, b })),
  ),
})).said;

function setOf(space: PacketSpace, it: Said): PacketSet {
  return it.kind === "where"
    ? space.where(it.field, it.values)
    : space[it.kind](setOf(space, it.a), setOf(space, it.b));
}

function holds(it: Said, packet: Packet): boolean {
  if (it.kind === "where") return hasValue(it.values, packet.values[it.field]);
  const [a, b] = [holds(it.a, packet), holds(it.b, packet)];
  return it.kind === "and" ? a && b : it.kind === "or" ? a || b : a && !b;
}

const vantage = { name: "internet", device: "wan" };
const base = firstPacket({ from: address("2001:db8::1"), to: address("2001:db8::2"), transport: "tcp" }, vantage);

const packet: fc.Arbitrary<Packet> = fc
  .record({
    protocol: fc.constantFrom(0, 1, 5, 6, 9, 255),
    toPort: fc.constantFrom(0, 1, 5, 9, 10, 65_535),
    from: fc.constantFrom(0n, 3n, 9n, (1n << 128n) - 1n, toBits(address("2001:db8::1"))),
    hopByHop: fc.constantFrom(0, 1),
    mac: fc.constantFrom(0, 4, 9, 2 ** 48 - 1),
  })
  .map((values) => ({ ...base, values: { ...base.values, ...values } }));

test("PacketSpace combines sets as their packets are combined", () => {
  fc.assert(
    fc.property(said, packet, (it, one) => {
      expect(hasPacket(setOf(new PacketSpace(), it), one)).toBe(holds(it, one));
    }),
    { numRuns: 2000 },
  );
});

test("PacketSpace gives equal sets as one object", () => {
  fc.assert(
    fc.property(said, said, (a, b) => {
      const space = new PacketSpace();
      const [x, y] = [setOf(space, a), setOf(space, b)];
      expect(space.minus(space.or(x, y), y)).toBe(space.minus(x, y));
      expect(space.or(space.and(x, y), space.minus(x, y))).toBe(x);
      expect(space.minus(allPackets, space.minus(allPackets, x))).toBe(x);
      expect(space.union([x, y, x])).toBe(space.or(y, x));
    }),
    { numRuns: 1000 },
  );
});

test("PacketSpace without a field holds what some value of it brings in", () => {
  fc.assert(
    fc.property(said, packet, fc.constantFrom(...some), (it, one, field) => {
      const space = new PacketSpace();
      const set = setOf(space, it);
      const wide = space.without(field, set);
      if (hasPacket(set, one)) expect(hasPacket(wide, one)).toBe(true);
      const values = [...Array.from({ length: 12 }, (_, n) => n), Number(BigInt(endOf(field)) - 1n)].filter(
        (n) => n < endOf(field),
      );
      const any = values.some((n) =>
        hasPacket(set, { ...one, values: { ...one.values, [field]: field === "from" ? BigInt(n) : n } }),
      );
      if (any) expect(hasPacket(wide, one)).toBe(true);
      expect(space.without(field, wide)).toBe(wide);
    }),
    { numRuns: 1000 },
  );
});

test("PacketSpace tells the values of a field", () => {
  const space = new PacketSpace();
  const set = space.and(space.where("toPort", [80, 81, 443, 444]), space.where("protocol", [6, 7]));
  expect(space.valuesOf("toPort", set)).toEqual([80, 81, 443, 444]);
  expect(space.valuesOf("from", set)).toEqual([0]);
  expect(space.valuesOf("toPort", noPackets)).toEqual([]);
});

test("valuesOf joins what touches and leaves the last edge out at the end", () => {
  expect(
    valuesOf(
      [
        { first: 5, last: 9 },
        { first: 1, last: 4 },
        { first: 200, last: 255 },
      ],
      256,
    ),
  ).toEqual([1, 10, 200]);
  expect(otherValues([1, 10, 200])).toEqual([0, 1, 10, 200]);
  expect(otherValues([0, 5])).toEqual([5]);
  expect(otherValues([])).toEqual([0]);
  expect(spansOf([1, 10, 200], 256)).toEqual([
    { first: 1, last: 9 },
    { first: 200, last: 255 },
  ]);
});
