import { Failure } from "../base/failure.ts";
import type { Layer } from "../desired/desired.ts";

const layers: readonly Layer[] = ["hypervisor", "guest", "gateway", "engine", "provider"];

/** A layer as the user types it; undefined for all. Throws a Failure with E802 for any other word. */
export function layerNamed(typed: string | undefined, verb: string): Layer | undefined {
  const found = layers.find((each) => each === typed);
  if (typed === undefined || found !== undefined) return found;
  throw new Failure("E802", verb, `No layer "${typed}"`, `one of ${layers.join(", ")}`);
}
