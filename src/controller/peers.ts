import type { HostName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import { mostSources } from "../openings/resolve-sources.ts";

/** A container of the fleet. */
export type Where = { readonly host: HostName; readonly id: string };

/** What a container adds to the names that `%name` may stand for. */
export type Named = Where & { readonly names: readonly string[]; readonly addresses: readonly Address[] };

/** Who has which name, and whose openings depend on it. */
export class Peers {
  readonly #byName = new Map<string, Map<string, Named>>();
  readonly #dependents = new Map<string, Map<string, Where>>();

  /** The addresses that a name stands for, one more than may be named at most. */
  addressesOf(name: string, host: HostName | undefined): readonly Address[] {
    const found: Address[] = [];
    for (const each of this.#byName.get(name)?.values() ?? []) {
      if (host !== undefined && each.host !== host) continue;
      found.push(...each.addresses);
      if (found.length > mostSources) break;
    }
    return found;
  }

  /** Gives the names that stand for something else now. */
  rename(before: Named | undefined, after: Named | undefined): readonly string[] {
    if (before !== undefined && after !== undefined && isSameNamed(before, after)) return [];
    for (const name of before?.names ?? []) drop(this.#byName, name, keyOf(before));
    for (const name of after?.names ?? []) if (after !== undefined) add(this.#byName, name, keyOf(after), after);
    return [...new Set([...(before?.names ?? []), ...(after?.names ?? [])])];
  }

  /** From now on that container's openings depend on these names instead of those. */
  depend(where: Where, before: readonly string[], after: readonly string[]): void {
    for (const name of before) drop(this.#dependents, name, keyOf(where));
    for (const name of after) add(this.#dependents, name, keyOf(where), where);
  }

  dependentsOf(name: string): readonly Where[] {
    return [...(this.#dependents.get(name)?.values() ?? [])];
  }
}

function keyOf(where: Where | undefined): string {
  return where === undefined ? "" : `${where.host} ${where.id}`;
}

function isSameNamed(a: Named, b: Named): boolean {
  return (
    a.names.length === b.names.length &&
    a.addresses.length === b.addresses.length &&
    a.names.every((each, n) => each === b.names[n]) &&
    a.addresses.every((each, n) => each === b.addresses[n])
  );
}

function add<T>(index: Map<string, Map<string, T>>, name: string, key: string, value: T): void {
  const there = index.get(name);
  if (there === undefined) index.set(name, new Map([[key, value]]));
  else there.set(key, value);
}

function drop<T>(index: Map<string, Map<string, T>>, name: string, key: string): void {
  const there = index.get(name);
  there?.delete(key);
  if (there?.size === 0) index.delete(name);
}
