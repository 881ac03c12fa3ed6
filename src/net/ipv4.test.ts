import { expect, test } from "vitest";
import {
  address4,
  address4Of,
  contains4,
  interfaceAddress4,
  length4Of,
  parseAddress4,
  parseInterfaceAddress4,
  parsePrefix4,
  prefix4,
  prefix4Of,
  toBits4,
} from "./ipv4.ts";

test.each(["0.0.0.0", "10.10.10.2", "192.0.2.255", "255.255.255.255"])("parseAddress4 reads %s", (text) => {
  expect(parseAddress4(text)).toBe(text);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.4.",
  ".1.2.3.4",
  "1..2.3",
  "01.2.3.4",
  "1.2.3.00",
  "256.1.1.1",
  "1.2.3.1000",
  "0x1.2.3.4",
  "127.1",
  "1.2.3.4 ",
  " 1.2.3.4",
  "1.2.3.-4",
  "1.2.3.4/32",
  "::1",
])("parseAddress4 refuses %j", (text) => {
  expect(parseAddress4(text)).toBeUndefined();
  expect(() => address4(text)).toThrow(RangeError);
});

test("parsePrefix4 refuses host bits, missing and wrong lengths", () => {
  for (const text of ["0.0.0.0/0", "10.0.0.0/8", "10.10.10.2/32", "128.0.0.0/1"]) expect(parsePrefix4(text)).toBe(text);
  for (const text of ["10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "0.0.0.1/0", "::/0"]) {
    expect(parsePrefix4(text)).toBeUndefined();
  }
});

test("parseInterfaceAddress4 keeps the host bits; address4Of, length4Of and prefix4Of take it apart", () => {
  const i = interfaceAddress4("10.10.10.2/24");
  expect([address4Of(i), length4Of(i), prefix4Of(i)]).toEqual(["10.10.10.2", 24, "10.10.10.0/24"]);
  expect(prefix4Of(interfaceAddress4("203.0.113.9/0"))).toBe("0.0.0.0/0");
  expect(prefix4Of(interfaceAddress4("203.0.113.9/32"))).toBe("203.0.113.9/32");
  expect(parseInterfaceAddress4("10.10.10.2")).toBeUndefined();
  expect(parseInterfaceAddress4("10.10.10/24")).toBeUndefined();
});

test.each([
  ["10.10.10.0/24", "10.10.10.255", true],
  ["10.10.10.0/24", "10.10.11.0", false],
  ["0.0.0.0/0", "255.255.255.255", true],
  ["192.0.2.1/32", "192.0.2.1", true],
  ["192.0.2.1/32", "192.0.2.2", false],
])("contains4: %s and %s: %s", (outer, inner, answer) => {
  expect(contains4(prefix4(outer), address4(inner))).toBe(answer);
});

test("contains4 takes prefixes; toBits4 is unsigned", () => {
  expect(contains4(prefix4("10.0.0.0/8"), prefix4("10.1.0.0/16"))).toBe(true);
  expect(contains4(prefix4("10.1.0.0/16"), prefix4("10.0.0.0/8"))).toBe(false);
  expect(toBits4(address4("255.255.255.255"))).toBe(2 ** 32 - 1);
});
