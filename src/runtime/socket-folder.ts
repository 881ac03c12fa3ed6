import { mkdtempSync, readdirSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let folder: string | undefined;

const aDay = 86_400_000;

/** Of this process alone, mode 0700: a name that others can guess in a folder that they can write to could be theirs. */
export function socketFolder(): string {
  if (folder === undefined) {
    sweepSocketFolders(tmpdir());
    const made = mkdtempSync(join(tmpdir(), `sixgate-ssh-${process.pid}-`));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/**
 * Takes away what killed processes left in `within`: folders of sockets that are empty, a day old at `now` (ms), and of
 * nobody that runs. Both are asked, for a process of another PID namespace can't be seen. What can't be taken away stays.
 */
export function sweepSocketFolders(within: string, now = Date.now()): void {
  for (const name of namesIn(within)) {
    const owner = /^sixgate-ssh-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    try {
      if (now - statSync(join(within, name)).mtimeMs > aDay) rmdirSync(join(within, name));
    } catch {
      // Somebody else's, not empty, or gone meanwhile.
    }
  }
}

function namesIn(within: string): readonly string[] {
  try {
    return readdirSync(within);
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
