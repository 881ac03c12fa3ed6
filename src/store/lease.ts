/** Who may write. `beat` counts the renewals, `lasts` is in milliseconds. No time of day: clocks are set and differ. */
export type Lease = { readonly holder: string; readonly epoch: number; readonly beat: number; readonly lasts: number };

/**
 * The lease after `holder` asked for it; undefined while another holds it. `unchanged` is how many milliseconds the
 * one who asks has seen it stand without a renewal: only who saw a whole length of it pass knows that it has ended.
 */
export function leased(before: Lease | undefined, holder: string, lasts: number, unchanged: number): Lease | undefined {
  if (before === undefined) return { holder, epoch: 1, beat: 1, lasts };
  const beat = before.beat + 1;
  if (before.holder === holder) return { holder, epoch: before.epoch, beat, lasts };
  return unchanged < before.lasts ? undefined : { holder, epoch: before.epoch + 1, beat, lasts };
}

/** How long a store has seen each lease unchanged, by the steady clock. */
export class LeaseWatch {
  readonly #seen = new Map<string, { readonly beat: number; readonly since: number }>();
  readonly #steady: () => number;

  constructor(steady: () => number) {
    this.#steady = steady;
  }

  unchanged(name: string, lease: Lease | undefined): number {
    const now = this.#steady();
    const seen = this.#seen.get(name);
    if (lease !== undefined && seen?.beat === lease.beat) return now - seen.since;
    if (lease !== undefined) this.#seen.set(name, { beat: lease.beat, since: now });
    return 0;
  }
}
