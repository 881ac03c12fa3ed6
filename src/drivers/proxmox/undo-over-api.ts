import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../base/failure.ts";
import type { Pending } from "../driver.ts";
import type { Call, Pve } from "./api.ts";
import { networkPath, readStaged } from "./network.ts";
import { stepsBack } from "./network-calls.ts";
import { dropStaged, type Edits, sendBack, unstage } from "./staging.ts";

/** How long a reload of the network may take, and the API stay away while it does; in milliseconds. */
export const reloadPatience = 120_000;

/**
 * Without a shell on the node: back by the same way, as long as we are here and the node hears us. What is there is
 * compared with what was there, so it may be begun again where an answer was lost. `calls`: of the VMs.
 */
export function undoOverApi(edits: Edits, calls: readonly Call[]): Pending {
  const { pve } = edits;
  let settled: "confirmed" | "undone" | undefined;
  return {
    async confirm() {
      if (settled === "undone")
        throw new Failure("E514", pve.name, "The change was taken back already", "plan and apply again");
      settled = "confirmed";
    },
    async rollback(signal) {
      if (settled === "confirmed")
        throw new Failure("E516", pve.name, "Confirmed already", "plan and apply the change back");
      settled = "undone";
      try {
        await patiently(() => back(edits, calls, signal), signal);
      } catch (cause) {
        // Not E503, which means that the device goes back by itself: without a shell nobody is there who would.
        throw new Failure(
          "E515",
          pve.name,
          `Not taken back: ${cause instanceof Error ? cause.message : String(cause)}`,
          "once the node answers, look at `sixgate plan`: apply the rest, or apply the fleet file of before",
          { cause },
        );
      }
    },
  };
}

async function back(edits: Edits, calls: readonly Call[], signal?: AbortSignal): Promise<void> {
  const { pve, desired, before, steps } = edits;
  for (const call of calls) await sendBackCall(pve, call, signal);
  if (steps.length === 0) return;
  const { changes } = await pve.listWithChanges(networkPath(pve), signal);
  // Waits: it was not applied. Does not: what is there is in force, unless the undo was begun already.
  if (changes.trim() !== "") await unstage(edits, signal);
  const now = await readStaged(pve, desired, signal);
  const names = steps.map(({ name }) => name);
  if (stepsBack(pve, now, before, names).length === 0) return dropStaged(pve, signal);
  await sendBack(edits, signal);
  await reload(pve, signal);
}

/** What is to go may not be there yet: that is no failure. */
async function sendBackCall(pve: Pve, call: Call, signal?: AbortSignal): Promise<void> {
  if (call.method === "DELETE") {
    const there = await pve.list(call.path, signal).then(
      () => true,
      (cause: unknown) => {
        if (cause instanceof Failure && cause.diagnostic.code === "E511") return false;
        throw cause;
      },
    );
    if (!there) return;
  }
  await pve.send(call, signal);
}

/** Applies what waits, all of it, and waits until that is done. */
export async function reload(pve: Pve, signal?: AbortSignal): Promise<void> {
  await pve.task({ method: "PUT", path: networkPath(pve), form: {} }, reloadPatience, signal);
}

/** A reload may take the API away for a while. */
async function patiently(work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  for (const start = performance.now(); ; ) {
    try {
      return await work();
    } catch (cause) {
      const unreached = cause instanceof Failure && cause.diagnostic.code === "E503";
      if (!unreached || performance.now() - start > reloadPatience) throw cause;
      await pause(2000, undefined, signal === undefined ? {} : { signal });
    }
  }
}
