import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";

/** Something of a host is over at that moment. */
export type Due = { readonly at: Instant; readonly host: HostName; readonly id: string };

/** What is over when, the next first (a binary heap). The same may be there more than once. */
export class Agenda {
  readonly #heap: Due[] = [];

  get next(): Instant | undefined {
    return this.#heap[0]?.at;
  }

  add(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#at(above) <= due.at) break;
      this.#swap(at, above);
      at = above;
    }
  }

  /** Takes out all that is over by then. */
  take(now: Instant): readonly Due[] {
    const found: Due[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      found.push(first);
      this.#removeFirst();
    }
    return found;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(least) >= this.#at(at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #at(place: number): number {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
