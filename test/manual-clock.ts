import { type Instant, instant } from "../src/base/time.ts";
import type { Clock } from "../src/runtime/clock.ts";

/** A clock that stands until it is told to go on. */
export type ManualClock = Clock & {
  /** Lets that many milliseconds pass: timers fire in their order, each at its own moment. */
  pass(milliseconds: number): Promise<void>;
  /** Sets the time of day, as an operator does: no timer notices. */
  set(now: Instant): void;
  /** The same clock as another process sees it: `kill` is its end, none of its timers fires after it. */
  fork(): Clock & { kill(): void };
};

export function manualClock(start = 1_800_000_000_000): ManualClock {
  let steady = 0;
  let ahead = start;
  let last = 0;
  const timers = new Map<number, { readonly at: number; readonly work: () => void }>();

  function next(until: number): number | undefined {
    const due = [...timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0]);
    return due[0]?.[0];
  }
  return {
    now: () => instant(ahead + steady),
    steady: () => steady,
    after(milliseconds, work) {
      const id = ++last;
      timers.set(id, { at: steady + milliseconds, work });
      return () => void timers.delete(id);
    },
    async pass(milliseconds) {
      const end = steady + milliseconds;
      await settled();
      for (let id = next(end); id !== undefined; id = next(end)) {
        const timer = timers.get(id);
        timers.delete(id);
        steady = Math.max(steady, timer?.at ?? steady);
        timer?.work();
        await settled();
      }
      steady = end;
    },
    set: (now) => void (ahead = now - steady),
    fork() {
      let isDead = false;
      return {
        now: () => instant(ahead + steady),
        steady: () => steady,
        after(milliseconds, work) {
          const id = ++last;
          timers.set(id, { at: steady + milliseconds, work: () => (isDead ? undefined : work()) });
          return () => void timers.delete(id);
        },
        kill: () => void (isDead = true),
      };
    },
  };
}

/** Until what was begun by promises alone is done; what waits for a disk or a socket is not. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
