import { Failure } from "../base/failure.ts";
import type { Answer } from "../probe/probe.ts";
import { mostAnswers } from "../web/routes/probes.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { Refused } from "./refused.ts";
import { type Remote, remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

/** An answer to a packet, and the vantage that it was sent from, as the fleet file names it. */
export type CheckMade = { readonly from: string; readonly answer: Answer };

export type ReportOptions = DoorOptions & { readonly report?: boolean };

/**
 * Tells the controller what packets met, for the openings that should have let them in. In a lab it is told without being
 * asked to, and nothing fails where it can't be. Gives how many answers it took; undefined where none was told.
 */
export async function reportChecks(
  checks: readonly CheckMade[],
  options: ReportOptions,
  terminal: Terminal,
): Promise<number | undefined> {
  if (options.report !== true && options.lab === undefined) return undefined;
  let taken = 0;
  for (const [from, made] of Map.groupBy(checks, (each) => each.from)) {
    try {
      taken += await tell(remoteAt(await openDoor(options)), from, made);
    } catch (cause) {
      if (options.report === true || !(cause instanceof Failure || cause instanceof Refused)) throw cause;
      terminal.say(`the lab's controller was not told of checks from ${from}: ${cause.message}`);
    }
  }
  terminal.say(`${taken} of ${checks.length} checks are of openings; the controller keeps them`);
  return taken;
}

async function tell(remote: Remote, from: string, made: readonly CheckMade[]): Promise<number> {
  let sum = 0;
  for (let at = 0; at < made.length; at += mostAnswers) {
    const answers = made.slice(at, at + mostAnswers).map(({ answer: { question, state, reason, ms } }) => ({
      to: question.to,
      transport: question.transport,
      ...(question.port === undefined ? {} : { port: question.port }),
      state,
      reason,
      ms,
    }));
    sum += (await remote.post<{ readonly taken: number }>("probes-taken/1", "/api/v1/probes", { from, answers })).taken;
  }
  return sum;
}
