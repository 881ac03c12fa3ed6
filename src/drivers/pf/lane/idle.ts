/** Tables of the lane that nothing is in, and since when; told by looks at the device, so a controller that begins anew begins to count anew. */
export class IdleTables {
  readonly #since = new Map<string, number>();

  /** One look: `ready` are tables with their rules, `used` those of them that hold something. `now` in milliseconds. */
  see(ready: ReadonlySet<string>, used: ReadonlySet<string>, now: number): void {
    for (const table of this.#since.keys()) if (!ready.has(table)) this.#since.delete(table);
    for (const table of ready) {
      if (used.has(table)) this.#since.delete(table);
      else if (!this.#since.has(table)) this.#since.set(table, now);
    }
  }

  /** Something is put into these. */
  use(tables: Iterable<string>): void {
    for (const table of tables) this.#since.delete(table);
  }

  /**
   * Those to take away: all that were idle when `before` came, and others, the longest idle first, as long as fewer than
   * `atLeast` would go. Never one of `needed`.
   */
  toTakeAway(wish: {
    readonly before: number;
    readonly atLeast: number;
    readonly needed: ReadonlySet<string>;
  }): readonly string[] {
    return [...this.#since]
      .filter(([table]) => !wish.needed.has(table))
      .sort(([, a], [, b]) => a - b)
      .filter(([, since], i) => since <= wish.before || i < wish.atLeast)
      .map(([table]) => table);
  }
}
