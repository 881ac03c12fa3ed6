import { Failure } from "../base/failure.ts";
import type { Seconds } from "../base/time.ts";
import type { ChangeSet } from "../change/change-set.ts";
import { diff } from "../change/diff.ts";
import type { Desired } from "../desired/desired.ts";
import type { Way } from "../runtime/way.ts";
import { goBack } from "./go-back.ts";
import { bind } from "./index.ts";

/** What would have to change on a device, and how much of the structure lane was there (for the guard). */
export type DevicePlan = { readonly set: ChangeSet; readonly structure: number; readonly notes: readonly string[] };

/** Observed in full, compared with what it should be. */
export async function planDevice(way: Way, desired: Desired, signal?: AbortSignal): Promise<DevicePlan> {
  const bound = bind(way, desired);
  const observed = await bound.driver.observe(signal);
  const set = {
    device: desired.device,
    layer: desired.layer,
    driver: desired.driver,
    base: observed.revision,
    changes: diff(observed.items, bound.items),
  };
  const structure = observed.items.filter((item) => item.lane === "structure").length;
  return { set, structure, notes: observed.notes ?? [] };
}

/**
 * Applies a change set and reads back: confirmed when nothing is left to change, undone otherwise (E512). `prove` is
 * asked before the confirmation, over a new connection where there is one; when it rejects, the device goes back.
 */
export async function applyDevice(
  way: Way,
  desired: Desired,
  set: ChangeSet,
  confirmWithin: Seconds,
  prove: () => Promise<void> = () => Promise.resolve(),
  signal?: AbortSignal,
): Promise<void> {
  if (set.changes.length === 0) return;
  const bound = bind(way, desired);
  const pending = await bound.driver.apply(set, confirmWithin, signal);
  try {
    const left = diff((await bound.driver.observe(signal)).items, bound.items);
    if (left.length > 0) {
      const keys = left.slice(0, 3).map((change) => (change.kind === "delete" ? change.before.key : change.after.key));
      throw new Failure(
        "E512",
        `${desired.device} ${desired.layer}`,
        `Not as planned after the change: ${keys.join("; ")}${left.length > 3 ? ` and ${left.length - 3} more` : ""}`,
        "look at `sixgate plan`; the device was set back",
      );
    }
    await prove();
  } catch (cause) {
    // Without the caller's signal: an interrupted apply must still be undone.
    await goBack(way.name, pending, cause, AbortSignal.timeout(30_000));
  }
  await pending.confirm(signal);
}
