import { expect, test } from "vitest";
import type { NumbersView } from "../../../numbers/numbers-schema.ts";
import { moved, pageOfSlot, pathsOf, shadeOf, squaresOf, squareText } from "./squares.ts";

const view: NumbersView = {
  delegated: "2001:db8::/64",
  changes: false,
  lengths: { delegated: 64, host: 76, link: 80, network: 80 },
  slots: { all: 4096, used: 5 },
  infrastructure: "2001:db8::/76",
  uplink: { block: "2001:db8:0:0:10::/76", link: "2001:db8:0:0:10::/80", address: "2001:db8:0:0:10::1" },
  blocks: [
    { host: "vm1", slot: 2, block: "2001:db8:0:0:20::/76", pinned: true, networks: 3, used: 1 },
    { host: "vm2", slot: 5, block: "2001:db8:0:0:50::/76", pinned: false, networks: 1, used: 40 },
  ],
  kept: [{ host: "gone", slot: 3 }],
  next: { slot: 4, block: "2001:db8:0:0:40::/76" },
  conflicts: [],
  conflictCount: 0,
};

test("squaresOf knows each of the 4,096 blocks", () => {
  const squares = squaresOf(view);
  expect([0, 1, 2, 3, 4, 5, 6, 4095, 4096].map((slot) => squares.at(slot).kind)).toEqual([
    "infrastructure",
    "uplink",
    "host",
    "kept",
    "next",
    "host",
    "free",
    "free",
    "none",
  ]);
  expect([2, 5, 6].map((slot) => shadeOf(squares.at(slot)))).toEqual(["some", "many", "free"]);
  expect(squareText(2, squares.at(2))).toBe("Slot 2: vm1, pinned, 1 address in use");
});

test("pathsOf draws every square once, in a handful of paths", () => {
  const paths = pathsOf(squaresOf(view), 8);
  expect(paths.size).toBeLessThanOrEqual(7);
  expect([...paths.values()].join("").match(/M/g)).toHaveLength(4096);
  const small = pathsOf(squaresOf({ ...view, slots: { all: 16, used: 5 } }), 8);
  expect([...small.values()].join("").match(/M/g)).toHaveLength(16);
});

test("moved stays among the blocks, whatever key is pressed", () => {
  expect([moved(0, "ArrowLeft", 4096), moved(2, "ArrowDown", 4096), moved(4095, "PageDown", 4096)]).toEqual([
    0, 66, 4095,
  ]);
  expect([moved(9, "Home", 4096), moved(9, "End", 4096), moved(9, "x", 4096)]).toEqual([0, 4095, undefined]);
  expect([pageOfSlot(4095), pageOfSlot(4096)]).toEqual([0, 4096]);
});
