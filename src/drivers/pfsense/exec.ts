import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Prefix } from "../../net/prefix.ts";
import type { Shell } from "../../runtime/shell.ts";
import { bootHook, bootHookPath, folder, program, programPath } from "./program.ts";

/** What is added to and taken from an alias. */
export type MemberChange = { readonly add: readonly string[]; readonly remove: readonly string[] };

/** pfSense's own PHP over a root shell: what the REST API package can't do. */
export type Exec = {
  /** Rejects with E557 unless the shell runs what it is told, as root, with PHP. */
  check(signal?: AbortSignal): Promise<void>;
  /** Puts our program there; once is enough. */
  install(): Promise<void>;
  /** Keeps what is ours, and those interfaces, under that name. Rejects with E554 where another change waits. */
  snapshot(id: string, interfaces: readonly string[], signal?: AbortSignal): Promise<void>;
  /** The text of the script that puts a snapshot back, for the watchdog. */
  undoOf(id: string): string;
  /** Removes a snapshot, and what would run at the next boot. */
  forget(id: string): Promise<void>;
  /** Gives each rule of ours its own tracker, and interfaces the keys back that `id` has and the API lost. */
  tidy(id: string | undefined, known: readonly string[], signal?: AbortSignal): Promise<void>;
  nowhere(network: Prefix, present: boolean, signal?: AbortSignal): Promise<void>;
  members(changes: Readonly<Record<string, MemberChange>>, signal?: AbortSignal): Promise<void>;
};

export function execAt(shell: Shell): Exec {
  async function php(words: readonly string[], input: unknown, signal?: AbortSignal): Promise<void> {
    const ran = await shell.run(["php", programPath, ...words], {
      input: input === undefined ? "" : JSON.stringify(input),
      timeout: 300_000,
      ...(signal === undefined ? {} : { signal }),
    });
    if (ran.code === 0 && /^\{.*\}\s*$/.test(ran.stdout)) return;
    const said = printable((ran.stderr.trim() || ran.stdout.trim()).slice(0, 400));
    throw new Failure(
      "E511",
      shell.name,
      `pfSense's PHP could not do "${words[0]}" (${ran.code}): ${said}`,
      "nothing of it was done; look at the device's log",
    );
  }
  const kept = (id: string): string => `${folder}/${id}.json`;
  return {
    check: (signal) => check(shell, signal),
    async install() {
      if ((await shell.read(programPath)) !== program) await shell.write(programPath, program, 0o700);
    },
    async snapshot(id, interfaces, signal) {
      await refuseSecond(shell);
      await shell.write(bootHookPath, bootHook, 0o755);
      await php(["snapshot", kept(id)], { interfaces }, signal);
    },
    undoOf: (id) => `php ${programPath} restore ${kept(id)} && rm -f ${kept(id)} ${bootHookPath}\n`,
    async forget(id) {
      await shell.remove(bootHookPath);
      await shell.remove(kept(id));
    },
    tidy: (id, known, signal) => php(["tidy"], { snapshot: id === undefined ? "" : kept(id), known }, signal),
    nowhere: (network, present, signal) => php(["nowhere"], { network, present }, signal),
    members: (changes, signal) => php(["members"], changes, signal),
  };
}

/**
 * The login shell of `admin` is a menu that hands on the first word of a command alone; root's is a real one. Found out
 * by a command of several words whose answer only a real one gives.
 */
async function check(shell: Shell, signal?: AbortSignal): Promise<void> {
  const script = 'printf "%s %s" "$1" "$(id -u)"; command -v php >/dev/null && printf " php"';
  const ran = await shell.run(["sh", "-c", script, "sh", "two words"], signal === undefined ? {} : { signal });
  if (ran.code === 0 && ran.stdout === "two words 0 php") return;
  const text =
    ran.stdout === "two words 0"
      ? "The shell has no php: is this pfSense?"
      : ran.stdout.startsWith("two words")
        ? "The shell is not root's"
        : "The shell does not run a command of several words: admin's login shell is pfSense's menu";
  throw new Failure("E557", shell.name, text, "use exec: ssh:root@…, with your key among those of the user admin");
}

/** An undo that still waits belongs to another apply, which would take back what we do when it fires. */
async function refuseSecond(shell: Shell): Promise<void> {
  const waiting = (await shell.list(folder)).filter((name) => name.endsWith(".sh"));
  if (waiting.length === 0) return;
  throw new Failure(
    "E554",
    shell.name,
    `Another change waits for its confirmation on the device (${waiting.join(", ")})`,
    "wait until it is confirmed or has gone back, a minute as a rule, and plan again",
  );
}
