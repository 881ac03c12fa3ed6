import { type Signal, signal } from "@preact/signals";

/** An entry with what it is found by: `key` orders, `id` names, `text` is what a search looks through. */
export type Row<T> = { readonly id: string; readonly key: string; readonly text: string; readonly entry: T };

/**
 * Very many entries in order, that change while they are looked at. What changes is gathered until the next frame and
 * then merged in one walk: 100,000 rows are never sorted again because of one.
 */
export class SortedList<T> {
  /** A new array whenever something changed. */
  readonly rows: Signal<readonly Row<T>[]> = signal<readonly Row<T>[]>([]);
  readonly #later: (work: () => void) => void;
  #put = new Map<string, Row<T>>();
  #gone = new Set<string>();
  #isDue = false;
  constructor(later: (work: () => void) => void) {
    this.#later = later;
  }

  put(row: Row<T>): void {
    this.#put.set(row.id, row);
    this.#soon();
  }

  remove(id: string): void {
    this.#put.delete(id);
    this.#gone.add(id);
    this.#soon();
  }

  /** Takes away all that `goes` says yes to. */
  drop(goes: (row: Row<T>) => boolean): void {
    const waiting = [...this.#put.values()];
    for (const row of [...this.rows.peek(), ...waiting]) if (goes(row)) this.remove(row.id);
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#later(() => this.#merge());
  }

  #merge(): void {
    this.#isDue = false;
    const [put, gone] = [this.#put, this.#gone];
    this.#put = new Map();
    this.#gone = new Set();
    const kept = this.rows.peek();
    const isSame = gone.size === 0 && !kept.some(({ id }) => put.has(id));
    const old = isSame ? kept : kept.filter(({ id }) => !gone.has(id) && !put.has(id));
    const fresh = [...put.values()].sort(byKey);
    this.rows.value = merged(old, fresh);
  }
}

function byKey(a: Row<unknown>, b: Row<unknown>): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function merged<T>(a: readonly Row<T>[], b: readonly Row<T>[]): readonly Row<T>[] {
  const all: Row<T>[] = [];
  let [i, j] = [0, 0];
  for (;;) {
    const [left, right] = [a[i], b[j]];
    if (left === undefined && right === undefined) return all;
    if (right === undefined || (left !== undefined && byKey(left, right) <= 0)) {
      if (left !== undefined) all.push(left);
      i += 1;
    } else {
      all.push(right);
      j += 1;
    }
  }
}
