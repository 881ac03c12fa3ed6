import { expect, test } from "vitest";
import { address } from "./address.ts";
import { addressOf, interfaceAddress, linkOf, parseInterfaceAddress } from "./interface-address.ts";

test("parseInterfaceAddress keeps the host bits; addressOf and linkOf take it apart", () => {
  const i = interfaceAddress(address("2001:db8::1"), 80);
  expect(i).toBe("2001:db8::1/80");
  expect(parseInterfaceAddress("2001:DB8::0:1/80")).toBe(i);
  expect([addressOf(i), linkOf(i)]).toEqual(["2001:db8::1", "2001:db8::/80"]);
  expect(parseInterfaceAddress("2001:db8::/64")).toBe("2001:db8::/64");
});

test.each(["2001:db8::1", "2001:db8::1/129", "2001:db8::1/", "2001:db8::1/064", "/64", "10.0.0.1/8", "fe80::1%a/64"])(
  "parseInterfaceAddress refuses %j",
  (text) => {
    expect(parseInterfaceAddress(text)).toBeUndefined();
  },
);

test("interfaceAddress throws where the length is none", () => {
  expect(() => interfaceAddress(address("::1"), 129)).toThrow(RangeError);
  expect(() => interfaceAddress(address("::1"), -1)).toThrow(RangeError);
});
