import { describe, expect, test } from "vitest";
import { address } from "./address.ts";
import { comparePrefixes, contains, prefix } from "./prefix.ts";
import { PrefixSet } from "./prefix-set.ts";
import { bogons, documentationPrefixOf, specialPrefixes } from "./special.ts";

const barred = PrefixSet.of(bogons([]));

describe("bogons", () => {
  test.each([
    "::",
    "::1",
    "::192.0.2.1",
    "::ffff:192.0.2.1",
    "64:ff9b:1::1",
    "100::1",
    "100:0:0:1::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:30::1",
    "2001:1ff:ffff::",
    "2001:db8::1",
    "2002:c000:201::1",
    "3ffe::1",
    "3fff:fff::1",
    "5f00::1",
    "5fff::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
  ])("bogons holds %s", (text) => {
    expect(barred.contains(address(text))).toBe(true);
  });

  test.each([
    "64:ff9b::192.0.2.33",
    "2001:1::1",
    "2001:1::2",
    "2001:1::3",
    "2001:3::1",
    "2001:4:112::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2620:4f:8000::1",
    "2606:4700::1111",
    "2a00::1",
    "100:0:0:2::1",
    "2003::1",
    "3fff:1000::1",
    "6000::1",
  ])("bogons leaves %s out", (text) => {
    expect(barred.contains(address(text))).toBe(false);
  });

  test("bogons is sorted, minimal, and without what is excepted", () => {
    expect(bogons([])).toEqual(bogons([]).toSorted(comparePrefixes));
    expect(PrefixSet.of(bogons([])).prefixes()).toEqual(bogons([]));
    const reachable = PrefixSet.of(bogons([prefix("2001:db8::/32")]));
    expect(reachable.overlaps(prefix("2001:db8::/32"))).toBe(false);
    expect(reachable.size()).toBe(barred.size() - (1n << 96n));
    expect(PrefixSet.of(bogons([prefix("2001:db8:1::/48")])).contains(address("2001:db8:2::1"))).toBe(true);
  });
});

test("specialPrefixes is sorted and names its RFCs", () => {
  expect(specialPrefixes.map((each) => each.prefix)).toEqual(
    specialPrefixes.map((each) => each.prefix).toSorted(comparePrefixes),
  );
  for (const each of specialPrefixes) {
    expect(each.rfc).toMatch(/^RFC \d{4}/);
    for (const part of each.except ?? []) expect(contains(each.prefix, part)).toBe(true);
  }
});

test.each([
  ["2001:db8:1::/48", "2001:db8::/32"],
  ["2001:db8::/32", "2001:db8::/32"],
  ["3fff:abc::/32", "3fff::/20"],
  ["2001:db8::/31", undefined],
  ["2a00:1::/48", undefined],
])("documentationPrefixOf(%s) is %s", (text, found) => {
  expect(documentationPrefixOf(prefix(text))).toBe(found);
});
