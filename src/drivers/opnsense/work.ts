import type { InForce } from "../pf/items.ts";
import type { Target } from "../pf/target.ts";
import type { Core } from "./api.ts";
import type { Reading } from "./reading.ts";

/** One change of a device under way. */
export type Work = {
  readonly core: Core;
  readonly target: Target;
  /** The uplink's and the hosts' interface. */
  readonly links: readonly string[];
  /** What is to be applied even where nothing is written. */
  readonly forced: Readonly<Record<keyof InForce, boolean>>;
  /** Uuids of rules that were removed: gone only once they are not loaded any more. */
  readonly gone: Set<string>;
  /** The last reading. */
  reading: Reading;
  /** Reads anew: what was written shows under uuids that the device chose. */
  reread(): Promise<void>;
  readonly signal?: AbortSignal | undefined;
};
