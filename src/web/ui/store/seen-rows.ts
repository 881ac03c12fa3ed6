import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "./ask.ts";

/** Ids that one request asks for: what the API takes. */
const most = 100;
/** Milliseconds: rows that come into sight together are asked for together, and all of them again and again. */
const [together, again] = [250, 10_000];

/**
 * What the API says of rows by their ids, asked for only while they are seen: nobody counts a million openings because
 * a page is open somewhere.
 */
export class SeenRows<T extends { readonly id: string }> {
  readonly #path: string;
  /** By id, with how many places show it. */
  readonly #seen = new Map<string, { readonly value: Signal<T | undefined>; shown: number }>();
  #due: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  constructor(path: string) {
    this.#path = path;
  }

  /** While a row is seen. Undefined until it is known. */
  of(id: string): Signal<T | undefined> {
    return this.#row(id).value;
  }

  /** Until the function that it gives is called. */
  see(id: string): () => void {
    this.#row(id).shown += 1;
    this.#due ??= setTimeout(() => void this.#read(), together);
    this.#beat ??= setInterval(() => void this.#read(), again);
    return () => {
      const row = this.#row(id);
      row.shown -= 1;
      if (row.shown <= 0) this.#seen.delete(id);
      if (this.#seen.size > 0) return;
      clearInterval(this.#beat);
      this.#beat = undefined;
    };
  }

  #row(id: string): { readonly value: Signal<T | undefined>; shown: number } {
    const row = this.#seen.get(id) ?? { value: signal<T | undefined>(undefined), shown: 0 };
    this.#seen.set(id, row);
    return row;
  }

  async #read(): Promise<void> {
    clearTimeout(this.#due);
    this.#due = undefined;
    if (document.visibilityState === "hidden") return;
    const ids = [...this.#seen.keys()];
    for (let at = 0; at < ids.length; at += most) {
      const query = new URLSearchParams({ ids: ids.slice(at, at + most).join(",") }).toString();
      // What was known stays: it says when it was read.
      const told = await get<{ readonly entries: readonly T[] }>(`${this.#path}?${query}`).catch(() => undefined);
      for (const each of told?.entries ?? []) {
        const row = this.#seen.get(each.id);
        if (row !== undefined) row.value.value = each;
      }
    }
  }
}

/** What is known of a row, which is seen as long as the component is there. */
export function useSeen<T extends { readonly id: string }>(rows: SeenRows<T>, id: string): T | undefined {
  useEffect(() => rows.see(id), [rows, id]);
  return rows.of(id).value;
}
