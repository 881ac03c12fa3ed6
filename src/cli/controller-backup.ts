import { backupState } from "../controller/state-backup.ts";
import { type Exit, exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate controller backup`. The folder that it makes is one that a controller starts from. */
export async function controllerBackup(
  to: string,
  { state }: { readonly state: string },
  terminal: Terminal,
): Promise<Exit> {
  const entries = await backupState(state, to);
  terminal.say(`${to}: store, authority and the journal up to entry ${entries}`);
  terminal.say("It holds the authority's key and hashes of tokens: keep it where only root can read it");
  terminal.result({ format: "sixgate.backup/1", folder: to, entries });
  return exit.fine;
}
