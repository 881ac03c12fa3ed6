import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Store, Write } from "../store/store.ts";

const prefix = "sighting/";
/** A container that is gone may be started again, and its lease is not to begin anew with it: so long it is remembered. */
const remembered = 30 * 86_400_000;
/** For one host; of more, those that went first are forgotten. */
const mostOfHost = 20_000;

type Sighting = { readonly first: Instant; readonly gone?: Instant };

/**
 * When containers were first seen: their leases count from there. Kept in the store for those that have a lease, so that
 * neither a restart of the controller nor one of the container makes a lease longer.
 */
export class Sightings {
  readonly #store: Store;
  readonly #kept = new Map<HostName, Map<string, Sighting>>();
  /** What the store does not know yet. */
  readonly #changed = new Map<string, Sighting | undefined>();

  constructor(store: Store) {
    this.#store = store;
  }

  async load(): Promise<void> {
    for (const { key, value } of await this.#store.list(prefix)) {
      const [host, id] = key.slice(prefix.length).split("/");
      if (host !== undefined && id !== undefined) this.#of(host as HostName).set(id, JSON.parse(value) as Sighting);
    }
  }

  first(host: HostName, id: string, now: Instant): Instant {
    return this.#kept.get(host)?.get(id)?.first ?? now;
  }

  /** This one has a lease. It is in the store after the next `save`. */
  keep(host: HostName, id: string, first: Instant): void {
    const there = this.#kept.get(host)?.get(id);
    if (there !== undefined && there.gone === undefined) return;
    this.#set(host, id, { first: there?.first ?? first });
  }

  gone(host: HostName, id: string, now: Instant): void {
    const there = this.#kept.get(host)?.get(id);
    if (there !== undefined && there.gone === undefined) this.#set(host, id, { ...there, gone: now });
  }

  /** Resolves when all that changed is on disk. What fails stays, for the next time. */
  async save(): Promise<void> {
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    try {
      await this.#store.commit(changed.map(toWrite));
    } catch (cause) {
      for (const [key, sighting] of changed) if (!this.#changed.has(key)) this.#changed.set(key, sighting);
      throw cause;
    }
  }

  /** The clock was set by so many milliseconds. */
  shift(by: number): void {
    for (const [host, all] of this.#kept)
      for (const [id, { first, gone }] of all)
        this.#set(host, id, {
          first: instant(first + by),
          ...(gone === undefined ? {} : { gone: instant(gone + by) }),
        });
  }

  /** Forgets containers that went long ago, and the first of those that are too many. */
  prune(now: Instant): void {
    for (const [host, all] of this.#kept) {
      const gone = [...all].flatMap(([id, { gone: at }]) => (at === undefined ? [] : [{ id, at }]));
      gone.sort((a, b) => a.at - b.at);
      const surplus = all.size - mostOfHost;
      for (const [n, { id, at }] of gone.entries()) {
        if (n >= surplus && at + remembered > now) break;
        all.delete(id);
        this.#changed.set(keyOf(host, id), undefined);
      }
    }
  }

  #set(host: HostName, id: string, sighting: Sighting): void {
    this.#of(host).set(id, sighting);
    this.#changed.set(keyOf(host, id), sighting);
  }

  #of(host: HostName): Map<string, Sighting> {
    const there = this.#kept.get(host) ?? new Map<string, Sighting>();
    this.#kept.set(host, there);
    return there;
  }
}

function keyOf(host: HostName, id: string): string {
  return `${prefix}${host}/${id}`;
}

function toWrite([key, sighting]: readonly [string, Sighting | undefined]): Write {
  return { key, value: sighting === undefined ? undefined : JSON.stringify(sighting), expected: "any" };
}
