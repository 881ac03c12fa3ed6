import type { Code } from "../base/codes.ts";
import { type HostName, isName, type NetworkName } from "../base/name.ts";
import { failed, ok, type Result } from "../base/result.ts";

/**
 * Numbers given, never moved. A host or network that has left the fleet file keeps its line, so that its number goes
 * to nobody else and it gets it back when it returns. Offsets only: another delegated prefix doesn't touch it.
 */
export type Ledger = {
  readonly format: "sixgate.ledger/1";
  readonly fleet: string;
  /** What the numbers count, in bits; absent until the first number is given. */
  readonly lengths?: { readonly host: number; readonly network: number };
  /** Sorted by slot. */
  readonly hosts: readonly LedgerHost[];
};

export type LedgerHost = {
  readonly host: HostName;
  readonly slot: number;
  /** Sorted by index, 2 and more. */
  readonly networks: readonly LedgerNetwork[];
};

export type LedgerNetwork = { readonly name: NetworkName; readonly index: number };

const format = "sixgate.ledger/1";

export function emptyLedger(fleet: string): Ledger {
  return { format, fleet, hosts: [] };
}

/** The same bytes for the same ledger: one line per host, sorted by slot, LF at the end. */
export function formatLedger(ledger: Ledger): string {
  const lines = ledger.hosts.map(
    ({ host, slot, networks }) =>
      `    ${JSON.stringify({ host, slot, networks: networks.map(({ name, index }) => ({ name, index })) })}`,
  );
  const lengths =
    ledger.lengths === undefined
      ? ""
      : `  "lengths": ${JSON.stringify({ host: ledger.lengths.host, network: ledger.lengths.network })},\n`;
  const hosts = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n  ]`;
  return `{\n  "format": ${JSON.stringify(ledger.format)},\n  "fleet": ${JSON.stringify(ledger.fleet)},\n${lengths}  "hosts": ${hosts}\n}\n`;
}

/** Reads what `formatLedger` wrote. Refuses (E310) numbers given twice, reserved ones, and what it doesn't know. */
export function parseLedger(text: string): Result<Ledger> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return unreadable("It is not JSON");
  }
  if (!isRecord(found) || found["format"] !== format) return unreadable(`It has not the format ${format}`);
  const { fleet, lengths, hosts } = found;
  if (typeof fleet !== "string" || !isName(fleet)) return unreadable("The fleet's name is missing");
  if (!Array.isArray(hosts)) return unreadable("The list of hosts is missing");
  if (lengths !== undefined && !isLengths(lengths)) return unreadable("The lengths are not two numbers");
  if (!hosts.every(isHost))
    return unreadable(
      `Host number ${hosts.findIndex((each) => !isHost(each)) + 1} has not a name, a slot and networks, each network its own index`,
    );
  if (lengths === undefined && hosts.length > 0) return unreadable("The lengths are missing");
  const twice = firstTwice(hosts.map(({ slot }) => slot)) ?? firstTwice(hosts.map(({ host }) => host));
  if (twice !== undefined) return unreadable(`${twice} is given twice`);
  const sorted = hosts.map((each) => ({ ...each, networks: [...each.networks].sort((a, b) => a.index - b.index) }));
  sorted.sort((a, b) => a.slot - b.slot);
  return ok({ format, fleet, ...(lengths === undefined ? {} : { lengths }), hosts: sorted });
}

function unreadable<T>(text: string): Result<T> {
  const code: Code = "E310";
  const fix = "put back the last good one: a new ledger could give other addresses to what is running";
  return failed([{ code, severity: "error", at: "ledger", text, fix }]);
}

function isRecord(found: unknown): found is Readonly<Record<string, unknown>> {
  return typeof found === "object" && found !== null && !Array.isArray(found);
}

function isLengths(found: unknown): found is { readonly host: number; readonly network: number } {
  return (
    isRecord(found) && Object.keys(found).length === 2 && isCount(found["host"], 1) && isCount(found["network"], 1)
  );
}

function isHost(found: unknown): found is LedgerHost {
  if (!isRecord(found) || typeof found["host"] !== "string" || !isName(found["host"])) return false;
  const networks = found["networks"];
  if (!isCount(found["slot"], 2) || !Array.isArray(networks) || !networks.every(isNetwork)) return false;
  return (
    firstTwice(networks.map(({ index }) => index)) === undefined &&
    firstTwice(networks.map(({ name }) => name)) === undefined
  );
}

function isNetwork(found: unknown): found is LedgerNetwork {
  return isRecord(found) && typeof found["name"] === "string" && isName(found["name"]) && isCount(found["index"], 2);
}

function isCount(found: unknown, least: number): found is number {
  return typeof found === "number" && Number.isSafeInteger(found) && found >= least;
}

function firstTwice<T extends string | number>(values: readonly T[]): T | undefined {
  const seen = new Set<T>();
  for (const value of values) {
    if (seen.has(value)) return value;
    seen.add(value);
  }
  return undefined;
}
