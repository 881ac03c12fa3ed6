import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";

/** It reaps what is handed to it, and else sleeps. */
const script = "while :; do sleep 86400 & wait; done";

/** How long unshare may take until the holder runs, in milliseconds; a few on an idle machine. */
const patience = 10_000;

export type HolderWish = {
  /** The place for messages. */
  readonly at: string;
  /** Options of unshare(1). With `--fork` the holder is its child, without it takes its place. */
  readonly namespaces: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What to do where namespaces can't be had. */
  readonly fix: string;
};

/**
 * Starts a process that does nothing but hold new namespaces, detached from this one, and gives its PID once unshare
 * has made them complete. Rejects with E502 or E702, and nothing runs then.
 */
export async function holdNamespaces(wish: HolderWish): Promise<number> {
  const outer = spawn("unshare", [...wish.namespaces, "--", "sh", "-c", script], {
    stdio: "ignore",
    detached: true,
    cwd: "/",
    env: { ...process.env, ...wish.environment },
  });
  const over = new AbortController();
  try {
    const pid = await Promise.race([failureOf(outer, wish), holderOf(outer, wish, over.signal)]);
    outer.unref();
    return pid;
  } catch (cause) {
    if (outer.pid !== undefined) endHolder(outer.pid);
    throw cause;
  } finally {
    over.abort();
  }
}

/**
 * Ends a holder and the sleep that it waits for: it leads a process group of its own. The sleep alone would keep the
 * namespaces for a day. Not an error when it is gone already.
 */
export function endHolder(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ESRCH")) throw cause;
  }
}

function failureOf(outer: ChildProcess, { at, fix }: HolderWish): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  outer.once("error", ({ message }) =>
    reject(new Failure("E502", at, `unshare can't be started: ${message}`, "install util-linux")),
  );
  outer.once("exit", (code) =>
    reject(new Failure("E702", at, `Namespaces can't be made (unshare ended with ${code})`, fix)),
  );
  // It may come after the race is over.
  promise.catch(() => undefined);
  return promise;
}

/** unshare runs sh last of all: once the command is sh, its /proc is mounted and its user is mapped. */
async function holderOf(outer: ChildProcess, { at, namespaces }: HolderWish, over: AbortSignal): Promise<number> {
  const forks = namespaces.includes("--fork");
  for (const began = performance.now(); performance.now() - began < patience && !over.aborted; ) {
    const pid = outer.pid === undefined || !forks ? outer.pid : await onlyChild(outer.pid);
    if (pid !== undefined && (await textOf(`/proc/${pid}/cmdline`)).startsWith("sh\0")) return pid;
    await sleep(2);
  }
  throw new Failure(
    "E702",
    at,
    `The namespaces were not there after ${patience / 1000} s`,
    "look at the machine's load, then try again",
  );
}

async function onlyChild(pid: number): Promise<number | undefined> {
  const child = (await textOf(`/proc/${pid}/task/${pid}/children`)).trim().split(" ")[0];
  return child === undefined || child === "" ? undefined : Number(child);
}

/** Of a process that may be gone or not yet there: then it is asked again, or its end is told otherwise. */
async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
