import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** The cgroup that all containers of a lab are below, in every hierarchy. */
export function cgroupOf(name: string): string {
  return `sixgate-lab-${name}`;
}

const base = "/sys/fs/cgroup";

/** Removes the empty cgroups that engines of this lab left, below its own parent only. */
export async function removeCgroups(name: string): Promise<void> {
  const hierarchies = [base, ...(await readdir(base).catch(() => [])).map((entry) => join(base, entry))];
  for (const hierarchy of hierarchies) await removeEmpty(join(hierarchy, cgroupOf(name)));
}

async function removeEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmpty(join(folder, entry.name));
  await rmdir(folder).catch(() => undefined);
}
