import fc from "fast-check";
import { expect, test } from "vitest";
import { together } from "./denied.ts";
import { deniedPacket } from "./wire-denied.ts";

const addresses = "20010db8007700000000000000000001" + "20010db8000100020021000000000002";

/** `next` is the first Next Header; the rest of the packet follows in hex. */
function packet(next: number, rest: string): Buffer {
  return Buffer.from(`60000000${"0000"}${next.toString(16).padStart(2, "0")}40${addresses}${rest}`, "hex");
}

const ends = { from: "2001:db8:77::1", to: "2001:db8:1:2:21::2", count: 1 };

test.each([
  ["TCP", packet(6, "9c4001bb00000000"), { transport: "tcp", port: 443 }],
  ["UDP", packet(17, "9c400035"), { transport: "udp", port: 53 }],
  ["ICMPv6", packet(58, "8000"), { transport: "icmpv6" }],
  ["another protocol", packet(47, "0000"), { transport: "47" }],
  ["UDP behind destination options", packet(60, "1100000000000000" + "9c400035"), { transport: "udp", port: 53 }],
  [
    "UDP behind two headers, one longer",
    packet(43, `3c01${"00".repeat(14)}1100000000000000` + "00010002"),
    { transport: "udp", port: 2 },
  ],
  ["UDP in a first fragment", packet(44, "1100000100000000" + "00010002"), { transport: "udp", port: 2 }],
  ["TCP without its ports", packet(6, "9c40"), { transport: "tcp" }],
] as const)("deniedPacket reads %s", (_, bytes, expected) => {
  expect(deniedPacket(bytes)).toEqual({ ...ends, ...expected });
});

test("deniedPacket finds nothing in what is no IPv6 packet", () => {
  expect(deniedPacket(Buffer.from("45000000", "hex"))).toBeUndefined();
  expect(deniedPacket(packet(6, "").subarray(0, 39))).toBeUndefined();
});

test("deniedPacket reads whatever bytes there are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => void deniedPacket(Buffer.from(bytes))));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 88 }), (rest) => {
      deniedPacket(Buffer.concat([packet(0, ""), rest]));
    }),
  );
});

test("together counts packets that are alike", () => {
  const [tcp, udp] = [deniedPacket(packet(6, "000101bb")), deniedPacket(packet(17, "00010035"))];
  if (tcp === undefined || udp === undefined) throw new Error("No packet");
  expect(together([tcp, udp, tcp, tcp])).toEqual([
    { ...tcp, count: 3 },
    { ...udp, count: 1 },
  ]);
});
