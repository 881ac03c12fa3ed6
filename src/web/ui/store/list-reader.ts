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
export class ListReader<T extends { readonly host: string }> {
  readonly list: SortedList<T>;
  readonly reading: Signal<Reading> = signal<Reading>({ state: "reading" });
  readonly #path: string;
  readonly #rowOf: (entry: T) => Row<T>;
  #stop: AbortController | undefined;
  /** Changed by events while pages come in: a page may have been made before them. */
  readonly #touched = new Set<string>();
  constructor(path: string, rowOf: (entry: T) => Row<T>) {
    this.#path = path;
    this.#rowOf = rowOf;
    this.list = new SortedList((work) => requestAnimationFrame(work));
  }

  async read(): Promise<void> {
    this.reading.value = { state: "reading" };
    const whole = await this.#readAs({}, (row) => row.id);
    if (whole) this.reading.value = { state: "whole" };
  }

  /** All of it anew in a list that is whole, while it goes on being shown as such. */
  async again(): Promise<void> {
    if (this.reading.peek().state === "whole") await this.#readAs({}, (row) => row.id);
  }

  /** The entries of one host anew, in a list that is whole. */
  async readHost(host: string): Promise<void> {
    await this.#readAs({ host }, (row) => (row.entry.host === host ? row.id : undefined));
  }

  put(entry: T): void {
    const row = this.#rowOf(entry);
    this.#touched.add(row.id);
    this.list.put(row);
  }

  remove(id: string): void {
    this.#touched.add(id);
    this.list.remove(id);
  }

  /** True when all of it was read and nothing else was begun meanwhile. `concerns`: the ids that are gone if not read. */
  async #readAs(
    query: Readonly<Record<string, string>>,
    concerns: (row: Row<T>) => string | undefined,
  ): Promise<boolean> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.#touched.clear();
    const seen = new Set<string>();
    try {
      await readPages<T>(this.#path, query, (entries) => this.#take(entries, seen), stop.signal);
      if (stop.signal.aborted) return false;
      this.list.drop((row) => {
        const id = concerns(row);
        return id !== undefined && !seen.has(id) && !this.#touched.has(id);
      });
      return true;
    } catch (thrown) {
      if (!stop.signal.aborted) this.reading.value = { state: "failed", troubles: troublesOf(thrown) };
      return false;
    }
  }

  #take(entries: readonly T[], seen: Set<string>): void {
    for (const entry of entries) {
      const row = this.#rowOf(entry);
      seen.add(row.id);
      if (!this.#touched.has(row.id)) this.list.put(row);
    }
  }
}
