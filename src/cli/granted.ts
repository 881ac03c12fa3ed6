import { Failure } from "../base/failure.ts";
import type { OpeningView } from "../controller/controller.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Opening } from "../openings/opening.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { Refused } from "./refused.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

/**
 * What the controller holds open beside the fleet file. Where none answers nothing is granted, and that is said; where
 * the fleet has none, nobody is asked.
 */
export async function grantedBy(fleet: Fleet, options: DoorOptions, terminal: Terminal): Promise<readonly Opening[]> {
  if (fleet.controller === undefined && options.controller === undefined) return [];
  try {
    return await ask(options);
  } catch (cause) {
    const isAbsent = cause instanceof Failure && ["E810", "E811"].includes(cause.diagnostic.code);
    if (!isAbsent && !(cause instanceof Refused)) throw cause;
    const why = cause instanceof Failure ? cause.diagnostic.text : cause.message;
    terminal.say(`controller not asked (${why}): only what the fleet file opens counts as allowed`);
    return [];
  }
}

async function ask(options: DoorOptions): Promise<readonly Opening[]> {
  const remote = remoteAt(await openDoor(options));
  const all: Opening[] = [];
  let after: string | undefined;
  do {
    const page = await remote.get<{ readonly entries: readonly OpeningView[]; readonly next?: string }>(
      "openings/1",
      "/api/v1/openings",
      { limit: 1000, after },
    );
    for (const { host, to, service, from, askedBy } of page.entries) {
      all.push({ host, to, service, from, askedBy: askedBy.name });
    }
    after = page.next;
  } while (after !== undefined);
  return all;
}
