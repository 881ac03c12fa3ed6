import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Seconds } from "../base/time.ts";
import type { Ran, Shell } from "../runtime/shell.ts";
import type { Pending } from "./driver.ts";
import { watchdogScript } from "./watchdog-script.ts";

export type WatchdogOptions = {
  /** Names the change: lower-case letters, digits and dashes, 1 to 64 characters. Never used twice on a device. */
  readonly id: string;
  /** POSIX sh text that puts the device back. Runs as root, without input; a non-zero exit is a failed undo. */
  readonly undo: string;
  /** Counted on the device, from the arming. 1 s at least. */
  readonly after: Seconds;
  /** On a file system that outlives the shell's session; /run/sixgate/undo by default. Absolute. */
  readonly folder?: string;
};

type State =
  | { readonly kind: "armed" | "running" | "confirmed" | "gone" }
  | { readonly kind: "undone"; readonly code: number; readonly log: string };

/** Where undos lie on a device. */
export const undoFolder = "/run/sixgate/undo";

/** How long an undo may take once it runs, in milliseconds. */
const undoLimit = 120_000;

/**
 * Starts a dead-man on the device: unless confirmed, `undo` runs there `after` seconds from now, whatever becomes of
 * us and of the connection. A systemd timer where systemd is PID 1, a process of its own session elsewhere. Resolves
 * when the arming was read back; rejects with E513 otherwise, and then nothing is left armed, or the fix says to wait.
 *
 * Confirm and undo can't both win: each takes the undo script by renaming it. A confirm that comes too late waits
 * for the undo and rejects with E514, or E515 where the undo failed. A rollback runs detached too, so it ends even
 * where it cuts the connection that asked for it; it rejects with E515, or E516 after a confirm. A reboot forgets
 * the undo: what must not survive a reboot unconfirmed is written on confirm.
 */
export async function armWatchdog(shell: Shell, options: WatchdogOptions): Promise<Pending> {
  const dog = watchdogAt(shell, options);
  await arm(shell, options, dog);
  let settled: State | undefined;

  async function settle(state: State): Promise<State> {
    settled = state;
    // What is left would only be a marker in /run: no reason to fail a change that is decided.
    await dog.ask("forget").catch(() => undefined);
    return state;
  }
  return {
    async confirm(signal) {
      const state = settled ?? (await settle(await dog.end("confirm", signal)));
      if (state.kind !== "confirmed") throw dog.failure(state);
    },
    async rollback(signal) {
      const state = settled ?? (await settle(await dog.end("rollback", signal)));
      if (state.kind !== "undone" || state.code !== 0) throw dog.failure(state);
    },
  };
}

async function arm(shell: Shell, options: WatchdogOptions, dog: Watchdog): Promise<void> {
  const { folder, id } = dog;
  let asked = false;
  try {
    await must(shell, ["mkdir", "-p", "-m", "0700", folder]);
    await shell.write(`${folder}/${id}.watch`, watchdogScript, 0o700);
    await shell.write(`${folder}/${id}.unarmed`, options.undo, 0o700);
    asked = true;
    const said = await must(shell, dog.argv("arm", String(options.after)));
    const there = await shell.read(`${folder}/${id}.sh`);
    if (said.trim() !== "armed" || there !== options.undo) throw new Error("the undo script read back is not ours");
  } catch (cause) {
    const forgotten = await dog.ask("forget").then(
      () => true,
      () => false,
    );
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      "E513",
      shell.name,
      `Undo not armed, so nothing was changed: ${text}`,
      // Armed all the same, it would take back what another apply does before it fires.
      forgotten || !asked
        ? "try it by hand on the device"
        : `the device may have armed it unheard: wait ${options.after} s before you apply again`,
      { cause },
    );
  }
}

type Watchdog = {
  readonly folder: string;
  readonly id: string;
  argv(verb: string, ...more: readonly string[]): readonly string[];
  ask(verb: string, signal?: AbortSignal): Promise<State>;
  /** Asks for an end and waits while the undo runs. */
  end(verb: "confirm" | "rollback", signal?: AbortSignal): Promise<State>;
  failure(state: State): Failure;
};

function watchdogAt(shell: Shell, options: WatchdogOptions): Watchdog {
  const { id, folder = undoFolder } = options;
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(id)) throw new RangeError(`Not an id for an undo: ${JSON.stringify(id)}`);
  if (!Number.isInteger(options.after) || options.after < 1)
    throw new RangeError(`Not a time to confirm in: ${options.after}`);
  if (!folder.startsWith("/")) throw new RangeError(`Not an absolute folder: ${JSON.stringify(folder)}`);
  const argv = (verb: string, ...more: readonly string[]): readonly string[] => [
    "sh",
    `${folder}/${id}.watch`,
    verb,
    folder,
    id,
    ...more,
  ];

  async function ask(verb: string, signal?: AbortSignal): Promise<State> {
    const ran = await shell.run(argv(verb), signal === undefined ? {} : { signal });
    if (ran.code === 0) return parseState(ran.stdout);
    throw new Failure(
      "E503",
      shell.name,
      `Undo ${id} can't be asked: ${lineOf(ran)}`,
      `look into ${folder} on the device`,
    );
  }
  return {
    folder,
    id,
    argv,
    ask,
    async end(verb, signal) {
      let state = await ask(verb, signal);
      for (let waited = 0; isUnderWay(verb, state) && waited < undoLimit; waited += 100) {
        await pause(100, undefined, signal === undefined ? {} : { signal });
        // The undo may cut the connection for a while.
        state = await ask("state", signal).catch(() => state);
      }
      return state;
    },
    failure: (state) => failureOf(shell.name, id, state),
  };
}

/** After `rollback` the device may still say `armed` for a moment: the detached undo has yet to take its script. */
function isUnderWay(verb: "confirm" | "rollback", state: State): boolean {
  return state.kind === "running" || (verb === "rollback" && state.kind === "armed");
}

function failureOf(at: string, id: string, state: State): Failure {
  switch (state.kind) {
    case "undone":
      return state.code === 0
        ? new Failure(
            "E514",
            at,
            `Change ${id} was not confirmed in time; the device went back`,
            "look why it took so long, then apply again",
          )
        : new Failure(
            "E515",
            at,
            `Undo of ${id} ended with ${state.code}: ${state.log}`,
            "look at the device by hand: it may be half-way",
          );
    case "confirmed":
      return new Failure(
        "E516",
        at,
        `Change ${id} was confirmed, it can't be rolled back any more`,
        "plan and apply the change back",
      );
    case "armed":
    case "running":
      return new Failure("E515", at, `Undo of ${id} does not end`, "look at the device by hand: it may be half-way");
    case "gone":
      return new Failure(
        "E515",
        at,
        `Nothing is left of the undo of ${id}: was the device restarted?`,
        "plan again: it shows what the device holds",
      );
  }
}

function parseState(text: string): State {
  const [first = "", ...log] = text.split("\n");
  const [word = "", code] = first.split(" ");
  switch (word) {
    case "armed":
    case "running":
    case "confirmed":
      return { kind: word };
    case "undone":
      return {
        kind: "undone",
        code: code === undefined ? 1 : Number.parseInt(code, 10),
        log: printable(log.join("\n").trim()),
      };
    default:
      return { kind: "gone" };
  }
}

async function must(shell: Shell, argv: readonly string[]): Promise<string> {
  const ran = await shell.run(argv);
  if (ran.code !== 0) throw new Error(lineOf(ran));
  return ran.stdout;
}

function lineOf(ran: Ran): string {
  return printable(ran.stderr.trim().slice(0, 300)) || `exit ${ran.code}`;
}
