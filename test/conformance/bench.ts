import type { Desired } from "../../src/desired/desired.ts";
import type { Driver, DriverKind } from "../../src/drivers/driver.ts";
import type { Shell } from "../../src/runtime/shell.ts";
import type { Way } from "../../src/runtime/way.ts";

/** A device that a driver is judged on. */
export type Bench<D extends Desired> = {
  readonly kind: DriverKind<D>;
  readonly way: Way;
  /** All that belongs to others on the device, as text: must never change. */
  foreign(): Promise<string>;
  /** Somebody else changes something of ours, past the driver. */
  meddle(): Promise<void>;
  /** Drivers that can't read the device in full, one for each way to fail. */
  blind(desired: D): readonly Driver[];
  close(): Promise<void>;
};

/** Who is judged: a maker of benches, and the states to go through, in this order. Two at least, each unlike the next. */
export type Target<D extends Desired> = {
  readonly name: string;
  readonly states: readonly D[];
  /** Why it can't be judged here, or undefined. */
  missing(): Promise<string | undefined>;
  /** Why nobody undoes on this device what is not confirmed: the dead-man's case is not run then, and says so. */
  readonly noUndo?: string;
  open(): Promise<Bench<D>>;
};

/** Ways in which a machine does not answer: programs end with an error, or can't be run at all. */
export function blindShells(shell: Shell): readonly Shell[] {
  const cut = async (): Promise<never> => {
    throw new Error("connection lost");
  };
  return [
    { ...shell, run: async () => ({ code: 1, stdout: "", stderr: "Operation not permitted" }) },
    { ...shell, run: cut, read: cut, list: cut },
    { ...shell, read: cut, run: cut },
  ];
}
