import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Instant } from "../../base/time.ts";
import type { Item } from "../../change/item.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";
import { deletionOf, type LiveFlow, parseFlows } from "./flows.ts";
import { parseElements, parseListing, parseTimedElements, type TimedElement } from "./listing.ts";
import { table } from "./ruleset.ts";
import { parseSessions, rememberInput, rememberScript } from "./sessions.ts";
import { roleOf } from "./set-shapes.ts";
import { isForeign, partsOf } from "./transaction.ts";

/** Milliseconds. A table of thousands of hosts takes nft many seconds to print. */
const readLimit = 120_000;

/** So often are flows cut anew because one of them ended just then. */
const mostCuts = 50;

/** The programs nft(8) and conntrack(8) on a device, and nothing else of them than what the driver needs. */
export type Nft = {
  /**
   * The table as items, without what labels and people opened; undefined when there is none. Rules first, then
   * elements: a change between the two shows in the next read.
   */
  read(signal?: AbortSignal): Promise<readonly Item[] | undefined>;
  /** The elements of some sets and maps, `set open_vm1`. Rejects where one is not there. */
  readonly elements: (sets: readonly string[], signal?: AbortSignal) => Promise<readonly Item[]>;
  /** The elements of one set with their ends; `now` is when they are asked for. */
  timedElements(set: string, now: Instant, signal?: AbortSignal): Promise<readonly TimedElement[]>;
  /** The table as nft prints it without counters and elements of sets; undefined when there is none. */
  print(signal?: AbortSignal): Promise<string | undefined>;
  /** One transaction. Rejects with E511 when the kernel or nft refuses it; then nothing of it is in force. */
  send(transaction: string, signal?: AbortSignal): Promise<void>;
  /** Rejects with E502 where conntrack is missing: without it live flows can't be cut. */
  requireConntrack(signal?: AbortSignal): Promise<void>;
  /**
   * Before the first table: connection tracking begins with it, would take what runs already for the middle of nothing, and
   * `nf_conntrack_tcp_loose=0` refuses that. So the gateway's own TCP sessions are told to it, the one that we came in by too.
   */
  keepSessions(signal?: AbortSignal): Promise<void>;
  /** Flows over IPv6, all of them or those to one address. */
  flows(to: string | undefined, signal?: AbortSignal): Promise<readonly LiveFlow[]>;
  /** Holds off, for a minute, whatever hosts still send into flows that are cut next (tuples of the set `cut`). */
  hold(tuples: readonly string[], signal?: AbortSignal): Promise<void>;
  /** A flow that ended by itself meanwhile is no error. */
  cut(flows: readonly LiveFlow[], signal?: AbortSignal): Promise<void>;
  /** Every IPv4 flow that leaves under a translated source. */
  cutTranslated(signal?: AbortSignal): Promise<void>;
};

export function nftAt(shell: Shell): Nft {
  const { run, must, list, elements } = commandsAt(shell);
  return {
    async read(signal) {
      const text = await list(["--json", "--numeric", "--terse"], signal);
      if (text === undefined) return undefined;
      const items = parseListing(text);
      return [...items, ...(await elements(items.flatMap(setToRead), signal))];
    },
    elements,
    async timedElements(set, now, signal) {
      const argv = ["nft", "--json", "--numeric", "list", "set", ...table.split(" "), set];
      return parseTimedElements(await must(argv, signal), now);
    },
    print: (signal) => list(["--stateless", "--numeric", "--terse"], signal),
    async send(transaction, signal) {
      await must(["nft", "-f", "-"], signal, transaction);
    },
    async requireConntrack(signal) {
      await must(["conntrack", "--version"], signal);
    },
    async keepSessions(signal) {
      const [established, listening] = await Promise.all([
        run(["ss", "-Htn", "state", "established"], undefined, signal),
        run(["ss", "-Htln"], undefined, signal),
      ]);
      const sessions = parseSessions(established.stdout, listening.stdout);
      if (sessions.length > 0) await run(["sh", "-c", rememberScript], rememberInput(sessions), signal);
    },
    async flows(to, signal) {
      return parseFlows(await must(["conntrack", "-L", "-f", "ipv6", ...(to === undefined ? [] : ["-d", to])], signal));
    },
    async hold(tuples, signal) {
      if (tuples.length === 0) return;
      const elements = tuples.map((each) => `${each} timeout 1m`).join(", ");
      const argv = ["nft", "-f", "-"];
      const ran = await run(argv, `add element ${table} cut { ${elements} }\n`, signal);
      // A full set (ENFILE) is no reason to let the flows be: only late answers over UDP would begin them anew then.
      if (ran.code !== 0 && !ran.stderr.includes("Too many open files")) throw refused(shell, argv, ran);
    },
    async cut(flows, signal) {
      if (flows.length === 0) return;
      // Through a pipe: conntrack opens /dev/stdin, which fails where it is a socket.
      const lines = `${flows.map(deletionOf).join("\n")}\n`;
      const argv = ["sh", "-c", "cat | conntrack --load-file -"];
      // A flow that is gone is no fault. One that ends between conntrack's look and its deletion makes it stop there, so
      // it is sent again: what it has done already is gone then.
      for (let tries = 1; ; tries++) {
        const ran = await run(argv, lines, signal);
        if (ran.code === 0) return;
        if (tries >= mostCuts || !ran.stderr.includes("such conntrack doesn't exist")) throw refused(shell, argv, ran);
      }
    },
    async cutTranslated(signal) {
      const argv = ["conntrack", "-D", "-f", "ipv4", "--src-nat"];
      const ran = await run(argv, undefined, signal);
      // Exit 1 with this word means that there was none.
      if (ran.code !== 0 && !ran.stderr.includes("0 flow entries have been deleted")) throw refused(shell, argv, ran);
    },
  };
}

type Commands = {
  readonly run: (argv: readonly string[], input: string | undefined, signal?: AbortSignal) => Promise<Ran>;
  /** What it printed; rejects unless it ended with 0. */
  readonly must: (argv: readonly string[], signal?: AbortSignal, input?: string) => Promise<string>;
  readonly list: (options: readonly string[], signal?: AbortSignal) => Promise<string | undefined>;
  readonly elements: Nft["elements"];
};

function commandsAt(shell: Shell): Commands {
  const run: Commands["run"] = (argv, input, signal) =>
    shell.run(argv, {
      timeout: readLimit,
      ...(input === undefined ? {} : { input }),
      ...(signal === undefined ? {} : { signal }),
    });
  const must: Commands["must"] = async (argv, signal, input) => {
    const ran = await run(argv, input, signal);
    if (ran.code === 0) return ran.stdout;
    throw refused(shell, argv, ran);
  };
  /**
   * Lists the table; undefined when there is none. nft says the same, exit 1, for that and for a failure, so then it is
   * asked which tables there are. Not before: nft 1.0 reads all sets of all tables for it.
   */
  const list: Commands["list"] = async (options, signal) => {
    const argv = ["nft", ...options, "list", "table", ...table.split(" ")];
    const ran = await run(argv, undefined, signal);
    if (ran.code === 0) return ran.stdout;
    if (ran.code === missingProgram) throw refused(shell, argv, ran);
    const tables = await must(["nft", "list", "tables"], signal);
    if (tables.split("\n").some((each) => each.trim() === `table ${table}`)) throw refused(shell, argv, ran);
    return undefined;
  };
  const elements: Commands["elements"] = async (sets, signal) => {
    if (sets.length === 0) return [];
    const names = sets.map((each) => each.split(" ")).map(([kind = "", name = ""]) => `${kind} ${table} ${name}`);
    // A set at a time: several in one command, or with the table, make nft 1.0.6 look into the wrong ones.
    const script = "for each; do nft --json --numeric list $each || exit; done";
    return parseElements(await must(["sh", "-c", script, "sh", ...names], signal));
  };
  return { run, must, list, elements };
}

/** `set bogons`, for a set or map of ours whose elements belong to `apply`. */
function setToRead(item: Item): readonly string[] {
  const { kind, name } = partsOf(item);
  if ((kind !== "set" && kind !== "map") || isForeign(item)) return [];
  const role = roleOf(name);
  return role === "structure" || role === "static" ? [`${kind} ${name}`] : [];
}

/** The exit status of a shell, and of nsenter, for a program that is not there. */
const missingProgram = 127;

function refused(shell: Shell, argv: readonly string[], ran: Ran): Failure {
  const program = argv[0] ?? "";
  const said = printable(ran.stderr.trim().slice(0, 400));
  if (ran.code === missingProgram) {
    return new Failure(
      "E502",
      shell.name,
      `"${program}" can't be started: ${said}`,
      `install ${program} on the gateway: \`apt-get install ${program === "nft" ? "nftables" : program}\``,
    );
  }
  return new Failure(
    "E511",
    shell.name,
    `\`${argv.join(" ")}\` ended with ${ran.code}: ${said}`,
    "nothing of it is in force; look at the gateway by hand",
  );
}
