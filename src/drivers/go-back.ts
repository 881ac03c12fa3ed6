import { Failure } from "../base/failure.ts";
import type { Pending } from "./driver.ts";

/**
 * After an apply that failed: puts the device back at once, whatever the caller's signal says, and then rejects with
 * the cause. Where the device can't be asked for it, rejects with E503: its dead-man will do it. Rejects with E515 where
 * the undo itself failed. Both texts are in either. `at` is the device.
 */
export async function goBack(at: string, pending: Pending, cause: unknown, signal?: AbortSignal): Promise<never> {
  try {
    await pending.rollback(signal);
  } catch (second) {
    const text = `${textOf(cause)}; and then: ${textOf(second)}`;
    if (isUnasked(second))
      throw new Failure("E503", at, text, "it goes back by itself at the deadline; then look at `sixgate plan`", {
        cause,
      });
    throw new Failure("E515", at, text, "look at the device by hand: it may be half-way", { cause });
  }
  throw cause;
}

/** Not reached, or no answer in time: nothing is known of the undo, and the device still has it. */
function isUnasked(error: unknown): boolean {
  if (error instanceof Failure) return ["E501", "E502", "E503"].includes(error.diagnostic.code);
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
