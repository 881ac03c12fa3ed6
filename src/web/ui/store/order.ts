/** By what a list is ordered: a column, one way or the other. */
export type Order = { readonly by: string; readonly isDown: boolean };

type Key = string | number;

/**
 * Keeps very many entries in an order that somebody chose, while they change. What is still there stays where it is and
 * what is new comes to its end: a sort of that is one walk (ES2019's is stable, and engines' take runs as they are).
 */
export class Ordering<T extends object> {
  #order: Order | undefined;
  #sorted: readonly T[] = [];
  #keys = new WeakMap<T, Key>();

  /** `keyOf`: what the order's column sorts by. Without an order the entries stay as they are. */
  of(entries: readonly T[], order: Order | undefined, keyOf: ((entry: T) => Key) | undefined): readonly T[] {
    if (order === undefined || keyOf === undefined) {
      this.#sorted = [];
      this.#order = undefined;
      return entries;
    }
    if (this.#order?.by !== order.by) this.#keys = new WeakMap();
    if (this.#order?.by !== order.by || this.#order.isDown !== order.isDown) this.#sorted = [];
    this.#order = order;
    const left = new Set(entries);
    const kept = this.#sorted.filter((entry) => left.delete(entry));
    const sign = order.isDown ? -1 : 1;
    this.#sorted = [...kept, ...left].sort((a, b) => sign * compare(this.#key(a, keyOf), this.#key(b, keyOf)));
    return this.#sorted;
  }

  #key(entry: T, keyOf: (entry: T) => Key): Key {
    const known = this.#keys.get(entry);
    if (known !== undefined) return known;
    const key = keyOf(entry);
    this.#keys.set(entry, key);
    return key;
  }
}

function compare(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
