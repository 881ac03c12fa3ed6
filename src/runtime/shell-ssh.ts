import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { filesByPrograms } from "./files-by-programs.ts";
import { runProcess } from "./process.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";

/** One word for the far side's login shell: in single quotes, whatever is in it. Only csh sees anything in a `!` there. */
export function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`).replaceAll("!", `'\\!'`)}'`;
}

/**
 * A program with its words as one line that means the same to every login shell, csh(1) too: OPNsense hands what root is
 * asked over ssh to csh, which takes no line end in quotes. Words with line ends are put together by a sh(1) over there.
 */
export function commandLine(argv: readonly string[]): string {
  if (!argv.some((word) => word.includes("\n"))) return argv.map(quoteWord).join(" ");
  const words = argv.map((word) => `'${word.replaceAll("'", `'\\''`).replaceAll("\n", `'"$nl"'`)}'`);
  return `sh -c ${quoteWord(`nl=$(printf "\\n."); nl=\${nl%.}; ${words.join(" ")}`)}`;
}

/** Exit status 255 is ssh's own: not reached, not let in (ssh(1), EXIT STATUS). */
const sshFailed = 255;

let folder: string | undefined;

/** Of this process alone, mode 0700: a name that others can guess in a folder that they can write to could be theirs. */
function socketFolder(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "sixgate-ssh-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return folder;
}

/**
 * A machine behind the system's `ssh`: the user's config, agent, jump hosts and known_hosts hold. One connection is
 * kept for this process, and ten seconds longer (ControlMaster). BatchMode: it never asks; an unknown host key is an error, not a question.
 * `target` is what ssh takes (`root@fw`), refused when it could be read as an option.
 */
export function sshShell(target: string): Shell {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@:[\]-]*$/.test(target)) {
    throw new Failure("E503", `ssh ${JSON.stringify(target)}`, "Not a target that ssh takes", "write user@host");
  }
  const name = `ssh ${target}`;
  const options = [
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ControlMaster=auto",
    `ControlPath=${join(socketFolder(), "%C")}`,
    "ControlPersist=10",
  ];
  const base = ["ssh", ...options.flatMap((option) => ["-o", option]), "--", target];
  async function run(argv: readonly string[], ranWith?: RunOptions): Promise<Ran> {
    const ran = await runProcess(name, [...base, commandLine(argv)], ranWith);
    if (ran.code !== sshFailed) return ran;
    throw new Failure(
      "E503",
      name,
      `Not reached: ${ran.stderr.trim().slice(0, 300)}`,
      `try \`ssh ${target} true\` by hand`,
    );
  }
  /** Alone: neither over the kept connection nor keeping one. */
  async function reconnect(): Promise<void> {
    const alone = ["BatchMode=yes", "ConnectTimeout=10", "ControlMaster=no", "ControlPath=none"];
    const ran = await runProcess(name, ["ssh", ...alone.flatMap((option) => ["-o", option]), "--", target, "true"]);
    if (ran.code === 0) return;
    throw new Failure(
      "E503",
      name,
      `No new connection: ${ran.stderr.trim().slice(0, 300)}`,
      `try \`ssh ${target} true\` by hand`,
    );
  }
  return { name, run, reconnect, ...filesByPrograms(name, run) };
}
