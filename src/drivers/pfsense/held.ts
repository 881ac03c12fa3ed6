import type { HeldWatchdog } from "../held-watchdog.ts";
import type { Rest } from "./api.ts";
import type { PfSenseExec } from "./exec.ts";

type Hold = HeldWatchdog["hold"];

/** The same with a sign of life to the device's dead-man before each write. */
export function heldRest(rest: Rest, hold: Hold): Rest {
  return {
    ...rest,
    create: async (path, body, signal) => (await hold(signal), rest.create(path, body, signal)),
    update: async (path, body, signal) => (await hold(signal), rest.update(path, body, signal)),
    remove: async (path, where, isOurs, signal, control) => (
      await hold(signal), rest.remove(path, where, isOurs, signal, control)
    ),
    apply: async (path, signal) => (await hold(signal), rest.apply(path, signal)),
  };
}

export function heldExec(exec: PfSenseExec, hold: Hold): PfSenseExec {
  return {
    ...exec,
    tidy: async (id, known, signal) => (await hold(signal), exec.tidy(id, known, signal)),
    nowhere: async (network, present, signal) => (await hold(signal), exec.nowhere(network, present, signal)),
  };
}
