import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { type Address, address, fromBits, toBits } from "./address.ts";
import {
  baseBits,
  baseOf,
  comparePrefixes,
  contains,
  lastOf,
  lengthOf,
  maskOf,
  nth,
  overlaps,
  type Prefix,
  parent,
  parsePrefix,
  prefix,
  prefixOf,
  sizeOf,
  subnet,
} from "./prefix.ts";

const addresses: fc.Arbitrary<Address> = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map(fromBits);
const lengths = fc.integer({ min: 0, max: 128 });
const prefixes: fc.Arbitrary<Prefix> = fc.tuple(addresses, lengths).map(([a, length]) => prefixOf(a, length));

describe("parsePrefix", () => {
  test.each([
    // RFC 4291 §2.3
    ["2001:0DB8:0000:CD30:0000:0000:0000:0000/60", "2001:db8:0:cd30::/60"],
    ["2001:0DB8::CD30:0:0:0:0/60", "2001:db8:0:cd30::/60"],
    ["2001:0DB8:0:CD30::/60", "2001:db8:0:cd30::/60"],
    ["::/0", "::/0"],
    ["::1/128", "::1/128"],
    ["::ffff:0:0/96", "::ffff:0.0.0.0/96"],
    ["2001:db8:0:0:fff0::/76", "2001:db8:0:0:fff0::/76"],
  ])("parsePrefix reads %s as %s", (text, canonical) => {
    expect(parsePrefix(text)).toBe(canonical);
    expect(parsePrefix(canonical)).toBe(canonical);
  });

  test.each([
    "2001:db8::",
    "2001:db8::1/64",
    "2001:db8:0:0:fff8::/76",
    "::1/0",
    "2001:0DB8:0:CD3/60",
    "2001:0DB8::CD30/60",
    "::/129",
    "::/-1",
    "::/+1",
    "::/01",
    "::/00",
    "::/1.0",
    "::/",
    "/64",
    "::/0/0",
    "::/ 0",
    "::/0 ",
    "::/1000",
    "::/1e1",
    "10.0.0.0/8",
    "fe80::%eth0/64",
  ])("parsePrefix refuses %j", (text) => {
    expect(parsePrefix(text)).toBeUndefined();
    expect(() => prefix(text)).toThrow(RangeError);
  });
});

test("prefixOf, baseOf and lastOf agree with ipaddr.js", () => {
  fc.assert(
    fc.property(addresses, lengths, (a, length) => {
      const p = prefixOf(a, length);
      expect(parsePrefix(p)).toBe(p);
      expect(lengthOf(p)).toBe(length);
      const cidr = `${ipaddr.IPv6.parse(a).toNormalizedString()}/${length}`;
      expect(baseOf(p)).toBe(address(ipaddr.IPv6.networkAddressFromCIDR(cidr).toNormalizedString()));
      expect(lastOf(p)).toBe(address(ipaddr.IPv6.broadcastAddressFromCIDR(cidr).toNormalizedString()));
      expect(toBits(lastOf(p)) - baseBits(p) + 1n).toBe(sizeOf(p));
    }),
  );
  expect(() => prefixOf(address("::"), 129)).toThrow(RangeError);
  expect(() => prefixOf(address("::"), 1.5)).toThrow(RangeError);
});

test("contains agrees with ipaddr.js for addresses and is by both ends for prefixes", () => {
  fc.assert(
    fc.property(prefixes, addresses, lengths, (outer, elsewhere, length) => {
      for (const a of [elsewhere, baseOf(outer), lastOf(outer)]) {
        const bytes = ipaddr.IPv6.parse(a);
        expect(contains(outer, a)).toBe(bytes.match(ipaddr.IPv6.parse(baseOf(outer)), lengthOf(outer)));
        const inner = prefixOf(a, length);
        expect(contains(outer, inner)).toBe(contains(outer, baseOf(inner)) && contains(outer, lastOf(inner)));
        expect(overlaps(outer, inner)).toBe(contains(outer, inner) || contains(inner, outer));
      }
    }),
  );
});

test.each([
  ["2001:db8::/32", "2001:db8::/32", true],
  ["2001:db8::/32", "2001:db8::/31", false],
  ["2001:db8::/32", "2001:db8:ffff::/48", true],
  ["2001:db8::/32", "2001:db9::/48", false],
  ["::/0", "ffff::1", true],
  ["::1/128", "::1", true],
  ["::1/128", "::2", false],
  ["2001:db8:0:0:10::/76", "2001:db8:0:0:1f:ffff:ffff:ffff", true],
  ["2001:db8:0:0:10::/76", "2001:db8:0:0:20::", false],
])("contains: %s and %s: %s", (outer, inner, answer) => {
  expect(contains(prefix(outer), inner.includes("/") ? prefix(inner) : address(inner))).toBe(answer);
});

test("subnet counts from the base, and stops where the prefix ends", () => {
  expect(subnet(prefix("2001:db8::/64"), 76, 0)).toBe("2001:db8::/76");
  expect(subnet(prefix("2001:db8::/64"), 76, 4095)).toBe("2001:db8:0:0:fff0::/76");
  expect(subnet(prefix("2001:db8::/64"), 76, 4096)).toBeUndefined();
  expect(subnet(prefix("2001:db8::/64"), 76, -1)).toBeUndefined();
  expect(subnet(prefix("2001:db8::/64"), 64, 0)).toBe("2001:db8::/64");
  expect(subnet(prefix("2001:db8::/64"), 64, 1)).toBeUndefined();
  expect(subnet(prefix("2001:db8::/64"), 63, 0)).toBeUndefined();
  expect(subnet(prefix("::/0"), 128, (1n << 128n) - 1n)).toBe("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
});

test("subnet gives disjoint prefixes that fill their parent, in order", () => {
  fc.assert(
    fc.property(prefixes, fc.integer({ min: 0, max: 5 }), (of, more) => {
      const length = Math.min(128, lengthOf(of) + more);
      const count = 1 << (length - lengthOf(of));
      let next = baseBits(of);
      for (let n = 0; n < count; n++) {
        const each = subnet(of, length, n) as Prefix;
        expect(baseBits(each)).toBe(next);
        expect(contains(of, each)).toBe(true);
        expect(parent(each, lengthOf(of))).toBe(of);
        next += sizeOf(each);
      }
      expect(next).toBe(toBits(lastOf(of)) + 1n);
      expect(subnet(of, length, count)).toBeUndefined();
    }),
  );
});

test("nth counts addresses from the base, and stops where the prefix ends", () => {
  expect(nth(prefix("2001:db8::/64"), 1)).toBe("2001:db8::1");
  expect(nth(prefix("2001:db8::/126"), 3)).toBe("2001:db8::3");
  expect(nth(prefix("2001:db8::/126"), 4)).toBeUndefined();
  expect(nth(prefix("2001:db8::/126"), -1)).toBeUndefined();
  expect(nth(prefix("::/0"), (1n << 128n) - 1n)).toBe("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
});

test("parent is the enclosing prefix, and undefined for a longer length", () => {
  expect(parent(prefix("2001:db8:0:0:fff0::/76"), 64)).toBe("2001:db8::/64");
  expect(parent(prefix("2001:db8::/64"), 64)).toBe("2001:db8::/64");
  expect(parent(prefix("2001:db8::/64"), 0)).toBe("::/0");
  expect(parent(prefix("2001:db8::/64"), 65)).toBeUndefined();
});

test("comparePrefixes puts an outer prefix before what it contains", () => {
  const sorted = ["::/0", "2001:db8::/32", "2001:db8::/64", "2001:db8::/76", "2001:db8:0:0:10::/76", "fe80::/10"];
  expect(
    sorted
      .map((each) => prefix(each))
      .reverse()
      .sort(comparePrefixes),
  ).toEqual(sorted);
  fc.assert(
    fc.property(prefixes, prefixes, (a, b) => {
      const byBits = baseBits(a) < baseBits(b) ? -1 : baseBits(a) > baseBits(b) ? 1 : lengthOf(a) - lengthOf(b);
      expect(Math.sign(comparePrefixes(a, b))).toBe(Math.sign(byBits));
    }),
  );
});

test.each([
  [0, "::"],
  [1, "8000::"],
  [64, "ffff:ffff:ffff:ffff::"],
  [76, "ffff:ffff:ffff:ffff:fff0::"],
  [127, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"],
  [128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
])("maskOf(%i) is %s", (length, text) => {
  expect(maskOf(length)).toBe(text);
});
