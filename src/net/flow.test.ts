import { expect, test } from "vitest";
import { address } from "./address.ts";
import { formatEndpoint, formatFlow } from "./flow.ts";
import { isTransport, protocolNumber, transports } from "./transport.ts";

const from = address("2001:db8::1");
const to = address("2001:db8::2");

test("formatFlow has brackets where there is a port (RFC 5952 §6)", () => {
  expect(formatFlow({ from, to, transport: "tcp", port: 443 })).toBe("tcp 2001:db8::1 to [2001:db8::2]:443");
  expect(formatFlow({ from, to, transport: "udp", fromPort: 5353, port: 53 })).toBe(
    "udp [2001:db8::1]:5353 to [2001:db8::2]:53",
  );
  expect(formatFlow({ from, to, transport: "icmpv6", type: 128 })).toBe("icmpv6 type 128 2001:db8::1 to 2001:db8::2");
  expect(formatEndpoint(to)).toBe("2001:db8::2");
});

test("protocolNumber is that of the Next Header field", () => {
  expect(transports.map(protocolNumber)).toEqual([6, 17, 132]);
  expect(protocolNumber("icmpv6")).toBe(58);
  expect(["tcp", "icmpv6", "TCP", ""].map(isTransport)).toEqual([true, false, false, false]);
});
