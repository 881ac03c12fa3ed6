import { expect, test } from "vitest";
import { IdleTables } from "./idle.ts";

const none: ReadonlySet<string> = new Set();

function set(...names: readonly string[]): ReadonlySet<string> {
  return new Set(names);
}

test("toTakeAway gives what was idle long enough, and more, longest idle first, where room is short", () => {
  const idle = new IdleTables();
  idle.see(set("a", "b", "used"), set("used"), 10);
  idle.see(set("a", "b", "c", "used"), set("used"), 20);
  expect(idle.toTakeAway({ before: 9, atLeast: 0, needed: none })).toEqual([]);
  expect(idle.toTakeAway({ before: 10, atLeast: 0, needed: none })).toEqual(["a", "b"]);
  expect(idle.toTakeAway({ before: 9, atLeast: 3, needed: none })).toEqual(["a", "b", "c"]);
  expect(idle.toTakeAway({ before: 9, atLeast: 9, needed: set("a") })).toEqual(["b", "c"]);
});

test("a table that was used meanwhile, or has no rules any more, begins to be idle anew", () => {
  const idle = new IdleTables();
  idle.see(set("a", "b", "c"), none, 10);
  idle.see(set("a", "b"), set("a"), 20);
  idle.use(["b"]);
  idle.see(set("a", "b", "c"), none, 30);
  expect(idle.toTakeAway({ before: 29, atLeast: 0, needed: none })).toEqual([]);
  expect(idle.toTakeAway({ before: 30, atLeast: 0, needed: none })).toEqual(["a", "b", "c"]);
});
