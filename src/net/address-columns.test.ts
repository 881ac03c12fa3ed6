import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { address, compareAddresses, fromBits } from "./address.ts";
import { AddressColumns, diff } from "./address-columns.ts";

const few = fc.array(fc.bigInt({ min: 0n, max: 40n }).map(fromBits), { maxLength: 30 });
const any = fc.array(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(fromBits), { maxLength: 30 });

describe("AddressColumns", () => {
  test("AddressColumns sorts by number and holds each address once", () => {
    fc.assert(
      fc.property(fc.oneof(few, any), (list) => {
        const columns = AddressColumns.of(list);
        expect([...columns]).toEqual([...new Set(list)].sort(compareAddresses));
        expect(columns.size).toBe(new Set(list).size);
        expect(list.every((each) => columns.has(each))).toBe(true);
        expect(columns.at(columns.size)).toBeUndefined();
        expect([...columns].map((_, n) => columns.at(n))).toEqual([...columns]);
      }),
    );
  });

  test("AddressColumns sorts many by radix as it sorts few", () => {
    const numbers = Array.from(
      { length: 10_000 },
      (_, n) => (BigInt(n) * 0x9e3779b97f4a7c15f39cc0605cedc835n) % (1n << 128n),
    );
    const shared = Array.from({ length: 10_000 }, (_, n) => (0x20010db8n << 96n) | BigInt((n * 7919) % 9000));
    for (const list of [numbers, shared]) {
      const sorted = [...new Set(list)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map(fromBits);
      expect([...AddressColumns.of(list.map(fromBits))]).toEqual(sorted);
    }
  });

  test("diff gives what was added and what was removed", () => {
    fc.assert(
      fc.property(few, few, (a, b) => {
        const { added, removed } = diff(AddressColumns.of(a), AddressColumns.of(b));
        expect(new Set(added)).toEqual(new Set(b).difference(new Set(a)));
        expect(new Set(removed)).toEqual(new Set(a).difference(new Set(b)));
      }),
    );
  });

  test("AddressColumns reads other forms, and names the text that is no address", () => {
    expect([...AddressColumns.of(new Set(["2001:DB8::0", "::1"]))]).toEqual(["::1", "2001:db8::"]);
    expect(() => AddressColumns.of(["::1", "nonsense"])).toThrow(/"nonsense"/);
    expect(AddressColumns.of([]).has(address("::"))).toBe(false);
  });
});
