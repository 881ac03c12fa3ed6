import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";

/** The cgroup that all containers of a lab are below, in every hierarchy. */
export function cgroupOf(name: string): string {
  return `sixgate-lab-${name}`;
}

const base = "/sys/fs/cgroup";

/** How long the last process of a cgroup may take to be gone, in milliseconds. */
const patience = 3000;

/**
 * Removes the empty cgroups that engines of this lab left, below its own parent only. Rejects with E703 when one can't
 * be removed: something still runs in it.
 */
export async function removeCgroups(name: string): Promise<void> {
  const hierarchies = [base, ...(await entriesOf(base)).map((entry) => join(base, entry))];
  for (const hierarchy of hierarchies) await removeEmpty(join(hierarchy, cgroupOf(name)));
}

async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await entriesOf(folder)) await removeEmpty(join(folder, entry));
  for (const began = performance.now(); ; await sleep(20)) {
    try {
      await rmdir(folder);
      return;
    } catch (cause) {
      if (isMissing(cause)) return;
      if (isBusy(cause) && performance.now() - began < patience) continue;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new Failure("E703", folder, `Control group stays: ${text}`, "look at its cgroup.procs, then try again", {
        cause,
      });
    }
  }
}

/** Names of the folders in a folder; none when it is not there. */
async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw cause;
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "EBUSY";
}
