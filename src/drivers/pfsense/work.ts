import type { InForce } from "../pf/items.ts";
import type { Target } from "../pf/target.ts";
import type { Rest } from "./api.ts";
import type { PfSenseExec } from "./exec.ts";
import type { Reading } from "./reading.ts";

/** One change of a device under way. */
export type Work = {
  readonly rest: Rest;
  /** Undefined without a shell. */
  readonly exec?: PfSenseExec;
  readonly target: Target;
  /** The uplink's and the hosts' interface. */
  readonly links: readonly string[];
  /** Ids of interfaces that were written: the API may have lost keys of theirs. */
  readonly touched: Set<string>;
  /** What is to be applied even where nothing is written. */
  readonly forced: Readonly<Record<keyof InForce, boolean>>;
  /** Milliseconds between two new rules: those of one second get the same tracker. */
  readonly pace: number;
  /** The last reading. */
  reading: Reading;
  /** Reads anew: what was written shows under ids and names that the device chose. */
  reread(): Promise<void>;
  readonly signal?: AbortSignal | undefined;
};
