/** Of the last 1,000 only: what was slow yesterday says nothing of now. */
const kept = 1000;

/** How long it took from an engine's event until its opening was in force. */
export class Latency {
  readonly #ring = new Float64Array(kept);
  #count = 0;

  add(milliseconds: number): void {
    this.#ring[this.#count++ % kept] = milliseconds;
  }

  /** `count`: of all there were. Percentiles by nearest rank, of the last 1,000. */
  summary(): { readonly count: number; readonly p50?: number; readonly p99?: number } {
    const known = this.#ring.slice(0, Math.min(this.#count, kept)).sort();
    const at = (share: number): number | undefined => known[Math.ceil(known.length * share) - 1];
    const [p50, p99] = [at(0.5), at(0.99)];
    return { count: this.#count, ...(p50 === undefined ? {} : { p50 }), ...(p99 === undefined ? {} : { p99 }) };
  }
}
