import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import type { Shell } from "../runtime/shell.ts";
import { namespaceShell } from "../runtime/shell-namespace.ts";
import { holdNamespaces } from "./holder.ts";

/**
 * A machine of the lab: one process that holds network, mount, UTS and PID namespaces of its own. It is PID 1 in
 * there, so when it ends the kernel ends everything in the node with it: nothing can be left behind.
 */
export type Node = { readonly name: string; readonly pid: number; readonly shell: Shell };

/** What is needed to find a node again from another process. `started` tells a reused PID from ours. */
export type NodeRecord = { readonly name: string; readonly pid: number; readonly started: string };

/** Start time of a process in clock ticks since boot (proc(5), stat field 22), or undefined when there is none. */
export async function startedAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch (cause) {
    // ESRCH: it ended while it was read. Anything else is unknown, and must not be taken for an end.
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ESRCH"))
      return undefined;
    throw cause;
  }
}

/** Starts a node. It has a loopback that is up, /proc of its own and an empty /run; its mounts are private. */
export async function startNode(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Node> {
  const at = `lab ${name}`;
  const pid = await holdNamespaces({
    at,
    namespaces: [
      "--net",
      "--mount",
      "--uts",
      "--pid",
      "--fork",
      "--kill-child=SIGKILL",
      "--propagation",
      "private",
      "--mount-proc",
    ],
    environment,
    fix: "run as root, or `sixgate lab up --rootless`",
  });
  const shell = namespaceShell({ name: at, pid });
  try {
    const script = 'mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run && hostname "$1" && ip link set lo up';
    const made = await shell.run(["sh", "-c", script, "sh", name]);
    if (made.code === 0) return { name, pid, shell };
    throw new Failure("E702", at, `The node can't be prepared: ${made.stderr.trim()}`, "look at `sixgate doctor`");
  } catch (cause) {
    await stopNode(pid);
    throw cause;
  }
}

export async function recordOf(node: Node): Promise<NodeRecord> {
  return { name: node.name, pid: node.pid, started: (await startedAt(node.pid)) ?? "" };
}

/** The node again, or undefined when it no longer runs. */
export async function nodeFrom(record: NodeRecord): Promise<Node | undefined> {
  if ((await startedAt(record.pid)) !== record.started) return undefined;
  return { name: record.name, pid: record.pid, shell: namespaceShell({ name: `lab ${record.name}`, pid: record.pid }) };
}

/** Ends a node and waits until the kernel has let it go. Not an error when it is gone already. */
export async function stopNode(pid: number): Promise<void> {
  const started = await startedAt(pid);
  if (started === undefined) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ESRCH") return;
    throw cause;
  }
  for (let tries = 0; tries < 1000; tries++) {
    if ((await startedAt(pid)) !== started) return;
    await sleep(5);
  }
  throw new Failure(
    "E703",
    `lab process ${pid}`,
    "Did not end within 5 s",
    "look at it with ps, then `sixgate lab down` again",
  );
}

/**
 * No duplicate address detection in the node from here on: it costs every new address a second or two, and finds
 * nothing where all addresses are planned. Ends the node when that can't be had.
 */
export async function withoutDad(node: Node): Promise<Node> {
  const ran = await node.shell.run([
    "sysctl",
    "-qw",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.all.accept_dad=0",
  ]);
  if (ran.code === 0) return node;
  await stopNode(node.pid);
  throw new Failure("E702", node.shell.name, `sysctl: ${ran.stderr.trim()}`, "look at `sixgate doctor`");
}
