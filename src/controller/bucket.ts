/** So much at once, and so much in a second after that. */
export type Rate = { readonly burst: number; readonly perSecond: number };

/**
 * A token bucket that may go into debt: what came is never refused, but who is in debt has to wait. Times are
 * milliseconds of a clock that only goes forward.
 */
export class Bucket {
  readonly #rate: Rate;
  #level: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#at = now;
  }

  take(amount: number, now: number): void {
    this.#fill(now);
    this.#level -= amount;
  }

  /** Milliseconds until it is out of debt; 0 when it is. */
  wait(now: number): number {
    this.#fill(now);
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level * 1000) / this.#rate.perSecond);
  }

  #fill(now: number): void {
    const gained = ((now - this.#at) * this.#rate.perSecond) / 1000;
    this.#level = Math.min(this.#rate.burst, this.#level + Math.max(0, gained));
    this.#at = now;
  }
}
