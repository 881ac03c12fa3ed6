import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import {
  address,
  compareAddresses,
  fromBits,
  isLinkLocal,
  isMulticast,
  isUnspecified,
  offset,
  parseAddress,
  toBits,
} from "./address.ts";

/** Text forms and what they are read as: RFC 4291 §2.2, RFC 5952 §2, §4 and §5. */
const valid: readonly (readonly [text: string, canonical: string])[] = [
  ["ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"],
  ["2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"],
  ["FF01:0:0:0:0:0:0:101", "ff01::101"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["::", "::"],
  ["0::0", "::"],
  ["0:0:0:0:0:0:13.1.68.3", "::d01:4403"],
  ["::13.1.68.3", "::d01:4403"],
  ["0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"],
  ["::FFFF:8190:3426", "::ffff:129.144.52.38"],
  ["::ffff:0:0", "::ffff:0.0.0.0"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
  ["2001:0db8::0001", "2001:db8::1"],
  ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ["2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ["1:0:0:4:5:6:0:0", "1::4:5:6:0:0"],
  ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
  ["1:2:3:4:5:6:255.255.255.255", "1:2:3:4:5:6:ffff:ffff"],
  ["1:2:3:4::255.255.255.255", "1:2:3:4::ffff:ffff"],
];

const invalid: readonly string[] = [
  "",
  ":",
  ":::",
  "1",
  "1:",
  ":1",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "::1:2:3:4:5:6:7:8",
  "1:2:3:4::5:6:7:8",
  "1::2::3",
  "1:::2",
  "::1:",
  ":1::",
  "1:2:3:4:5:6:7:",
  "00001::",
  "12345::",
  "g::",
  "::g",
  "2001:db8::1%eth0",
  "fe80::1%1",
  "2001:db8::/32",
  "[2001:db8::1]",
  " 2001:db8::1",
  "2001:db8::1 ",
  "2001:db8::1\n",
  "2001-db8::1",
  "1.2.3.4",
  "::1.2.3",
  "::1.2.3.4.5",
  "::1.2.3.256",
  "::1.2.3.04",
  "::1.2.3.",
  "::.1.2.3",
  "::1.2.3.4:1",
  "1.2.3.4::",
  "::1.2.3.a",
  "1:2:3:4:5:6:7:1.2.3.4",
  "1:2:3:4:5:6:7:8:1.2.3.4",
  "::ffff:12345.2.3.4",
  "::0x1",
  "::+1",
  "::-1",
  "::\u0661",
  "::\u0141",
  "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
];

const bits = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  fc
    .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
    .map((groups) => groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)),
);

describe("parseAddress", () => {
  test.each(valid)("parseAddress reads %s as %s", (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
    expect(parseAddress(canonical)).toBe(canonical);
  });

  test.each(invalid)("parseAddress refuses %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
    expect(() => address(text)).toThrow(RangeError);
  });

  test("parseAddress agrees with ipaddr.js on every address, in canonical and in full form", () => {
    fc.assert(
      fc.property(bits, (n) => {
        const ours = fromBits(n);
        const theirs = ipaddr.IPv6.parse(ours);
        expect(
          BigInt(
            `0x${theirs
              .toByteArray()
              .map((each) => each.toString(16).padStart(2, "0"))
              .join("")}`,
          ),
        ).toBe(n);
        if (!ours.includes(".")) expect(ours).toBe(theirs.toRFC5952String());
        expect(
          parseAddress(
            theirs.parts
              .map((part) => part.toString(16).padStart(4, "0"))
              .join(":")
              .toUpperCase(),
          ),
        ).toBe(ours);
        expect(parseAddress(theirs.toNormalizedString())).toBe(ours);
      }),
    );
  });

  test("parseAddress gives the canonical text for every way to write an address", () => {
    const style = fc.record({
      from: fc.nat(7),
      to: fc.nat(8),
      upper: fc.boolean(),
      digits: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(bits, style, (n, { from, to, upper, digits }) => {
        const groups = Array.from({ length: 8 }, (_, g) => ((n >> BigInt(112 - 16 * g)) & 0xffffn).toString(16));
        const texts = groups.map((each) => each.padStart(digits, "0"));
        const isGap = from < to && groups.slice(from, to).every((each) => each === "0");
        const text = isGap ? `${texts.slice(0, from).join(":")}::${texts.slice(to).join(":")}` : texts.join(":");
        expect(parseAddress(upper ? text.toUpperCase() : text)).toBe(fromBits(n));
      }),
      { numRuns: 5000 },
    );
  });

  test("parseAddress refuses what ipaddr.js refuses, near an address", () => {
    const characters = fc.string({
      unit: fc.constantFrom("0", "1", "f", "F", ":", ":", ":", "."),
      minLength: 1,
      maxLength: 24,
    });
    fc.assert(
      fc.property(characters, (text) => {
        // ipaddr.js reads octal and too-long octets in the tail, and `::` for no group at all; RFC 4291 does not.
        if (text.includes(".")) return;
        const groups = text.split(":").filter((each) => each !== "").length;
        expect(parseAddress(text) !== undefined).toBe(
          ipaddr.IPv6.isValid(text) && !(text.includes("::") && groups > 7) && !/[0-9a-f]{5}/i.test(text),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

test("fromBits and toBits are each other's inverse", () => {
  fc.assert(
    fc.property(bits, (n) => {
      expect(toBits(fromBits(n))).toBe(n);
    }),
  );
  expect(() => fromBits(-1n)).toThrow(RangeError);
  expect(() => fromBits(1n << 128n)).toThrow(RangeError);
});

test("compareAddresses is the order of the numbers", () => {
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      expect(Math.sign(compareAddresses(fromBits(a), fromBits(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
  expect(compareAddresses(address("2001:db8::9"), address("2001:db8::10"))).toBeLessThan(0);
});

test("offset moves both ways and stops at the ends of the address space", () => {
  expect(offset(address("2001:db8::ffff"), 1)).toBe("2001:db8::1:0");
  expect(offset(address("2001:db8::"), -1)).toBe("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff");
  expect(offset(address("::"), (1n << 128n) - 1n)).toBe("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  expect(offset(address("::"), -1)).toBeUndefined();
  expect(offset(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1n)).toBeUndefined();
});

test.each([
  ["fe7f:ffff::", false, false],
  ["fe80::", true, false],
  ["febf:ffff::1", true, false],
  ["fec0::", false, false],
  ["feff::", false, false],
  ["ff00::", false, true],
  ["ff02::1", false, true],
  ["::", false, false],
])("isLinkLocal and isMulticast at the edges of their prefixes: %s", (text, linkLocal, multicast) => {
  expect(isLinkLocal(address(text))).toBe(linkLocal);
  expect(isMulticast(address(text))).toBe(multicast);
  expect(isUnspecified(address(text))).toBe(text === "::");
});
