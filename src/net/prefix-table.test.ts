import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Address, address, fromBits } from "./address.ts";
import { parseWords } from "./packed.ts";
import { contains, lengthOf, type Prefix, prefix, prefixOf } from "./prefix.ts";
import { PrefixTable } from "./prefix-table.ts";

/** Few enough that prefixes nest and addresses hit: bits at the top, in the middle, and at the end. */
const addresses: fc.Arbitrary<Address> = fc
  .tuple(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 3n }))
  .map(([a, b, c]) => fromBits((a << 126n) | (b << 63n) | c));
const prefixes: fc.Arbitrary<Prefix> = fc
  .tuple(addresses, fc.constantFrom(0, 1, 2, 32, 64, 65, 127, 128))
  .map(([a, length]) => prefixOf(a, length));

describe("PrefixTable", () => {
  test("get gives the value of the longest prefix that contains the address", () => {
    fc.assert(
      fc.property(fc.array(prefixes, { maxLength: 40 }), fc.array(addresses, { maxLength: 20 }), (list, wanted) => {
        const table = new PrefixTable<number>();
        for (const [n, each] of list.entries()) table.set(each, n);
        expect(table.size).toBe(new Set(list).size);
        const words = new Uint32Array(8);
        for (const a of wanted) {
          const longest = list.filter((each) => contains(each, a)).sort((x, y) => lengthOf(y) - lengthOf(x))[0];
          const expected = longest === undefined ? undefined : list.lastIndexOf(longest);
          expect(table.get(a)).toBe(expected);
          parseWords(a, words, 4);
          expect(table.getWords(words, 4)).toBe(expected);
          expect(table.match(a)).toEqual(longest === undefined ? undefined : { prefix: longest, value: expected });
        }
        for (const each of list) expect(table.exact(each)).toBe(list.lastIndexOf(each));
      }),
    );
  });

  test("exact does not match a prefix of another length", () => {
    const table = new PrefixTable<string>();
    table.set(prefix("2001:db8::/32"), "site");
    expect(table.exact(prefix("2001:db8::/32"))).toBe("site");
    expect(table.exact(prefix("2001:db8::/64"))).toBeUndefined();
    expect(table.exact(prefix("2001:db9::/32"))).toBeUndefined();
    expect(table.get(address("2001:db8:ffff::1"))).toBe("site");
    expect(table.get(address("2001:db9::1"))).toBeUndefined();
  });

  test("PrefixTable finds all of 20,000 after it has grown", () => {
    const table = new PrefixTable<number>();
    const start = 0x20010db8n << 96n;
    for (let n = 0; n < 20_000; n++) table.set(prefixOf(fromBits(start + (BigInt(n) << 52n)), 76), n);
    expect(table.size).toBe(20_000);
    let wrong = 0;
    for (let n = 0; n < 20_000; n++) if (table.get(fromBits(start + (BigInt(n) << 52n) + 5n)) !== n) wrong++;
    expect(wrong).toBe(0);
  });
});
