import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Node } from "./node.ts";

/** A program that stays: its name, for the log, and when it is ready: a file or socket that it makes. */
export type DaemonWish = {
  readonly name: string;
  readonly argv: readonly string[];
  readonly ready: string;
  /** Written to its standard input, for secrets. */
  readonly input?: string;
};

/** Milliseconds; starting Node on a busy machine takes seconds. */
const patience = 60_000;

/** Where a daemon's last words are, in its node. */
export function daemonLog(name: string): string {
  return `/run/sixgate/${name}.log`;
}

function daemonPid(name: string): string {
  return `/run/sixgate/${name}.pid`;
}

/**
 * Starts a program in the background of a node and resolves when it is ready. The node ends it: nothing that runs in a
 * node outlives it. Rejects with E718 and its last words when it ends before.
 */
export async function startDaemon(node: Node, { name, argv, ready, input }: DaemonWish): Promise<void> {
  const script = `log=$1 pid=$2 ready=$3; shift 3
mkdir -p /run/sixgate
setsid "$@" >"$log" 2>&1 <&0 &
echo $! >"$pid"
while [ ! -e "$ready" ]; do
  kill -0 "$(cat "$pid")" 2>/dev/null || { tail -c 600 "$log" >&2; exit 1; }
  sleep 0.02
done`;
  const ran = await node.shell.run(["sh", "-c", script, "sh", daemonLog(name), daemonPid(name), ready, ...argv], {
    timeout: patience,
    ...(input === undefined ? {} : { input }),
  });
  if (ran.code === 0) return;
  throw new Failure(
    "E718",
    node.shell.name,
    `${name} does not start: ${printable(ran.stderr.trim().slice(-400))}`,
    `its log in the node: ${daemonLog(name)}`,
  );
}

/** Ends a daemon as its service would, or at once with KILL. Resolves when it has ended; not an error when it had. */
export async function stopDaemon(node: Node, name: string, signal: "TERM" | "KILL"): Promise<void> {
  const script = `[ -e "$1" ] || exit 0
pid=$(cat "$1"); kill -"$2" "$pid" 2>/dev/null || exit 0
i=0; while kill -0 "$pid" 2>/dev/null; do i=$((i+1)); [ $i -lt 500 ] || exit 1; sleep 0.02; done`;
  const ran = await node.shell.run(["sh", "-c", script, "sh", daemonPid(name), signal]);
  if (ran.code === 0) return;
  throw new Failure("E703", node.shell.name, `${name} does not end`, `look at ${daemonLog(name)} in the node`);
}
