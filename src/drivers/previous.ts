import type { Shell } from "../runtime/shell.ts";

/**
 * Where the last text of each file is that we wrote over or removed: below it the file's own path. Never beside the file,
 * since ifupdown, networkd and sysctl read whatever stands in their folders.
 */
export const previousFolder = "/etc/sixgate/previous";

export function previousPath(path: string): string {
  return `${previousFolder}${path}`;
}

/**
 * Puts a file in place of what is there, or removes it where the text is undefined; what was there stays as the previous
 * copy, for people and for root alone, since it may hold others' secrets. Nothing is written where the copy can't be kept.
 */
export async function replaceFile(
  shell: Pick<Shell, "read" | "write" | "remove">,
  path: string,
  text: string | undefined,
  mode?: number,
): Promise<void> {
  const before = await shell.read(path);
  if (before !== undefined && before !== text) await shell.write(previousPath(path), before, 0o600);
  if (text === undefined) await shell.remove(path);
  else await shell.write(path, text, mode);
}
