import { type Node, startNode, stopNode } from "../src/lab/node.ts";
import type { Shell } from "../src/runtime/shell.ts";

/** A machine for one test: its own network, mounts, processes and name, an empty /run. Ended by `stop`, in any case. */
export type Holder = { readonly pid: number; readonly shell: Shell; stop(): Promise<void> };

/** `empty`: folders that are there and empty in the holder, whatever this machine has in them. Needs root. */
export async function startHolder(name: string, empty: readonly string[] = []): Promise<Holder> {
  const node: Node = await startNode(name);
  const stop = (): Promise<void> => stopNode(node.pid);
  try {
    for (const folder of empty)
      await must(node.shell, ["sh", "-c", 'mkdir -p "$1" && mount -t tmpfs tmpfs "$1"', "sh", folder]);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { pid: node.pid, shell: node.shell, stop };
}

/** A holder with something made in it; when the making fails the holder is ended. */
export async function inHolder<T>(
  name: string,
  empty: readonly string[],
  make: (holder: Holder) => Promise<T>,
): Promise<T> {
  const holder = await startHolder(name, empty);
  try {
    return await make(holder);
  } catch (cause) {
    await holder.stop();
    throw cause;
  }
}

/** Runs a program that has to succeed; gives what it printed. */
export async function must(shell: Shell, argv: readonly string[], input?: string): Promise<string> {
  const ran = await shell.run(argv, input === undefined ? {} : { input });
  if (ran.code !== 0) throw new Error(`${argv.join(" ")}: exit ${ran.code}: ${ran.stderr}`);
  return ran.stdout;
}
