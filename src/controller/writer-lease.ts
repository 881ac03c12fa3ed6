import { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import { hasEnded, ownMark, type ProcessMark } from "../runtime/process-mark.ts";
import type { Store } from "../store/store.ts";

const name = "writer";
const holderKey = "controller/holder";
/** Seconds that the lease lasts without a renewal. */
const lasts = 15;
/** Milliseconds between two tries to get it, two renewals, and before its end when it counts as over. */
const every = { try: 1000, renewal: 5000 };
const margin = 3000;

export type WriterLease = {
  readonly epoch: number;
  /** Whether nobody else can hold it now, by every clock there is. */
  isOurs(): boolean;
  /** Gives it back: the next one need not wait. */
  end(): Promise<void>;
};

export type LeaseOptions = {
  readonly store: Store;
  readonly clock: Clock;
  /** Random: one controller's own. */
  readonly holder: string;
  /** Told once when it is another's turn to write. */
  readonly lost: () => void;
  /** Told once when another holds it and this one waits. */
  readonly waits: () => void;
};

/**
 * The right to write to the gateway, for one controller at a time. Waits for it until the signal. Who held it and is
 * known to have ended on this machine is not waited for.
 */
export async function takeWriterLease(options: LeaseOptions, signal?: AbortSignal): Promise<WriterLease> {
  const { store, clock, holder } = options;
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    await releaseDead(store);
    const began = { steady: clock.steady(), now: clock.now() };
    const epoch = await store.lease(name, holder, lasts);
    if (epoch !== undefined) {
      const value = JSON.stringify({ holder, epoch, ...ownMark() });
      await store.commit([{ key: holderKey, value, expected: "any" }]);
      return kept(options, epoch, began);
    }
    if (!told) options.waits();
    told = true;
    await pause(clock, every.try, signal);
  }
}

type Held = { readonly steady: number; readonly now: number };

function kept({ store, clock, holder, lost }: LeaseOptions, epoch: number, began: Held): WriterLease {
  let held = began;
  let isOver = false;
  let callOff = clock.after(every.renewal, renew);

  function renew(): void {
    const asked = { steady: clock.steady(), now: clock.now() };
    store
      .lease(name, holder, lasts)
      .then(
        (found) => {
          if (isOver) return;
          if (found === epoch) held = asked;
          else {
            isOver = true;
            lost();
          }
        },
        // The disk may be itself again before the lease ends; when it does not, `isOurs` says so.
        () => undefined,
      )
      .finally(() => {
        if (!isOver) callOff = clock.after(every.renewal, renew);
      });
  }
  return {
    epoch,
    isOurs: () =>
      !isOver &&
      clock.steady() - held.steady < lasts * 1000 - margin &&
      // A machine that slept has a steady clock that did not see it.
      clock.now() - held.now < lasts * 1000 - margin,
    async end() {
      callOff();
      if (isOver) return;
      isOver = true;
      await store.lease(name, holder, 0);
    },
  };
}

/** Ends the lease of a process that is known to run no more. */
async function releaseDead(store: Store): Promise<void> {
  const entry = await store.get(holderKey);
  if (entry === undefined) return;
  const found = JSON.parse(entry.value) as ProcessMark & { readonly holder: string };
  if (hasEnded(found)) await store.lease(name, found.holder, 0);
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(milliseconds, resolve);
    signal?.addEventListener(
      "abort",
      () => {
        callOff();
        reject(new Failure("E808", "controller", "Interrupted", "start it again"));
      },
      { once: true },
    );
  });
}
