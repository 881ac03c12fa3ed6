import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { runProcess } from "./process.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";

/** One word for the far side's POSIX shell: in single quotes, whatever is in it. */
export function quoteWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Exit status 255 is ssh's own: not reached, not let in (ssh(1), EXIT STATUS). */
const sshFailed = 255;

/**
 * A machine behind the system's `ssh`: the user's config, agent, jump hosts and known_hosts hold. One connection is
 * kept for a minute (ControlMaster). BatchMode: it never asks; an unknown host key is an error, not a question.
 * `target` is what ssh takes (`root@fw`), refused when it could be read as an option.
 */
export function sshShell(target: string): Shell {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@:[\]-]*$/.test(target)) {
    throw new Failure("E503", `ssh ${JSON.stringify(target)}`, "Not a target that ssh takes", "write user@host");
  }
  const name = `ssh ${target}`;
  const socket = join(tmpdir(), `sixgate-ssh-${createHash("sha256").update(target).digest("hex").slice(0, 16)}`);
  const base = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ControlMaster=auto", "-o", `ControlPath=${socket}`, "-o", "ControlPersist=60", "--", target];

  async function run(argv: readonly string[], options?: RunOptions): Promise<Ran> {
    const ran = await runProcess(name, [...base, argv.map(quoteWord).join(" ")], options);
    if (ran.code !== sshFailed) return ran;
    throw new Failure("E503", name, `Not reached: ${ran.stderr.trim().slice(0, 300)}`, `try \`ssh ${target} true\` by hand`);
  }
  async function must(argv: readonly string[], what: string, options?: RunOptions): Promise<string> {
    const ran = await run(argv, options);
    if (ran.code === 0) return ran.stdout;
    throw new Failure("E504", name, `${what}: ${ran.stderr.trim().slice(0, 300)}`, "look at the path's rights on the device");
  }
  return {
    name,
    run,
    async read(path) {
      const ran = await run(["sh", "-c", 'if [ ! -e "$1" ]; then exit 44; fi; exec cat -- "$1"', "sh", path]);
      if (ran.code === 44) return undefined;
      if (ran.code === 0) return ran.stdout;
      throw new Failure("E504", name, `Can't read ${path}: ${ran.stderr.trim().slice(0, 300)}`, "look at the path's rights on the device");
    },
    async list(folder) {
      const text = await must(["sh", "-c", 'if [ ! -d "$1" ]; then exit 0; fi; exec ls -1A -- "$1"', "sh", folder], `Can't list ${folder}`);
      return text.split("\n").filter((line) => line !== "").sort();
    },
    async write(path, text, mode = 0o644) {
      const script = 'set -e; mkdir -p "$(dirname "$1")"; umask 077; cat >"$1.sixgate-new"; chmod "$2" "$1.sixgate-new"; sync "$1.sixgate-new"; mv -f "$1.sixgate-new" "$1"';
      await must(["sh", "-c", script, "sh", path, mode.toString(8)], `Can't write ${path}`, { input: text });
    },
    async remove(path) {
      await must(["rm", "-f", "--", path], `Can't remove ${path}`);
    },
  };
}
