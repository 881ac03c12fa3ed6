import fc from "fast-check";
import { expect, test } from "vitest";
import type { GatewayDesired } from "../../desired/desired.ts";
import { address, fromBits } from "../../net/address.ts";
import { parseWords } from "../../net/packed.ts";
import { blockNumber, hostFinder, shardOf, shardsOf } from "./shards.ts";

function wordsOf(text: string): Uint32Array {
  const words = new Uint32Array(4);
  if (!parseWords(text, words, 0)) throw new Error(text);
  return words;
}

test.each([
  ["2001:db8:1:2:20::2", 76, "02"],
  ["2001:db8:1:2:3e80::2", 76, "e8"],
  ["2001:db8:1:2:1020:0:0:1", 76, "02"],
  ["3fff:0:1:a7::1", 64, "a7"],
  ["3fff:0:1::1", 48, "01"],
] as const)("shardOf %s in blocks of /%i is %s", (to, length, expected) => {
  expect(shardOf(address(to), length)).toBe(expected);
});

test("blockNumber is the low 32 bits of the block's number", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.integer({ min: 0, max: 128 }), (bits, length) => {
      const expected = Number((bits >> BigInt(128 - length)) & 0xffff_ffffn);
      expect(blockNumber(wordsOf(fromBits(bits)), 0, length)).toBe(expected);
    }),
  );
});

const desired = {
  delegated: "2001:db8:1:2::/64",
  hostLength: 76,
  hosts: [
    { host: "vm1", block: "2001:db8:1:2:20::/76" },
    { host: "vm257", block: "2001:db8:1:2:1020::/76" },
  ],
} as unknown as GatewayDesired;

test("hostFinder finds the host of an address, and none for an address of nobody", () => {
  const find = hostFinder(desired);
  const asked = [
    "2001:db8:1:2:20::2",
    "2001:db8:1:2:2f:ffff:ffff:ffff",
    "2001:db8:1:2:1021::",
    "2001:db8:1:2:30::",
    "2001:db8:1:3:20::2",
  ];
  expect(asked.map((each) => find(wordsOf(each), 0))).toEqual(["vm1", "vm1", "vm257", undefined, undefined]);
});

test("shardsOf names each shard once", () => {
  expect(shardsOf(desired)).toEqual(["02"]);
});
