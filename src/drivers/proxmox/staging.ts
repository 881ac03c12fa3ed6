import { Failure } from "../../base/failure.ts";
import type { HypervisorDesired } from "../../desired/desired.ts";
import type { Pve } from "./api.ts";
import { detailed, type Network, networkPath, readStaged } from "./network.ts";
import { type Step, stepsBack, untouched } from "./network-calls.ts";

/** Edits of bridges: written beside what is in force, and applied or taken out as a whole. */
export type Edits = {
  readonly pve: Pve;
  readonly desired: HypervisorDesired;
  readonly before: Network;
  readonly steps: readonly Step[];
};

/** Writes the edits, which are not in force yet. Rejects with E584 when others edit too, and then some may be written. */
export async function stage({ pve, desired, before, steps }: Edits, signal?: AbortSignal): Promise<void> {
  for (const { call } of steps) await pve.send(call, signal);
  const now = await readStaged(pve, desired, signal);
  if (untouched(now, namesOf(steps)) === untouched(before, namesOf(steps))) return;
  throw new Failure(
    "E584",
    pve.name,
    "Somebody else edits the network of the node at the same time; ours was taken back, theirs still waits",
    "let them apply or revert it under System > Network, then plan again",
  );
}

/**
 * Bridge by bridge back, so that edits of others stay; where nothing of theirs is left, the file that waits is ours and
 * goes: one that says nothing new would still take the place of what somebody writes by hand, at the next restart.
 */
export async function unstage({ pve, desired, before, steps }: Edits, signal?: AbortSignal): Promise<void> {
  await sendBack({ pve, desired, before, steps }, signal);
  const { rows, changes } = await pve.listWithChanges(networkPath(pve), signal);
  const now = await detailed(pve, desired, rows, signal);
  if (changes.trim() === "" || untouched(now, new Set()) === untouched(before, new Set()))
    return dropStaged(pve, signal);
  if (stepsBack(pve, now, before, namesOf(steps)).length === 0) return;
  throw new Failure(
    "E511",
    pve.name,
    "Edits of ours could not be taken back, beside those of somebody else",
    "nothing of them is in force: revert them under System > Network, then plan again",
  );
}

/** Writes edits that lead back to what was there, to be applied like any. */
export async function sendBack({ pve, desired, before, steps }: Edits, signal?: AbortSignal): Promise<void> {
  const now = await readStaged(pve, desired, signal);
  for (const { call } of stepsBack(pve, now, before, namesOf(steps))) await pve.send(call, signal);
}

/** Throws away everything that waits to be applied. */
export async function dropStaged(pve: Pve, signal?: AbortSignal): Promise<void> {
  await pve.send({ method: "DELETE", path: networkPath(pve), form: {} }, signal);
}

function namesOf(steps: readonly Step[]): ReadonlySet<string> {
  return new Set(steps.map(({ name }) => name));
}
