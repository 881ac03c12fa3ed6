import { type Instant, instant } from "../base/time.ts";

/** Time as somebody who has to be tested sees it. */
export type Clock = {
  /** The time of day. It can jump either way: somebody sets the clock, or the machine had none at its start. */
  now(): Instant;
  /** Milliseconds that only go forward, from any beginning. Stands still while the machine sleeps, as kernel timeouts do. */
  steady(): number;
  /** Calls `work` once, so many milliseconds from now, unless called off by what it gives. Holds no process alive. */
  after(milliseconds: number, work: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => instant(Date.now()),
  steady: () => performance.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
