import { type Clock, systemClock } from "../runtime/clock.ts";
import { Bell, type Change, follow } from "./change-log.ts";
import { type Lease, LeaseWatch, leased } from "./lease.ts";
import type { Entry, Store } from "./store.ts";
import { requireExpected } from "./write.ts";

/** What several memory stores share, as several controllers share a file: what is left when one of them ends. */
export type MemoryShelf = {
  readonly entries: Map<string, Entry>;
  readonly changes: Change[];
  readonly leases: Map<string, Lease>;
  readonly bell: Bell;
  revision: number;
};

export function memoryShelf(): MemoryShelf {
  return { entries: new Map(), changes: [], leases: new Map(), bell: new Bell(), revision: 0 };
}

/** The reference, for tests: forgets nothing of its past, and all of it with the process. */
export function memoryStore(shelf: MemoryShelf = memoryShelf(), clock: Pick<Clock, "steady"> = systemClock): Store {
  const watch = new LeaseWatch(() => clock.steady());
  const { entries, changes, leases, bell } = shelf;
  return {
    get: async (key) => entries.get(key),
    list: async (prefix) =>
      [...entries.values()].filter(({ key }) => key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1)),
    async commit(writes) {
      requireExpected(writes, (key) => entries.get(key));
      if (writes.length === 0) return shelf.revision;
      const revision = ++shelf.revision;
      for (const { key, value } of writes) {
        if (value === undefined && !entries.delete(key)) continue;
        if (value !== undefined) entries.set(key, { key, value, revision });
        changes.push({ key, value, revision });
      }
      bell.ring();
      return revision;
    },
    watch: (after, signal) =>
      follow(
        {
          after: (revision) => changes.filter((change) => change.revision > revision),
          oldest: () => 0,
          more: (until) => bell.wait(until),
        },
        after,
        signal,
      ),
    async lease(name, holder, forSeconds) {
      const before = leases.get(name);
      const lease = leased(before, holder, forSeconds * 1000, watch.unchanged(name, before));
      if (lease !== undefined) leases.set(name, lease);
      return lease?.epoch;
    },
    end: async () => bell.ring(),
  };
}
