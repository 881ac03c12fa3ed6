import { compareKeys } from "../base/order.ts";
import { type Change, keyOf } from "./change-set.ts";
import { equalValues } from "./equal.ts";
import type { Item } from "./item.ts";

/**
 * What turns `observed` into `desired`, sorted by {@link compareKeys}. The lane is not compared. Neither list has to
 * be sorted, but sorted lists are merged without a look-up. Throws a RangeError where a list has a key twice.
 */
export function diff(observed: readonly Item[], desired: readonly Item[]): readonly Change[] {
  return isSorted(observed) && isSorted(desired) ? merge(observed, desired) : match(observed, desired);
}

/** Strictly ascending, so that no key is there twice either. */
function isSorted(items: readonly Item[]): boolean {
  let last: string | undefined;
  for (const { key } of items) {
    if (last !== undefined && last >= key) return false;
    last = key;
  }
  return true;
}

function merge(observed: readonly Item[], desired: readonly Item[]): readonly Change[] {
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const before = observed[i];
    const after = desired[j];
    if (before === undefined && after === undefined) return changes;
    if (before !== undefined && (after === undefined || before.key < after.key)) {
      changes.push({ kind: "delete", before });
      i++;
    } else if (after !== undefined && (before === undefined || after.key < before.key)) {
      changes.push({ kind: "create", after });
      j++;
    } else if (before !== undefined && after !== undefined) {
      if (!equalValues(before.value, after.value)) changes.push({ kind: "update", before, after });
      i++;
      j++;
    }
  }
}

/** One map, of the observed; `taken` says which of them were met again. */
function match(observed: readonly Item[], desired: readonly Item[]): readonly Change[] {
  const places = new Map<string, number>();
  for (const [place, item] of observed.entries()) {
    places.set(item.key, place);
    if (places.size !== place + 1) throw twice(item);
  }
  const taken = new Uint8Array(observed.length);
  const changes: Change[] = [];
  for (const after of desired) {
    const place = places.get(after.key);
    const before = place === undefined ? undefined : observed[place];
    if (place === undefined || before === undefined) {
      changes.push({ kind: "create", after });
      continue;
    }
    if (taken[place] === 1) throw twice(after);
    taken[place] = 1;
    if (!equalValues(before.value, after.value)) changes.push({ kind: "update", before, after });
  }
  for (const [place, before] of observed.entries()) if (taken[place] === 0) changes.push({ kind: "delete", before });
  return inOrder(changes);
}

/** Sorts in place; a key that `desired` has twice and `observed` not at all shows here, as neighbours. */
function inOrder(changes: Change[]): readonly Change[] {
  changes.sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
  let last: string | undefined;
  for (const change of changes) {
    const key = keyOf(change);
    if (key === last && change.kind === "create") throw twice(change.after);
    last = key;
  }
  return changes;
}

function twice(item: Item): RangeError {
  return new RangeError(`Key is there twice: ${JSON.stringify(item.key)}`);
}

export { compareKeys };
