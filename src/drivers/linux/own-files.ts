import type { Shell } from "../../runtime/shell.ts";
import type { OwnFiles } from "./observe-guest.ts";

/** Those of the files that are there. Rejects when one can't be read. */
export async function readFiles(shell: Shell, paths: readonly string[]): Promise<OwnFiles> {
  const files = new Map<string, string>();
  for (const path of paths) {
    const text = await shell.read(path);
    if (text !== undefined) files.set(path, text);
  }
  return files;
}
