import { filesByPrograms } from "./files-by-programs.ts";
import { runProcess } from "./process.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";

export type NamespaceOf = {
  readonly name: string;
  readonly pid: number;
  /** Programs stay in the caller's own network: they are a door between the two. */
  readonly network?: "caller";
  /** The process is in another user namespace, one that the caller made: it is entered too. */
  readonly user?: "entered";
};

/**
 * The namespaces (mount, network, UTS, PID) of a running process. Files are reached by programs inside, not through
 * /proc/PID/root: there an absolute symbolic link in the namespace's files would lead to this machine's own.
 */
export function namespaceShell(of: NamespaceOf): Shell {
  const user = of.user === undefined ? [] : ["-U", "--preserve-credentials"];
  const network = of.network === undefined ? ["-n"] : [];
  const enter = ["nsenter", "-t", String(of.pid), ...user, "-m", ...network, "-u", "-p", "-r", "-w", "--"];
  const run = (argv: readonly string[], options?: RunOptions): Promise<Ran> =>
    runProcess(of.name, [...enter, ...argv], options);
  return {
    name: of.name,
    network: of.network === undefined ? { namespace: `/proc/${of.pid}/ns/net` } : "own",
    run,
    ...filesByPrograms(of.name, run),
  };
}
