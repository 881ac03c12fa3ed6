import fc from "fast-check";
import { expect, test } from "vitest";
import { type Change, keyOf } from "./change-set.ts";
import { diff } from "./diff.ts";
import type { Item, Value } from "./item.ts";

function item(key: string, value: Value = true): Item {
  return { key, value, lane: "structure" };
}

/** What a device holds after the changes; undefined where one of them does not fit. */
function apply(items: readonly Item[], changes: readonly Change[]): readonly Item[] | undefined {
  const map = new Map(items.map((each) => [each.key, each]));
  for (const change of changes) {
    const there = map.get(keyOf(change));
    if ((change.kind === "create") !== (there === undefined)) return undefined;
    if (change.kind === "delete") map.delete(keyOf(change));
    else map.set(keyOf(change), change.after);
  }
  return [...map.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

test("diff tells creates, updates and deletes, sorted by key", () => {
  const before = [item("b", 1), item("d"), item("a")];
  const after = [item("c"), item("b", 2), item("a")];
  expect(diff(before, after)).toEqual([
    { kind: "update", before: item("b", 1), after: item("b", 2) },
    { kind: "create", after: item("c") },
    { kind: "delete", before: item("d") },
  ]);
});

test("diff compares values deep and without the order of keys", () => {
  expect(diff([item("a", { x: 1, y: [1, { z: null }] })], [item("a", { y: [1, { z: null }], x: 1 })])).toEqual([]);
});

test.each<[Value, Value]>([
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, null]],
  [{ a: 1 }, { a: 1, b: null }],
  [{ a: null }, { b: null }],
  [[], {}],
  [null, false],
  ["1", 1],
  [{ 0: "a" }, ["a"]],
])("diff sees %j and %j as different, both ways", (a, b) => {
  expect(diff([item("k", a)], [item("k", b)])).toHaveLength(1);
  expect(diff([item("k", b)], [item("k", a)])).toHaveLength(1);
});

test("diff does not take an inherited name for a key of the value", () => {
  expect(diff([item("k", { toString: "x" })], [item("k", { valueOf: "x" })])).toHaveLength(1);
});

test.each([
  [["a", "a"], []],
  [[], ["a", "a"]],
  [["a"], ["a", "a"]],
  [["b", "a", "b"], ["a"]],
  [["a"], ["b", "c", "b"]],
])("diff throws where a key is there twice: %j and %j", (before, after) => {
  expect(() =>
    diff(
      before.map((key) => item(key)),
      after.map((key) => item(key)),
    ),
  ).toThrow("there twice");
});

const keys = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,2}$/), { maxLength: 20 });
const state = keys.chain((all) =>
  fc.tuple(...all.map((key) => fc.integer({ min: 0, max: 2 }).map((n) => item(key, n)))),
);

test("diff gives changes that lead from one state to the other, sorted or not", () => {
  fc.assert(
    fc.property(state, state, (before, after) => {
      const changes = diff(before, after);
      expect(apply(before, changes)).toEqual(after.toSorted((a, b) => (a.key < b.key ? -1 : 1)));
      expect(changes.map(keyOf)).toEqual(changes.map(keyOf).toSorted());
      const sorted = (items: readonly Item[]): readonly Item[] => items.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      expect(diff(sorted(before), sorted(after))).toEqual(changes);
      expect(diff(after, after.toReversed())).toEqual([]);
    }),
  );
});

test("diff carries a million items", () => {
  const many = Array.from({ length: 1_000_000 }, (_, i) => item(`opening ${i.toString().padStart(7, "0")}`));
  const changes = diff(many, many.toSpliced(500_000, 1));
  expect(changes).toEqual([{ kind: "delete", before: many[500_000] }]);
});
