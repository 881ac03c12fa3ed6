import type { Seconds } from "../../base/time.ts";
import type { Pending } from "../driver.ts";
import type { HeldWatchdog } from "../held-watchdog.ts";
import type { Pve } from "./api.ts";

type Hold = HeldWatchdog["hold"];

/** The same API whose every write is held first: nothing is written once the node went back, which rejects with E514. */
export function heldApi(pve: Pve, hold: Hold): Pve {
  return {
    ...pve,
    async send(call, signal) {
      await hold(signal);
      return pve.send(call, signal);
    },
    async task(call, patience, signal) {
      await hold(signal);
      await pve.task(call, patience, signal);
    },
  };
}

/**
 * The node's own undo, and what it could not see: a write that was under way when it ran by itself is done behind it.
 * Where that may have been, `again` takes back over the API what is there. `after`: the undo's time.
 */
export function withLateWrites(undo: HeldWatchdog, again: Pending, after: Seconds): HeldWatchdog {
  let heldAt = performance.now();
  return {
    async hold(signal) {
      await undo.hold(signal);
      heldAt = performance.now();
    },
    confirm: (signal) => undo.confirm(signal),
    async rollback(signal) {
      // A hold leaves half of the time at least.
      const late = performance.now() - heldAt > after * 500;
      await undo.rollback(signal);
      if (late) await again.rollback(signal);
    },
  };
}
