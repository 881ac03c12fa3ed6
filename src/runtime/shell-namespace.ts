import { listFolder, readText, removeFile, writeText } from "./files.ts";
import { runProcess } from "./process.ts";
import type { Shell } from "./shell.ts";

export type NamespaceOf = { readonly name: string; readonly pid: number };

/**
 * The namespaces (mount, network, UTS, PID) of a running process. Files are reached through /proc/PID/root, so no
 * program is started for them.
 */
export function namespaceShell(of: NamespaceOf): Shell {
  const root = `/proc/${of.pid}/root`;
  const enter = ["nsenter", "-t", String(of.pid), "-m", "-n", "-u", "-p", "--wd=/", "--"];
  return {
    name: of.name,
    run: (argv, options) => runProcess(of.name, [...enter, ...argv], options),
    read: (path) => readText(root + path),
    list: (folder) => listFolder(root + folder),
    write: (path, text, mode) => writeText(root + path, text, mode),
    remove: (path) => removeFile(root + path),
  };
}
