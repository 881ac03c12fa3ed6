import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import { type Address, parseAddress } from "../../net/address.ts";
import { parsePrefix } from "../../net/prefix.ts";
import type { Ran, RunOptions, Shell } from "../../runtime/shell.ts";

/** A flow as pf lists it: its id, what it carries, and both ends. */
export type PfState = {
  readonly id: string;
  readonly creator: string;
  readonly protocol: string;
  /** In the order in which pf prints them. */
  readonly ends: readonly { readonly address: string; readonly port?: number }[];
  /** Whether the first packet came in at the interface; then the first end is where it went, else the last. */
  readonly cameIn: boolean;
};

/** The program pfctl(8), and netstat(1) and ifconfig(8) beside it, of FreeBSD. */
export type Pfctl = {
  /** The rules as the kernel has them, one a line, in their order. */
  rules(signal?: AbortSignal): Promise<readonly string[]>;
  /** Entries of each table, sorted; a table that is not there is missing in the map. */
  tables(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Adds and removes; what is there or gone already is no error. */
  change(table: string, add: readonly string[], remove: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Ends every flow to an address. */
  killTo(to: Address, signal?: AbortSignal): Promise<void>;
  /** Flows with an end at that address. */
  statesAt(address: Address, signal?: AbortSignal): Promise<readonly PfState[]>;
  kill(states: readonly PfState[], signal?: AbortSignal): Promise<void>;
  /** IPv6 routes: destination as prefix to next hop, without its zone. */
  routes(signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /** Addresses of an interface with their lengths; none where there is no such interface. */
  addresses(device: string, signal?: AbortSignal): Promise<readonly string[]>;
};

export function pfctlAt(shell: Shell): Pfctl {
  async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const ran = await shell.run(argv, { timeout: 60_000, ...options });
    if (ran.code === 0) return ran.stdout;
    throw failed(shell, argv, ran);
  }
  const by = (signal: AbortSignal | undefined): RunOptions => (signal === undefined ? {} : { signal });
  return {
    async rules(signal) {
      return linesOf(await must(["pfctl", "-sr"], by(signal)));
    },
    async tables(names, signal) {
      if (names.length === 0) return new Map();
      return parseTables(shell, await must(["sh", "-c", tablesScript, "sh", ...names], by(signal)));
    },
    async change(table, add, remove, signal) {
      for (const [verb, entries] of [
        ["delete", remove],
        ["add", add],
      ] as const) {
        if (entries.length === 0) continue;
        // By standard input: there may be more than a command line holds.
        await must(["pfctl", "-q", "-t", table, "-T", verb, "-f", "-"], {
          ...by(signal),
          input: `${entries.join("\n")}\n`,
        });
      }
    },
    async killTo(to, signal) {
      await must(["pfctl", "-q", "-k", "::/0", "-k", to], by(signal));
    },
    async statesAt(address, signal) {
      return parseStates(await must(["pfctl", "-vvss"], by(signal))).filter(({ ends }) =>
        ends.some((end) => end.address === address),
      );
    },
    async kill(states, signal) {
      for (const { id, creator } of states)
        await must(["pfctl", "-q", "-k", "id", "-k", `${id}/${creator}`], by(signal));
    },
    async routes(signal) {
      return parseRoutes(await must(["netstat", "-rnW", "-f", "inet6"], by(signal)));
    },
    async addresses(device, signal) {
      const ran = await shell.run(["ifconfig", device], by(signal));
      if (ran.code === 0) return parseAddresses(ran.stdout);
      if (/does not exist/.test(ran.stderr)) return [];
      throw failed(shell, ["ifconfig", device], ran);
    },
  };
}

/** One process for all. pfctl(8) ends with 255 where a table is not there, and says so. */
const tablesScript = `for table do
  echo "= $table"
  said=$(pfctl -t "$table" -T show 2>&1) && { [ -z "$said" ] || echo "$said"; continue; }
  case $said in *"does not exist"*) echo "- $table" ;; *) echo "$said" >&2; exit 1 ;; esac
done`;

function parseTables(shell: Shell, text: string): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of linesOf(text)) {
    if (line.startsWith("= ")) {
      current = [];
      tables.set(line.slice(2), current);
    } else if (line.startsWith("- ")) tables.delete(line.slice(2));
    else current.push(entryText(shell, line));
  }
  for (const entries of tables.values()) entries.sort();
  return tables;
}

/** As we write entries: canonical, an address without a length. pf shows `!` for entries turned round; none of ours is. */
function entryText(shell: Shell, line: string): string {
  const canonical = canonicalEntry(line);
  if (canonical !== undefined) return canonical;
  throw new Failure(
    "E517",
    shell.name,
    `Not an entry of a table: "${printable(line.slice(0, 100))}"`,
    "look at `pfctl -T show`",
  );
}

export function canonicalEntry(text: string): string | undefined {
  return (
    parseAddress(text) ??
    parsePrefix(text)?.replace(/\/128$/, "") ??
    (/^[0-9.]+(\/[0-9]+)?$/.test(text) ? text : undefined)
  );
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** Destinations with their length; `default` is ::/0. */
function parseRoutes(text: string): ReadonlyMap<string, string> {
  const routes = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [to = "", via = ""] = line.split(/\s+/);
    const bare = to.replace(/%[^/]*/, "");
    const prefix =
      to === "default"
        ? "::/0"
        : (parsePrefix(bare) ?? (parseAddress(bare) === undefined ? undefined : `${parseAddress(bare)}/128`));
    const hop = via.replace(/%.*$/, "");
    if (prefix !== undefined && !routes.has(prefix)) routes.set(prefix, parseAddress(hop) ?? hop);
  }
  return routes;
}

function parseAddresses(text: string): readonly string[] {
  return linesOf(text).flatMap((line) => {
    const [, six, length] = /^inet6 ([0-9a-f:]+)(?:%\S+)? .*?prefixlen (\d+)/.exec(line) ?? [];
    const address = six === undefined ? undefined : parseAddress(six);
    if (address !== undefined) return [`${address}/${length}`];
    const [, four, mask] = /^inet ([0-9.]+) .*?netmask 0x([0-9a-f]{8})/.exec(line) ?? [];
    if (four === undefined || mask === undefined) return [];
    return [`${four}/${Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length}`];
  });
}

/**
 * `vtnet0 tcp 2001:db8::80[443] <- 2001:db8:f::1[51234]  ESTABLISHED:ESTABLISHED`, and below it, indented, `id: … creatorid: …`.
 * With translation the original end stands in brackets behind.
 */
export function parseStates(text: string): readonly PfState[] {
  const states: PfState[] = [];
  let head: Omit<PfState, "id" | "creator"> | undefined;
  for (const line of text.split("\n")) {
    const [, protocol, rest] = /^\S+ (\S+) (.*(?:<-|->).*)$/.exec(line) ?? [];
    if (protocol !== undefined && rest !== undefined)
      head = { protocol, ends: endsOf(rest), cameIn: rest.includes("<-") };
    const [, id, creator] = /^\s+id: ([0-9a-f]+) creatorid: ([0-9a-f]+)/.exec(line) ?? [];
    if (id !== undefined && creator !== undefined && head !== undefined) states.push({ id, creator, ...head });
  }
  return states;
}

function endsOf(text: string): PfState["ends"] {
  return [...text.matchAll(/([0-9a-f:]*:[0-9a-f:.]*)(?:\[(\d+)\])?/g)].flatMap(([, address = "", port]) => {
    const parsed = parseAddress(address);
    if (parsed === undefined) return [];
    return [{ address: parsed, ...(port === undefined ? {} : { port: Number(port) }) }];
  });
}

function failed(shell: Shell, argv: readonly string[], ran: Ran): Failure {
  const said = printable(ran.stderr.trim().slice(0, 400));
  return new Failure(
    "E511",
    shell.name,
    `\`${argv.slice(0, 6).join(" ")}\` ended with ${ran.code}: ${said}`,
    "try it by hand on the device; the shell has to be root's",
  );
}
