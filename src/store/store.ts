/** A value under its key, and the revision of the commit that wrote it. Values are text: JSON, mostly. */
export type Entry = { readonly key: string; readonly value: string; readonly revision: number };

/** `expected` is the revision that the entry must have, 0 when it must not be there. `value` undefined removes it. */
export type Write = { readonly key: string; readonly value: string | undefined; readonly expected: number | "any" };

/**
 * Where a controller keeps what must outlive it. Small on purpose: get, list, compare-and-set, watch from a revision,
 * lease; so that a database of several machines can stand behind it (kine's contract).
 */
export type Store = {
  get(key: string): Promise<Entry | undefined>;
  /** In order of keys. */
  list(prefix: string): Promise<readonly Entry[]>;
  /** All or none, on disk when it resolves with the new revision. Rejects with E940 where an entry is not as expected. */
  commit(writes: readonly Write[]): Promise<number>;
  /** Every change after that revision, in order; a removed entry has `value` undefined. Ends with the signal. */
  watch(
    after: number,
    signal: AbortSignal,
  ): AsyncIterable<{ readonly key: string; readonly value: string | undefined; readonly revision: number }>;
  /** Takes or renews a lease for so many seconds. Gives its epoch, which grows with each new holder; undefined while another holds it. */
  lease(name: string, holder: string, forSeconds: number): Promise<number | undefined>;
  end(): Promise<void>;
};
