import { Failure } from "../src/base/failure.ts";
import type { Entry, Store, Write } from "../src/store/store.ts";

/** A store in memory, for tests of what uses one: get, list and compare-and-set as the contract has them. */
export function memoryStore(): Store {
  const entries = new Map<string, Entry>();
  let revision = 0;

  function check({ key, expected }: Write): void {
    if (expected === "any" || (entries.get(key)?.revision ?? 0) === expected) return;
    throw new Failure("E940" as never, key, "Not as expected", "read it again");
  }
  return {
    get: (key) => Promise.resolve(entries.get(key)),
    list: (prefix) =>
      Promise.resolve(
        [...entries.values()].filter((entry) => entry.key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),
      ),
    async commit(writes) {
      for (const write of writes) check(write);
      revision++;
      for (const { key, value } of writes) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, { key, value, revision });
      }
      return Promise.resolve(revision);
    },
    async *watch() {
      // Nobody here watches.
    },
    lease: () => Promise.resolve(1),
    end: () => Promise.resolve(),
  };
}
