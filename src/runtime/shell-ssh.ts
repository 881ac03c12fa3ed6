import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { filesByPrograms } from "./files-by-programs.ts";
import { runProcess } from "./process.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";
import { socketFolder } from "./socket-folder.ts";

/** One word for the far side's login shell: in single quotes, whatever is in it. Only csh sees anything in a `!` there. */
export function quoteWord(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`).replaceAll("!", `'\\!'`)}'`;
}

/** What a program's own 255 is told by on standard error, for ssh has that status too. */
const ownStatus = "sixgate: the program itself ended with 255\n";
const tellOwnStatus = `code=$?; [ $code -ne 255 ] || echo "${ownStatus.trim()}" >&2; exit $code`;

/**
 * A program with its words as one line that means the same to every login shell, csh(1) too: OPNsense hands what root is
 * asked over ssh to csh, which takes no line end in quotes. A sh(1) over there runs it, puts words with line ends together,
 * and says so where the program ends with 255.
 */
export function commandLine(argv: readonly string[]): string {
  if (!argv.some((word) => word.includes("\n")))
    return `sh -c ${quoteWord(`"$@"; ${tellOwnStatus}`)} sh ${argv.map(quoteWord).join(" ")}`;
  const words = argv.map((word) => `'${word.replaceAll("'", `'\\''`).replaceAll("\n", `'"$nl"'`)}'`);
  return `sh -c ${quoteWord(`nl=$(printf "\\n."); nl=\${nl%.}; ${words.join(" ")}; ${tellOwnStatus}`)}`;
}

/**
 * Exit status 255 is ssh's own: not reached, not let in, cut off (ssh(1), EXIT STATUS). PHP has it too, after a fatal
 * error; then the far side said so, behind all that the program printed.
 */
const sshFailed = 255;

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
    // A cut cable says nothing: without these a call would wait for its own timeout, minutes for some.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=4",
  ];
  const base = ["ssh", ...options.flatMap((option) => ["-o", option]), "--", target];
  async function run(argv: readonly string[], ranWith?: RunOptions): Promise<Ran> {
    const ran = await runProcess(name, [...base, commandLine(argv)], ranWith);
    if (ran.code !== sshFailed) return ran;
    const told = ran.stderr.lastIndexOf(ownStatus);
    if (told >= 0)
      return { ...ran, stderr: `${ran.stderr.slice(0, told)}${ran.stderr.slice(told + ownStatus.length)}` };
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
