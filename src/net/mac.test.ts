import { describe, expect, test } from "vitest";
import { isLocallyAdministered, isUnicastMac, linkLocalOf, mac, macFor, parseMac } from "./mac.ts";

describe("parseMac", () => {
  test.each([
    ["02:42:ac:11:00:02", "02:42:ac:11:00:02"],
    ["02:42:AC:11:00:02", "02:42:ac:11:00:02"],
    ["02-42-AC-11-00-02", "02:42:ac:11:00:02"],
  ])("parseMac reads %s as %s", (text, canonical) => {
    expect(parseMac(text)).toBe(canonical);
  });

  test.each([
    "",
    "02:42:ac:11:00",
    "02:42:ac:11:00:02:03",
    "02:42:ac-11:00:02",
    "0242.ac11.0002",
    "0242ac110002",
    "2:42:ac:11:0:2",
    "02:42:ac:11:00:0g",
    "02:42:ac:11:00:02\n",
    " 02:42:ac:11:00:02",
  ])("parseMac refuses %j", (text) => {
    expect(parseMac(text)).toBeUndefined();
    expect(() => mac(text)).toThrow(RangeError);
  });
});

test.each([
  // RFC 2464 §4: 34-56-78-9A-BC-DE becomes 36-56-78-FF-FE-9A-BC-DE.
  ["34:56:78:9a:bc:de", "fe80::3656:78ff:fe9a:bcde"],
  ["02:42:ac:11:00:02", "fe80::42:acff:fe11:2"],
  ["52:54:00:12:34:56", "fe80::5054:ff:fe12:3456"],
])("linkLocalOf(%s) is %s", (text, linkLocal) => {
  expect(linkLocalOf(mac(text))).toBe(linkLocal);
});

test.each([
  ["02:00:00:00:00:01", true, true],
  ["00:16:3e:00:00:01", true, false],
  ["33:33:00:00:00:01", false, true],
  ["01:00:5e:00:00:01", false, false],
  ["ff:ff:ff:ff:ff:ff", false, true],
  ["00:00:00:00:00:00", false, false],
])("isUnicastMac and isLocallyAdministered of %s", (text, unicast, local) => {
  expect(isUnicastMac(mac(text))).toBe(unicast);
  expect(isLocallyAdministered(mac(text))).toBe(local);
});

test("macFor gives a canonical, unicast, locally administered address, and 20,000 seeds 20,000 of them", () => {
  const found = new Set<string>();
  for (let host = 0; host < 200; host++) {
    for (let n = 0; n < 100; n++) found.add(macFor(`vm${host}/c${n}`));
  }
  expect(found.size).toBe(20_000);
  for (const each of found) {
    if (parseMac(each) !== each || !isUnicastMac(mac(each)) || !isLocallyAdministered(mac(each))) expect.fail(each);
  }
});

test("macFor never changes: an address that is given stays given", () => {
  expect([macFor(""), macFor("vm1"), macFor("vm2"), macFor("männlich")]).toMatchInlineSnapshot(`
    [
      "ee:f4:07:d8:2e:a6",
      "d6:c4:0a:c0:61:3f",
      "56:fb:40:37:de:f0",
      "f6:63:03:a5:ef:89",
    ]
  `);
});
