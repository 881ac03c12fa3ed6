import type { Shell } from "../runtime/shell.ts";
import type { Pending } from "./driver.ts";
import { armWatchdog, type WatchdogOptions } from "./watchdog.ts";

/**
 * For a change of many steps: `hold` is called before each, and gives the undo its whole time anew once half of it is
 * gone. So the time bounds how long the device is out of reach, not how long the change takes. Rejects with E514 when the
 * device went back already: nothing more may be written then.
 */
export type HeldWatchdog = Pending & { readonly hold: (signal?: AbortSignal) => Promise<void> };

/** As {@link armWatchdog}, again and again: each under the id with a number behind it. */
export async function armHeldWatchdog(shell: Shell, options: WatchdogOptions): Promise<HeldWatchdog> {
  let rounds = 0;
  const arm = (): Promise<Pending> => armWatchdog(shell, { ...options, id: `${options.id}-${rounds}` });
  let current = await arm();
  let armedAt = performance.now();
  return {
    async hold(signal) {
      if (performance.now() - armedAt < (options.after * 1000) / 2) return;
      rounds++;
      const startedAt = performance.now();
      const next = await arm();
      try {
        await current.confirm(signal);
      } catch (cause) {
        // The one before was first: nothing is left for this one to take back.
        await next.confirm(signal).catch(() => undefined);
        throw cause;
      }
      current = next;
      armedAt = startedAt;
    },
    confirm: (signal) => current.confirm(signal),
    rollback: (signal) => current.rollback(signal),
  };
}
