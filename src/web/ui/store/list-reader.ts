import { type Signal, signal } from "@preact/signals";
import { troublesOf } from "./ask.ts";
import { readPages } from "./pages.ts";
import { type Row, SortedList } from "./sorted-list.ts";
import type { Trouble } from "./views.ts";

/** `reading`: not all of it is here yet. A list that could not be read is never an empty one: `troubles` says why. */
export type Reading =
  | { readonly state: "reading" }
  | { readonly state: "whole" }
  | { readonly state: "failed"; readonly troubles: readonly Trouble[] };

/** A long list of the API, read page by page and kept as events tell. */
export class ListReader<T> {
  readonly list: SortedList<T>;
  readonly reading: Signal<Reading> = signal<Reading>({ state: "reading" });
  readonly #path: string;
  readonly #idOf: (entry: T) => string;
  #stop: AbortController | undefined;
  /** Changed by events while pages come in: a page may have been made before them. */
  readonly #touched = new Set<string>();
  constructor(path: string, rowOf: (entry: T) => Row<T>) {
    this.#path = path;
    this.#idOf = (entry) => rowOf(entry).id;
    this.list = new SortedList(rowOf, (work) => requestAnimationFrame(work));
  }

  async read(): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#touched.clear();
    this.reading.value = { state: "reading" };
    const seen = new Set<string>();
    try {
      await readPages<T>(this.#path, (entries) => this.#take(entries, seen), stop.signal);
      if (stop.signal.aborted) return;
      this.list.retain((id) => seen.has(id) || this.#touched.has(id));
      this.reading.value = { state: "whole" };
    } catch (thrown) {
      if (!stop.signal.aborted) this.reading.value = { state: "failed", troubles: troublesOf(thrown) };
    }
  }

  put(entry: T): void {
    this.#touched.add(this.#idOf(entry));
    this.list.put(entry);
  }

  remove(id: string): void {
    this.#touched.add(id);
    this.list.remove(id);
  }

  #take(entries: readonly T[], seen: Set<string>): void {
    for (const entry of entries) {
      const id = this.#idOf(entry);
      seen.add(id);
      if (!this.#touched.has(id)) this.list.put(entry);
    }
  }
}
