import type { Instant } from "../base/time.ts";
import type { Authority, ServerIdentity } from "./authority.ts";

const hour = 3_600_000;
const lasts = 7 * 24 * hour;
const renewedEvery = 24 * hour;
const triedAgain = 5 * 60_000;

/** Key and certificate as `tls` wants them. */
type Pair = { readonly key: string; readonly cert: string };

/**
 * A certificate for the inbox, and a new one with a new key each day; they last a week, so that a controller whose
 * authority can't be used for a while goes on. `use` is called with each but the first. The key is never on disk.
 */
export async function keepServerIdentity(
  authority: Authority,
  names: readonly string[],
  clock: () => Instant,
  use: (pair: Pair) => void,
): Promise<{ readonly first: ServerIdentity; readonly stop: () => void }> {
  const first = await authority.issueForController(names, lasts);
  let due = clock() + renewedEvery;
  let stopped = false;
  // Looked at often, and judged by the clock: a timer for a day would sleep with a machine that sleeps.
  const timer = setInterval(() => {
    if (clock() < due) return;
    due = clock() + triedAgain;
    authority.issueForController(names, lasts).then(
      (next) => {
        if (stopped) return;
        use({ key: next.key, cert: next.certificate });
        due = clock() + renewedEvery;
      },
      () => undefined,
    );
  }, 30_000);
  timer.unref();
  return {
    first,
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
