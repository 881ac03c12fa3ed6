import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Address, address, fromBits } from "./address.ts";
import { baseBits, comparePrefixes, contains, lengthOf, overlaps, type Prefix, prefix, sizeOf } from "./prefix.ts";
import { PrefixSet } from "./prefix-set.ts";

/** A universe of 64 addresses at either end of the address space and in the middle: sets of numbers are the model. */
const top = (1n << 128n) - 64n;
const small: fc.Arbitrary<Prefix> = fc
  .tuple(
    fc.constantFrom(0n, 0x2001_0db8n << 96n, top),
    fc.integer({ min: 0, max: 63 }),
    fc.integer({ min: 122, max: 128 }),
  )
  .map(([start, n, length]) => {
    const shift = BigInt(128 - length);
    return `${fromBits(start + ((BigInt(n) >> shift) << shift))}/${length}` as Prefix;
  });
const lists = fc.array(small, { maxLength: 12 });

function model(prefixes: readonly Prefix[]): ReadonlySet<bigint> {
  const numbers = new Set<bigint>();
  for (const each of prefixes) for (let n = 0n; n < sizeOf(each); n++) numbers.add(baseBits(each) + n);
  return numbers;
}

/** The numbers in the set, and that its prefixes are sorted, disjoint, and no two of them siblings. */
function numbersOf(set: PrefixSet): ReadonlySet<bigint> {
  const prefixes = set.prefixes();
  for (let n = 1; n < prefixes.length; n++) {
    const [a, b] = [prefixes[n - 1] as Prefix, prefixes[n] as Prefix];
    expect(comparePrefixes(a, b)).toBeLessThan(0);
    expect(overlaps(a, b)).toBe(false);
    const areSiblings = lengthOf(a) === lengthOf(b) && (baseBits(a) ^ baseBits(b)) === sizeOf(a);
    expect(areSiblings).toBe(false);
  }
  expect(PrefixSet.of(prefixes).equals(set)).toBe(true);
  return model(prefixes);
}

const listOf = (...texts: readonly string[]): readonly Prefix[] => texts.map((each) => prefix(each));

describe("PrefixSet", () => {
  test("PrefixSet.of holds exactly the addresses of its prefixes, in any order", () => {
    fc.assert(
      fc.property(lists, (list) => {
        const set = PrefixSet.of(list);
        expect(numbersOf(set)).toEqual(model(list));
        expect(set.size()).toBe(BigInt(model(list).size));
        expect(PrefixSet.of(list.toReversed()).equals(set)).toBe(true);
        expect(set.isEmpty()).toBe(list.length === 0);
      }),
    );
  });

  test("union, intersect and subtract are those of the addresses", () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const [here, there] = [PrefixSet.of(a), PrefixSet.of(b)];
        expect(numbersOf(here.union(there))).toEqual(model(a).union(model(b)));
        expect(numbersOf(here.intersect(there))).toEqual(model(a).intersection(model(b)));
        expect(numbersOf(here.subtract(there))).toEqual(model(a).difference(model(b)));
        expect(here.union(there).equals(there.union(here))).toBe(true);
        expect(here.subtract(there).union(here.intersect(there)).equals(here)).toBe(true);
        expect(here.equals(there)).toBe(model(a).symmetricDifference(model(b)).size === 0);
      }),
    );
  });

  test("contains and overlaps are those of the addresses", () => {
    fc.assert(
      fc.property(lists, small, (list, p) => {
        const [set, numbers] = [PrefixSet.of(list), model(list)];
        expect(set.contains(p)).toBe(model([p]).isSubsetOf(numbers));
        expect(set.overlaps(p)).toBe(!model([p]).isDisjointFrom(numbers));
        const base = fromBits(baseBits(p)) as Address;
        expect(set.contains(base)).toBe(numbers.has(baseBits(p)));
      }),
    );
  });

  test("firstFree gives the lowest prefix that does not meet the set", () => {
    fc.assert(
      fc.property(lists, small, fc.integer({ min: 122, max: 128 }), (list, within, length) => {
        const numbers = model(list);
        const step = 1n << BigInt(128 - length);
        let expected: Prefix | undefined;
        for (let at = baseBits(within); at < baseBits(within) + sizeOf(within); at += step) {
          if (step > sizeOf(within)) break;
          const candidate = `${fromBits(at)}/${length}` as Prefix;
          if (!model([candidate]).isDisjointFrom(numbers)) continue;
          expected = candidate;
          break;
        }
        expect(PrefixSet.of(list).firstFree(within, length)).toBe(expected);
      }),
    );
  });

  test("PrefixSet of everything has 2^128 addresses and one prefix", () => {
    const all = PrefixSet.of(listOf("8000::/1", "::/1"));
    expect(all.prefixes()).toEqual(["::/0"]);
    expect(all.size()).toBe(1n << 128n);
    expect(all.contains(prefix("::/0"))).toBe(true);
    expect(all.subtract(all).equals(PrefixSet.empty)).toBe(true);
    expect(all.firstFree(prefix("::/0"), 64)).toBeUndefined();
    expect(all.subtract(PrefixSet.of(listOf("8000::/2"))).prefixes()).toEqual(["::/1", "c000::/2"]);
  });

  test("PrefixSet.empty has nothing", () => {
    expect(PrefixSet.empty.prefixes()).toEqual([]);
    expect(PrefixSet.empty.size()).toBe(0n);
    expect(PrefixSet.empty.contains(address("::"))).toBe(false);
    expect(PrefixSet.empty.overlaps(prefix("::/0"))).toBe(false);
    expect(PrefixSet.empty.firstFree(prefix("2001:db8::/64"), 76)).toBe("2001:db8::/76");
  });

  test("firstFree skips what is taken, and says so when all is", () => {
    const taken = PrefixSet.of(listOf("2001:db8::/76", "2001:db8:0:0:10::/80"));
    expect(taken.firstFree(prefix("2001:db8::/64"), 76)).toBe("2001:db8:0:0:20::/76");
    expect(taken.firstFree(prefix("2001:db8::/64"), 80)).toBe("2001:db8:0:0:11::/80");
    expect(taken.firstFree(prefix("2001:db8::/76"), 80)).toBeUndefined();
    expect(taken.firstFree(prefix("2001:db8::/64"), 48)).toBeUndefined();
  });

  test("prefixes splits a hole into the fewest prefixes", () => {
    const holed = PrefixSet.of(listOf("2001:db8::/125")).subtract(PrefixSet.of(listOf("2001:db8::3/128")));
    expect(holed.prefixes()).toEqual(["2001:db8::/127", "2001:db8::2/128", "2001:db8::4/126"]);
    expect(holed.prefixes().every((each) => contains(prefix("2001:db8::/125"), each))).toBe(true);
  });
});
