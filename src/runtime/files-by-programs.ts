import { Failure } from "../base/failure.ts";
import type { Ran, RunOptions, Shell } from "./shell.ts";

type Run = (argv: readonly string[], options?: RunOptions) => Promise<Ran>;

/** A file that is not there; no exit code of cat or sh. */
const absent = 44;

/**
 * `absent PATH`: ends with 44 when there is no such file. Where a folder on the way may not be entered, test(1) says
 * "not there" of what is below it: that is unknown, not absent, and fails.
 */
const absentScript = `absent() {
  if [ -e "$1" ]; then return; fi
  above=$(dirname -- "$1")
  while [ ! -e "$above" ] && [ "$above" != / ] && [ "$above" != . ]; do above=$(dirname -- "$above"); done
  if [ ! -d "$above" ] || [ -x "$above" ]; then exit ${absent}; fi
  echo "$above: Permission denied" >&2
  exit 1
}
`;
const readScript = `${absentScript}absent "$1"; exec cat -- "$1"`;
const listScript = `${absentScript}absent "$1"; if [ ! -d "$1" ]; then exit ${absent}; fi; exec ls -1A -- "$1"`;
const writeScript =
  'set -e; mkdir -p "$(dirname "$1")"; umask 077; cat >"$1.sixgate-new"; chmod "$2" "$1.sixgate-new"; sync "$1.sixgate-new"; mv -f "$1.sixgate-new" "$1"';

/** The file half of a Shell where files are reached by programs that run in the place: sh, cat, ls, mv of POSIX. */
export function filesByPrograms(name: string, run: Run): Pick<Shell, "read" | "list" | "write" | "remove"> {
  const fail = (what: string, ran: Ran): Failure =>
    new Failure("E504", name, `${what}: ${ran.stderr.trim().slice(0, 300)}`, "look at the path's rights on the device");
  return {
    async read(path) {
      const ran = await run(["sh", "-c", readScript, "sh", path]);
      if (ran.code === absent) return undefined;
      if (ran.code === 0) return ran.stdout;
      throw fail(`Can't read ${path}`, ran);
    },
    async list(folder) {
      const ran = await run(["sh", "-c", listScript, "sh", folder]);
      if (ran.code === absent) return [];
      if (ran.code !== 0) throw fail(`Can't list ${folder}`, ran);
      return ran.stdout
        .split("\n")
        .filter((line) => line !== "")
        .sort();
    },
    async write(path, text, mode = 0o644) {
      const ran = await run(["sh", "-c", writeScript, "sh", path, mode.toString(8)], { input: text });
      if (ran.code !== 0) throw fail(`Can't write ${path}`, ran);
    },
    async remove(path) {
      const ran = await run(["rm", "-f", "--", path]);
      if (ran.code !== 0) throw fail(`Can't remove ${path}`, ran);
    },
  };
}
