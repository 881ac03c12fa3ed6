import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Shell } from "../../runtime/shell.ts";
import { undoWaits } from "../earlier-undo.ts";

/** What a product's shell has of ours, and what people do when it can't be used. */
export type ExecOptions = {
  /** Product's name, for messages: `pfSense`. */
  readonly product: string;
  /** Where our files are: on the file system that outlives a restart. */
  readonly folder: string;
  readonly programPath: string;
  /** PHP text. */
  readonly program: string;
  /** What the device runs at the end of each boot, while a change waits. */
  readonly bootHookPath: string;
  /** What is wrong with the login shell where it does not run commands of several words, and the fix. */
  readonly noShell: string;
  readonly fix: string;
};

/** A device's own PHP, over a root shell, and the undo that it keeps. */
export type Exec = {
  readonly folder: string;
  /** Rejects with E557 where the shell is not root's, or none that runs what it is asked. */
  check(signal?: AbortSignal): Promise<void>;
  install(): Promise<void>;
  /** Runs a verb of the program; a path stands for what is kept under that id. Rejects with E511. */
  php(words: readonly string[], input?: unknown, signal?: AbortSignal): Promise<void>;
  /** Path of what is kept under an id. */
  kept(id: string): string;
  /** Keeps the device's state under an id, for {@link undoOf}. Rejects with E554 where another change waits. */
  snapshot(id: string, input: unknown, signal?: AbortSignal): Promise<void>;
  /** Text for sh(1) that puts back what was kept. What was kept stays where that fails, for people. */
  undoOf(id: string): string;
  /** From now on a restart runs the undo that waits. Not before there is one: else nothing takes it away but a restart. */
  atBoot(): Promise<void>;
  forget(id: string): Promise<void>;
};

export function execAt(shell: Shell, options: ExecOptions): Exec {
  const { folder, programPath, program, bootHookPath } = options;
  const kept = (id: string): string => `${folder}/${id}.json`;
  async function php(words: readonly string[], input?: unknown, signal?: AbortSignal): Promise<void> {
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
      `${options.product}'s PHP could not do "${words[0]}" (${ran.code}): ${said}`,
      "nothing of it was done; look at the device's log",
    );
  }
  return {
    folder,
    kept,
    php,
    check: (signal) => check(shell, options, signal),
    async install() {
      if ((await shell.read(programPath)) !== program) await shell.write(programPath, program, 0o700);
      const text = bootHookFor(folder);
      if ((await shell.read(`${folder}/boot-hook`)) !== text) await shell.write(`${folder}/boot-hook`, text, 0o755);
    },
    async snapshot(id, input, signal) {
      await refuseSecond(shell, folder);
      await dropForgotten(shell, folder);
      await php(["snapshot", kept(id)], input, signal);
    },
    undoOf: (id) =>
      `php ${programPath} restore ${kept(id)}\ncode=$?\nrm -f ${bootHookPath}\n[ "$code" -eq 0 ] && rm -f ${kept(id)}\nexit "$code"\n`,
    atBoot: () => hangUp(shell, folder, bootHookPath),
    async forget(id) {
      await shell.remove(bootHookPath);
      await shell.remove(kept(id));
    },
  };
}

/** What was kept for changes whose maker was gone between keeping and arming, or between confirming and forgetting. */
async function dropForgotten(shell: Shell, folder: string): Promise<void> {
  const old = ["-maxdepth", "1", "-name", "*.json", "-mmin", "+180"];
  await shell.run(["find", folder, ...old, "-exec", "rm", "-f", "{}", "+"]);
}

async function hangUp(shell: Shell, folder: string, bootHookPath: string): Promise<void> {
  const ran = await shell.run(["sh", "-c", hangHook, "sh", folder, bootHookPath]);
  if (ran.code === 0) return;
  const said = printable(ran.stderr.trim().slice(0, 300));
  throw new Failure("E513", shell.name, `No undo at boot: ${said}`, `look at ${bootHookPath} on the device`);
}

/**
 * Puts the hook in its place, and takes it away again where no undo waits any more: one that fires later takes it away itself,
 * after its script has another name.
 */
const hangHook = `mkdir -p "$(dirname "$2")" && cp -p "$1/boot-hook" "$2.new" && mv -f "$2.new" "$2" || exit 1
for each in "$1"/*.sh; do if [ -e "$each" ]; then exit 0; fi; done
rm -f "$2"`;

/**
 * Runs what is left of a change that nobody confirmed before a restart: the configuration was written already, and the
 * waiting process is gone. Does nothing when there is none, and removes itself.
 */
function bootHookFor(folder: string): string {
  return `#!/bin/sh
# sixgate: takes back a change that was not confirmed before this restart.
PATH=$PATH:/usr/local/bin:/usr/local/sbin
cd ${folder} 2>/dev/null || exit 0
for each in *.sh *.running; do
  [ -e "$each" ] || continue
  id=\${each%.*}
  # One that runs already was cut off by the restart: it can be run again.
  [ "$each" = "$id.running" ] || mv "$each" "$id.running" || continue
  sh "./$id.running" >"$id.log" 2>&1
  rm -f "$id.running"
done
rm -f "$0"
`;
}

/** Found out by a command of several words whose answer only a real shell gives. */
async function check(shell: Shell, { product, noShell, fix }: ExecOptions, signal?: AbortSignal): Promise<void> {
  const script = 'printf "%s %s" "$1" "$(id -u)"; command -v php >/dev/null && printf " php"';
  const ran = await shell.run(["sh", "-c", script, "sh", "two words"], signal === undefined ? {} : { signal });
  if (ran.code === 0 && ran.stdout === "two words 0 php") return;
  const text =
    ran.stdout === "two words 0"
      ? `The shell has no php: is this ${product}?`
      : ran.stdout.startsWith("two words")
        ? "The shell is not root's"
        : noShell;
  throw new Failure("E557", shell.name, text, fix);
}

/** An undo that still waits belongs to another apply, which would take back what we do when it fires. */
async function refuseSecond(shell: Shell, folder: string): Promise<void> {
  const waiting = (await shell.list(folder)).filter((name) => name.endsWith(".sh"));
  if (waiting.length > 0) throw undoWaits(shell, waiting);
}
