import { Failure } from "../base/failure.ts";

/** One entry as a commit left it; `value` is undefined where the commit removed it. */
export type Change = { readonly key: string; readonly value: string | undefined; readonly revision: number };

/** What a store knows of its past: enough to watch it. */
export type ChangeLog = {
  /** In order, some at a time; empty when nothing came after. */
  after(revision: number): readonly Change[];
  /** The oldest revision that can be watched from. */
  oldest(): number;
  /** Resolves when there may be more, or with the signal. */
  more(signal: AbortSignal): Promise<void>;
};

/** Every change after that revision, in order, until the signal. Throws E952 where they are no longer known. */
export async function* follow(log: ChangeLog, after: number, signal: AbortSignal): AsyncGenerator<Change> {
  let at = after;
  while (!signal.aborted) {
    if (at < log.oldest()) {
      const text = `Changes after revision ${at} are no longer known, only those after ${log.oldest()}`;
      throw new Failure("E952", "store", text, "list what is there, then watch from its revision");
    }
    const changes = log.after(at);
    for (const change of changes) {
      if (signal.aborted) return;
      yield change;
      at = change.revision;
    }
    if (changes.length === 0) await log.more(signal);
  }
}

/** Wakes those who wait, all of them, once each. */
export class Bell {
  #waiting: (() => void)[] = [];

  ring(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves at the next ring, with the signal, or after so many milliseconds where they are given. */
  wait(signal: AbortSignal, atMost?: number): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = atMost === undefined ? undefined : setTimeout(wake, atMost);
      timer?.unref();
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.push(wake);
      function wake(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      }
    });
  }
}
