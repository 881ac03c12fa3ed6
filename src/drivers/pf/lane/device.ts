import { Failure } from "../../../base/failure.ts";
import { printable } from "../../../base/printable.ts";
import type { Instant } from "../../../base/time.ts";
import { type Address, parseAddress } from "../../../net/address.ts";
import { comparePrefixes, type Prefix, parsePrefix, prefixOf } from "../../../net/prefix.ts";
import type { Ran, Shell } from "../../../runtime/shell.ts";
import { anywhere, sourceAlias } from "../names.ts";
import { type PfState, parseStates } from "../pfctl.ts";
import { type Entry, endIn, parseTableName } from "./entries.ts";
import { cronPath, cronText, script, scriptPath } from "./script.ts";

/** What pf has of the lane. */
export type Shown = {
  readonly entries: readonly Entry[];
  /** Tables with a rule that lets in what they say, from whom they say. What is in another lets nothing in. */
  readonly ready: ReadonlySet<string>;
};

export type DeviceChange = {
  readonly gone: readonly Entry[];
  readonly there: readonly Entry[];
  /** The flows to these are told. */
  readonly ask: readonly Address[];
};

/** The lane's script on a device. Every call rejects with E591 where it did not do all, or its answer isn't whole. */
export type LaneDevice = {
  install(): Promise<void>;
  /** All of it, or what is at one address. */
  show(at?: Address, signal?: AbortSignal): Promise<Shown>;
  /** Undefined, and nothing was done, where a table is not there. */
  change(change: DeviceChange, signal?: AbortSignal): Promise<readonly PfState[] | undefined>;
  cut(states: readonly PfState[], signal?: AbortSignal): Promise<void>;
};

/** Milliseconds: the script waits half a minute for its turn. */
const timeout = 60_000;
/** What sh(1) and lockf(1) end with: a table is not there; nobody got the turn in time. */
const lacks = 3;
const busy = 75;

/** `uplink` is the interface on which a rule has to stand for an opening to be one. */
export function laneDevice(shell: Shell, uplink: string): LaneDevice {
  async function run(words: readonly string[], input: string, signal?: AbortSignal): Promise<Ran> {
    const ran = await shell.run(["sh", scriptPath, ...words], { input, timeout, ...(signal && { signal }) });
    if (ran.code === 0 || ran.code === lacks) return ran;
    throw refused(shell, words, ran);
  }
  return {
    async install() {
      if ((await shell.read(scriptPath)) !== script) await shell.write(scriptPath, script, 0o700);
      if ((await shell.read(cronPath)) !== cronText) await shell.write(cronPath, cronText, 0o644);
    },
    async show(at, signal) {
      const ran = await run(["show", ...(at === undefined ? [] : [at])], "", signal);
      return parseShown(shell, ran.stdout, uplink);
    },
    async change({ gone, there, ask }, signal) {
      const lines = [
        ...gone.map(({ table, to }) => `- ${table} ${to}`),
        ...there.map(({ table, to, ends }) => `+ ${table} ${to}${ends === undefined ? "" : ` ${ends}`}`),
        ...ask.map((to) => `? ${to}`),
      ];
      const ran = await run(["change"], `${lines.join("\n")}\n`, signal);
      return ran.code === lacks ? undefined : parseStates(ran.stdout);
    },
    async cut(states, signal) {
      await run(["cut"], states.map(({ id, creator }) => `${id}/${creator}\n`).join(""), signal);
    },
  };
}

function refused(shell: Shell, words: readonly string[], ran: Ran): Failure {
  const said = printable((ran.stderr.trim() || ran.stdout.trim()).slice(0, 400)) || "nothing";
  const text = ran.code === busy ? "it was busy for half a minute" : `it ended with ${ran.code} and said: ${said}`;
  return new Failure(
    "E591",
    shell.name,
    `The device did not do "${words[0]}" of openings: ${text}`,
    `try \`sh ${scriptPath} show\` there by hand`,
  );
}

function notUnderstood(shell: Shell, line: string): Failure {
  return new Failure(
    "E591",
    shell.name,
    `What the device says of openings is not understood: "${printable(line.slice(0, 100))}"`,
    `look at \`sh ${scriptPath} show\` on it`,
  );
}

/** Sections of lines, each behind `= NAME`; the last one says that the answer is whole. */
function sectionsOf(shell: Shell, text: string): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let current: string[] | undefined;
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "") continue;
    if (line.startsWith("= ")) {
      current = [];
      sections.set(line.slice(2), current);
    } else if (current === undefined) throw notUnderstood(shell, line);
    else current.push(line);
  }
  if (!sections.has("end")) throw notUnderstood(shell, "an answer without an end");
  return sections;
}

function parseShown(shell: Shell, text: string, uplink: string): Shown {
  const sections = sectionsOf(shell, text);
  const ends = new Map<string, Instant>();
  for (const line of sections.get("ends") ?? []) {
    const found = endIn(line);
    if (found === undefined) throw notUnderstood(shell, line);
    ends.set(...found);
  }
  const sources = new Map<string, readonly Prefix[]>();
  const tables = [...sections].flatMap(([name, lines]) =>
    name.startsWith("table ") ? [[name.slice("table ".length), lines] as const] : [],
  );
  for (const [name, lines] of tables)
    if (name.startsWith("sgs_")) sources.set(name, lines.map((line) => sourceIn(shell, line)).sort(comparePrefixes));
  const asked = rulesIn(sections.get("rules") ?? [], uplink);
  const ready = new Set<string>();
  const entries: Entry[] = [];
  for (const [table, lines] of tables) {
    const name = parseTableName(table);
    const from = name === undefined ? undefined : fromOf(name.sources, asked.get(table), sources);
    if (name === undefined || from === undefined) continue;
    ready.add(table);
    for (const line of lines) {
      const to = parseAddress(line);
      if (to === undefined) throw notUnderstood(shell, line);
      const end = ends.get(`${table} ${to}`);
      entries.push({
        table,
        to,
        service: name.service,
        from,
        ...(name.timed && end !== undefined ? { ends: end } : {}),
      });
    }
  }
  return { entries, ready };
}

function sourceIn(shell: Shell, line: string): Prefix {
  const single = parseAddress(line);
  const found = single === undefined ? parsePrefix(line) : prefixOf(single, 128);
  if (found === undefined) throw notUnderstood(shell, line);
  return found;
}

/** By the table that they let in to: the sources as the rule has them, `any` or the name of a table. */
function rulesIn(lines: readonly string[], uplink: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, on, from, table] =
      /^pass in .*?quick on (\S+) .*?from (\S+) to <(sg[lt]_\w+)(?::[\d*]+)?>/.exec(line) ?? [];
    if (on === uplink && from !== undefined && table !== undefined) found.set(table, from);
  }
  return found;
}

/** Undefined where no rule asks the table, or one that lets in others than its name says. */
function fromOf(
  hash: string | undefined,
  asked: string | undefined,
  sources: ReadonlyMap<string, readonly Prefix[]>,
): readonly Prefix[] | undefined {
  if (hash === undefined) return asked === "any" ? [anywhere] : undefined;
  const named = /^<(sgs_[0-9a-f]{8})(?::[\d*]+)?>$/.exec(asked ?? "")?.[1];
  const from = named === undefined ? undefined : sources.get(named);
  if (from === undefined || named !== `sgs_${hash}` || sourceAlias("l", from) !== named) return undefined;
  return from;
}
