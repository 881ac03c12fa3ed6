import { filesByPrograms } from "./files-by-programs.ts";
import { runProcess } from "./process.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";

export type NamespaceOf = { readonly name: string; readonly pid: number };

/**
 * The namespaces (mount, network, UTS, PID) of a running process. Files are reached by programs inside, not through
 * /proc/PID/root: there an absolute symbolic link in the namespace's files would lead to this machine's own.
 */
export function namespaceShell(of: NamespaceOf): Shell {
  const enter = ["nsenter", "-t", String(of.pid), "-m", "-n", "-u", "-p", "-r", "-w", "--"];
  const run = (argv: readonly string[], options?: RunOptions): Promise<Ran> =>
    runProcess(of.name, [...enter, ...argv], options);
  return { name: of.name, network: { namespace: `/proc/${of.pid}/ns/net` }, run, ...filesByPrograms(of.name, run) };
}
