import { Failure } from "../../../base/failure.ts";
import { printable } from "../../../base/printable.ts";
import type { Elements, Site } from "../../../proof/filter-rules.ts";
import type { Shell } from "../../../runtime/shell.ts";
import { tableName } from "./around.ts";
import { parseLines, type RuleLine } from "./lines.ts";
import { type Interfaces, parseInterfaces, parseSite } from "./site.ts";
import { tableElements } from "./tables.ts";
import { tablesIn } from "./understand.ts";

/** Everything that decides on a machine with pf, as its programs print it. */
export type Read = {
  readonly isOn: boolean;
  readonly filter: readonly RuleLine[];
  readonly translation: readonly RuleLine[];
  readonly tables: ReadonlyMap<string, Elements>;
  readonly skipped: readonly string[];
  readonly interfaces: Interfaces;
  readonly site: Site;
};

/** Milliseconds. */
const readLimit = 120_000;

/** How often rules that were loaded anew while they were read are read again. */
const attempts = 3;

/**
 * Reads pf with pfctl(8), `-P` so that ports stay numbers, and the anchors with all that is in them. Rejects with E970
 * unless all of it could be read and has the form that is known.
 */
export async function readPf(shell: Shell, signal?: AbortSignal): Promise<Read> {
  for (let attempt = 1; ; attempt++) {
    const before = checksumIn(await printed(shell, ["pfctl", "-vsi"], signal));
    const read = await readOnce(shell, signal);
    if (before === checksumIn(await printed(shell, ["pfctl", "-vsi"], signal))) return read;
    if (attempt === attempts)
      throw new Failure("E970", shell.name, "pf's rules were loaded anew each time that they were read", "try again");
  }
}

/** pf keeps a checksum of the rules that are loaded: by it the parts are known to belong together. */
function checksumIn(info: string): string | undefined {
  return /^Checksum: (\S+)/m.exec(info)?.[1];
}

async function readOnce(shell: Shell, signal?: AbortSignal): Promise<Read> {
  const print = (argv: readonly string[]): Promise<string> => printed(shell, argv, signal);
  const info = await print(["pfctl", "-si"]);
  const filterText = await print(["pfctl", "-a", "*", "-P", "-vvsr"]);
  const translationText = await print(["pfctl", "-a", "*", "-P", "-vvsn"]);
  const devices = await print(["pfctl", "-vsI"]);
  const links = await print(["ifconfig", "-a"]);
  const routes = await print(["netstat", "-rnW", "-f", "inet6"]);
  const [filter, translation] = understood(shell, () => [parseLines(filterText), parseLines(translationText)] as const);
  const wanted = tablesIn([...filter, ...translation]);
  const tablesText =
    wanted.length === 0
      ? ""
      : await print(["sh", "-c", tablesScript, "sh", ...wanted.flatMap(({ anchor, table }) => [anchor, table])]);
  return understood(shell, () => {
    const interfaces = parseInterfaces(links);
    return {
      isOn: isOn(info),
      filter,
      translation,
      tables: parseTables(tablesText, wanted),
      skipped: [...devices.matchAll(/^(\S+) \(skip\)/gm)].map(([, name = ""]) => name),
      interfaces,
      site: parseSite(routes, interfaces),
    };
  });
}

function isOn(info: string): boolean {
  const [, status] = /^Status: (Enabled|Disabled)/m.exec(info) ?? [];
  if (status === undefined) throw new RangeError("pfctl -si does not say whether pf is on");
  return status === "Enabled";
}

/**
 * One process for all, by anchor and name. A table that an anchor has not is that of the main rules, and one that is
 * nowhere has nothing in it: pfctl(8) says of both that they do not exist, and ends with an error for all else.
 */
const tablesScript = `show() {
  said=$(pfctl "$@" -T show 2>&1 </dev/null) && return 0
  case $said in *"does not exist"*) return 1 ;; esac
  echo "$said" >&2
  exit 1
}
while [ $# -gt 0 ]; do
  said=
  if [ -n "$1" ]; then show -a "$1" -t "$2" || show -t "$2" || said=; else show -t "$2" || said=; fi
  echo "= table"
  [ -z "$said" ] || echo "$said"
  shift 2
done`;

function parseTables(
  text: string,
  wanted: readonly { readonly anchor: string; readonly table: string }[],
): ReadonlyMap<string, Elements> {
  const parts = text === "" ? [] : text.split(/^= table$/m).slice(1);
  if (parts.length !== wanted.length) throw new RangeError(`${parts.length} of ${wanted.length} tables were answered`);
  return new Map(
    wanted.map(({ anchor, table }, at) => {
      const name = tableName(anchor, table);
      const lines = (parts[at] ?? "").split("\n").map((line) => line.trim());
      return [
        name,
        tableElements(
          name,
          lines.filter((line) => line !== ""),
        ),
      ];
    }),
  );
}

async function printed(shell: Shell, argv: readonly string[], signal?: AbortSignal): Promise<string> {
  const ran = await shell.run(argv, { timeout: readLimit, ...(signal === undefined ? {} : { signal }) });
  if (ran.code === 0) return ran.stdout;
  throw new Failure(
    "E970",
    shell.name,
    `\`${argv.slice(0, 6).join(" ").slice(0, 60)}\` ended with ${ran.code}: ${printable(ran.stderr.trim().slice(0, 300))}`,
    "what is loaded can't be judged without it: try it by hand on the gateway, the shell has to be root's",
  );
}

function understood<T>(shell: Shell, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      "E970",
      shell.name,
      `Rules, tables or routes in a form that is not understood: ${printable(text)}`,
      "report it",
      {
        cause,
      },
    );
  }
}
