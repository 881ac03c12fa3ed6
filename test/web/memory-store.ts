import { Failure } from "../../src/base/failure.ts";
import type { Entry, Store, Write } from "../../src/store/store.ts";

/** The contract of Store in memory, less `watch`, which the API does not use: asking for it fails. */
export function memoryStore(): Store {
  const entries = new Map<string, Entry>();
  let revision = 0;
  const check = (write: Write): void => {
    const there = entries.get(write.key)?.revision ?? 0;
    if (write.expected !== "any" && write.expected !== there)
      throw new Failure("E803", `store ${write.key}`, `Revision is ${there}`, "read it again");
  };
  return {
    get: (key) => Promise.resolve(entries.get(key)),
    list: (prefix) =>
      Promise.resolve(
        [...entries.values()].filter((each) => each.key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),
      ),
    commit: async (writes) => {
      for (const write of writes) check(write);
      revision += 1;
      for (const { key, value } of writes) {
        if (value === undefined) entries.delete(key);
        else entries.set(key, { key, value, revision });
      }
      return revision;
    },
    watch: () => {
      throw new Error("Not in this store");
    },
    lease: () => Promise.reject(new Error("Not in this store")),
    end: () => Promise.resolve(),
  };
}
