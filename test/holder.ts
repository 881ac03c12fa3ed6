import { type Node, startNode, stopNode } from "../src/lab/node.ts";
import { isolateFiles } from "../src/lab/node-files.ts";
import type { Shell } from "../src/runtime/shell.ts";

/**
 * A machine for one test: its own network, mounts, processes and name, an empty /run, and an /etc of which changes are
 * seen in it alone. Ended by `stop`, in any case. Needs root.
 */
export type Holder = { readonly pid: number; readonly shell: Shell; readonly stop: () => Promise<void> };

export async function startHolder(name: string): Promise<Holder> {
  const node: Node = await startNode(name);
  const stop = (): Promise<void> => stopNode(node.pid);
  try {
    await isolateFiles(node.shell);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return { pid: node.pid, shell: node.shell, stop };
}

/** A holder with something made in it; when the making fails the holder is ended. */
export async function inHolder<T>(name: string, make: (holder: Holder) => Promise<T>): Promise<T> {
  const holder = await startHolder(name);
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
