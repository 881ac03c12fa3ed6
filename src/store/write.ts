import { Failure } from "../base/failure.ts";
import type { Entry, Write } from "./store.ts";

/** What a key may be: so that every store has the same order, and a key is fit to be shown. */
const keyPattern = /^[\x21-\x7e]{1,512}$/;

/**
 * Throws E940 unless every entry is as its write expects. A RangeError where a key is written twice or is no printable
 * ASCII, or a value is no Unicode text (a lone surrogate can't be kept).
 */
export function requireExpected(
  writes: readonly Write[],
  find: (key: string) => Pick<Entry, "revision"> | undefined,
): void {
  const keys = new Set(writes.map(({ key }) => key));
  if (keys.size !== writes.length) throw new RangeError("A key is written twice in one commit");
  for (const { key, value, expected } of writes) {
    if (!keyPattern.test(key)) throw new RangeError(`Not a key: ${JSON.stringify(key)}`);
    if (value?.isWellFormed() === false) throw new RangeError(`Not a text under ${key}`);
    if (expected === "any") continue;
    const there = find(key)?.revision ?? 0;
    if (there === expected) continue;
    const text = `"${key}" is ${there === 0 ? "not there" : `at revision ${there}`}, expected ${expected === 0 ? "nothing" : `revision ${expected}`}`;
    throw new Failure("E940", "store", text, "read it again: somebody else was first");
  }
}
