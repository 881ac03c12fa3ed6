import type { Diagnostic } from "../base/diagnostic.ts";
import type { Seconds } from "../base/time.ts";
import type { ChangeSet } from "../change/change-set.ts";
import type { Access } from "../change/guard.ts";
import type { Item } from "../change/item.ts";
import type { Desired } from "../desired/desired.ts";
import type { Way } from "../runtime/way.ts";

/** `items`: what carries our mark, all of it. `revision` moves when anything we own on the device does. */
export type Observed = {
  readonly items: readonly Item[];
  readonly revision: string;
  /** What people should know and no change set can mend: what waits for a restart. */
  readonly notes?: readonly string[];
};

/** Live, but undone at the deadline unless confirmed ("commit confirmed"; NETCONF, RFC 6241 §8.4). */
export type Pending = {
  confirm(signal?: AbortSignal): Promise<void>;
  rollback(signal?: AbortSignal): Promise<void>;
};

/** A file as `render` writes it: the path it has on the device. */
export type RenderedFile = { readonly path: string; readonly text: string; readonly mode?: number };

/** What a driver is before it is tied to a device: pure. */
export type DriverKind<D extends Desired> = {
  readonly name: string;
  readonly layer: D["layer"];
  /** Who undoes an unconfirmed change: a watchdog that we start on the device, which needs a shell there, or nobody. */
  readonly undo: "watchdog" | "none";
  /** What this device cannot express; an error ends the plan before it is shown. In `limits.ts`. */
  audit(desired: D): readonly Diagnostic[];
  /** The form that `observe` will report, so that the second plan is empty. In `convert.ts`. */
  normalize(desired: D): readonly Item[];
  /** Every file this layer means on the device, for `render`. In `convert.ts`. */
  render(desired: D): readonly RenderedFile[];
  /**
   * A whole configuration file of such a device with this layer laid into it, every other byte as it was. Throws an Error
   * that says what the file lacks. In `render.ts`.
   */
  renderInto?(text: string, desired: D): string;
  /** Why whoever came in so could not log in again once the device is as it should be; undefined where nothing forbids it. */
  shutOut?(desired: D, access: Access): string | undefined;
  /** What people should know before they agree to a change set: what stops while it is applied. */
  consequences?(set: ChangeSet): readonly string[];
  /** Ties the driver to a device. In `driver.ts`. */
  at(way: Way, desired: D): Driver;
};

export type Driver = {
  /** Rejects unless the device was read in full: unknown is never empty. */
  observe(signal?: AbortSignal): Promise<Observed>;
  /**
   * All or nothing. Rejects with E510 when the device is no longer at `set.base`. With `undo: "watchdog"` the device
   * goes back by itself `confirmWithin` after the apply unless confirmed.
   */
  apply(set: ChangeSet, confirmWithin: Seconds, signal?: AbortSignal): Promise<Pending>;
};
