import { Bucket, type Rate } from "./bucket.ts";

/** Lets some through by who they are from, and counts the rest. */
export class Trickle {
  readonly #rate: Rate;
  readonly #steady: () => number;
  readonly #all = new Map<string, { readonly bucket: Bucket; untold: number }>();

  constructor(rate: Rate, steady: () => number) {
    this.#rate = rate;
    this.#steady = steady;
  }

  /** Undefined for one that does not go through; else how many did not since the last that did. */
  next(from: string): number | undefined {
    const now = this.#steady();
    const there = this.#all.get(from) ?? { bucket: new Bucket(this.#rate, now), untold: 0 };
    this.#all.set(from, there);
    if (there.bucket.wait(now) > 0) {
      there.untold++;
      return undefined;
    }
    there.bucket.take(1, now);
    const { untold } = there;
    there.untold = 0;
    return untold;
  }
}
