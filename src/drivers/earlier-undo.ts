import { Failure } from "../base/failure.ts";
import type { Shell } from "../runtime/shell.ts";
import { undoFolder } from "./watchdog.ts";

/**
 * Before a change: an undo that still waits belongs to another apply, or to one that died. It would take back what we
 * do when it fires. Rejects with E554 then. What an arming that broke off left behind is removed: nobody waits with it,
 * and nothing was changed under it. `prefix`: what the ids of undos of this kind start with.
 */
export async function refuseSecond(shell: Shell, prefix: string, signal?: AbortSignal): Promise<void> {
  const names = (await shell.list(undoFolder)).filter((name) => name.startsWith(prefix));
  const waiting: string[] = [];
  for (const id of new Set(names.map((name) => name.replace(/\..*$/, "")))) {
    const kinds = new Set(names.flatMap((name) => (name.startsWith(`${id}.`) ? [name.slice(id.length + 1)] : [])));
    const broken = kinds.has("sh") ? await isForsaken(shell, id, signal) : isUnarmed(kinds);
    if (broken) await ask(shell, "forget", id, signal);
    else if (kinds.has("sh") || kinds.has("running")) waiting.push(id);
  }
  if (waiting.length > 0) throw undoWaits(shell, waiting);
}

/** E554: undos of these names wait on the device, for whoever began that change. */
export function undoWaits(shell: Shell, waiting: readonly string[]): Failure {
  return new Failure(
    "E554",
    shell.name,
    `Another change waits for its confirmation on the device (${waiting.join(", ")})`,
    "wait until it is confirmed or has gone back, a minute as a rule, and plan again",
  );
}

/** An arming that broke off before the script had its name. */
function isUnarmed(kinds: ReadonlySet<string>): boolean {
  return kinds.has("watch") && [...kinds].every((kind) => kind === "watch" || kind === "unarmed");
}

/** 1 is the answer; anything else, a script of another version too, leaves it as it is. */
async function isForsaken(shell: Shell, id: string, signal?: AbortSignal): Promise<boolean> {
  return (await ask(shell, "waits", id, signal)) === 1;
}

async function ask(shell: Shell, verb: string, id: string, signal?: AbortSignal): Promise<number> {
  const argv = ["sh", `${undoFolder}/${id}.watch`, verb, undoFolder, id];
  return (await shell.run(argv, signal === undefined ? {} : { signal })).code;
}
