import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import type { Shell } from "../runtime/shell.ts";
import { namespaceShell } from "../runtime/shell-namespace.ts";

/**
 * A machine of the lab: one process that holds network, mount, UTS and PID namespaces of its own. It is PID 1 in
 * there, so when it ends the kernel ends everything in the node with it: nothing can be left behind.
 */
export type Node = { readonly name: string; readonly pid: number; readonly shell: Shell };

/** What is needed to find a node again from another process. `started` tells a reused PID from ours. */
export type NodeRecord = { readonly name: string; readonly pid: number; readonly started: string };

/** PID 1 of a node reaps what is handed to it, and else sleeps. */
const holder = "while :; do sleep 86400 & wait; done";

/** Start time of a process in clock ticks since boot (proc(5), stat field 22), or undefined when there is none. */
export async function startedAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

async function onlyChild(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const child = text.trim().split(" ")[0];
  return child === undefined || child === "" ? undefined : Number(child);
}

/** Starts a node. It has a loopback that is up, /proc of its own and an empty /run; its mounts are private. */
export async function startNode(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Node> {
  const outer = spawn(
    "unshare",
    [
      "--net",
      "--mount",
      "--uts",
      "--pid",
      "--fork",
      "--kill-child=SIGKILL",
      "--propagation",
      "private",
      "--mount-proc",
      "--",
      "sh",
      "-c",
      holder,
    ],
    { stdio: "ignore", detached: true, cwd: "/", env: { ...process.env, ...environment } },
  );
  const failure = new Promise<never>((_, reject) => {
    outer.once("error", (cause) =>
      reject(new Failure("E502", `lab ${name}`, `unshare can't be started: ${cause.message}`, "install util-linux")),
    );
    outer.once("exit", (code) =>
      reject(
        new Failure(
          "E702",
          `lab ${name}`,
          `Namespaces can't be made (unshare ended with ${code})`,
          "run as root, or `sixgate lab up --rootless`",
        ),
      ),
    );
  });
  failure.catch(() => undefined);
  const ready = (async (): Promise<Node> => {
    for (let tries = 0; tries < 500; tries++) {
      const pid = outer.pid === undefined ? undefined : await onlyChild(outer.pid);
      // The holder runs sh only after unshare has mounted its /proc: then the node is complete.
      const command = pid === undefined ? "" : await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (pid !== undefined && command.startsWith("sh\0"))
        return { name, pid, shell: namespaceShell({ name: `lab ${name}`, pid }) };
      await sleep(2);
    }
    throw new Failure(
      "E702",
      `lab ${name}`,
      "The node did not start within a second",
      "look at the machine's load, then try again",
    );
  })();
  const node = await Promise.race([ready, failure]);
  outer.unref();
  const made = await node.shell.run([
    "sh",
    "-c",
    'mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run && hostname "$1" && ip link set lo up',
    "sh",
    name,
  ]);
  if (made.code === 0) return node;
  await stopNode(node.pid);
  throw new Failure(
    "E702",
    `lab ${name}`,
    `The node can't be prepared: ${made.stderr.trim()}`,
    "look at `sixgate doctor`",
  );
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
  } catch {
    return;
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
 * nothing where all addresses are planned.
 */
export async function withoutDad(node: Node): Promise<Node> {
  const ran = await node.shell.run([
    "sysctl",
    "-qw",
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.all.accept_dad=0",
  ]);
  if (ran.code === 0) return node;
  throw new Failure("E702", node.shell.name, `sysctl: ${ran.stderr.trim()}`, "look at `sixgate doctor`");
}
