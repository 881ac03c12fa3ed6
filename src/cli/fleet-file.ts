import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { AddressPlan } from "../addressing/address-plan.ts";
import { allocate } from "../addressing/allocate.ts";
import { emptyLedger, formatLedger, type Ledger, parseLedger } from "../addressing/ledger.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { type GivenPrefix, hasPrefix } from "../fleet/delegation.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { readText, writeText } from "../runtime/files.ts";
import { Refused } from "./refused.ts";

/** What a verb was told: the fleet file (else the nearest one) and the prefix in force, for a fleet whose prefix changes. */
export type FleetSource = { readonly file?: string | undefined; readonly prefix?: string | undefined };

/** A fleet file, read and numbered. Nothing was written. */
export type Opened = {
  /** As the user would type it. */
  readonly file: string;
  readonly path: string;
  readonly text: string;
  readonly fleet: Fleet;
  readonly plan: AddressPlan;
  readonly ledger: Ledger;
  readonly ledgerPath: string;
  /** The ledger file as it is, or undefined when numbers were never written down. */
  readonly ledgerText: string | undefined;
  readonly warnings: readonly Diagnostic[];
};

const usual = "fleet.yaml";

/** The file named, or the nearest `fleet.yaml` upwards from here. */
export function findFleetFile(named: string | undefined): string {
  if (named !== undefined) return resolve(named);
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const path = join(folder, usual);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) break;
  }
  throw new Failure(
    "E801",
    process.cwd(),
    "No fleet.yaml here or in a folder above",
    "`sixgate init` writes one, or name it with -f",
  );
}

/** As `readText`, but an error names the file, whatever the kernel says of it: a folder in its place, for one. */
export async function readNamed(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    throw error instanceof Error && !("path" in error) ? Object.assign(error, { path }) : error;
  }
}

/**
 * Reads and numbers the fleet. Refuses (E809) a fleet whose prefix changes while none is in force, for its addresses
 * would be no addresses; `offsets` is for verbs that only show or check.
 */
export async function openFleet(source: FleetSource, offsets: "offsets" | "refuse" = "refuse"): Promise<Opened> {
  const path = findFleetFile(source.file);
  const shown = relative(process.cwd(), path) || path;
  // A service works in `/`, where a way that is relative would read as a wrong one.
  const file = shown.startsWith("../../..") || process.cwd() === "/" ? path : shown;
  const text = await readNamed(path);
  if (text === undefined)
    throw new Failure("E801", file, "No such file", "name a fleet file with -f, or let `sixgate init` write one");
  const { fleet, warnings: said } = await readFleet(text, file, source.prefix);
  if (offsets === "refuse" && !hasPrefix(fleet)) throw new Refused([notInForce(fleet, file)]);
  const ledgerPath = path.replace(/\.ya?ml$/, "") + ".ledger.json";
  const ledgerText = await readNamed(ledgerPath);
  const ledger = ledgerText === undefined ? undefined : parseLedger(ledgerText);
  if (ledger !== undefined && !ledger.ok) throw new Refused(ledger.errors.map((each) => ({ ...each, at: ledgerPath })));
  const allocated = allocate(fleet, ledger === undefined ? emptyLedger(fleet.name) : ledger.value);
  if (!allocated.ok) throw new Refused(allocated.errors);
  const warnings = [...said, ...allocated.warnings];
  return { file, path, text, fleet, ...allocated.value, ledgerPath, ledgerText, warnings };
}

type Read = { readonly fleet: Fleet; readonly warnings: readonly Diagnostic[] };

/** `--prefix` before the file that the fleet names; that one is read anew each time, for the prefix changes. */
async function readFleet(text: string, file: string, prefix: string | undefined): Promise<Read> {
  const first = parsed(text, file, prefix === undefined ? undefined : { text: prefix, at: "--prefix" });
  const path = first.fleet.delegation?.file;
  if (path === undefined) return first;
  if (prefix !== undefined) {
    // Whoever gives the prefix doesn't need the file: it may be missing or broken.
    const other = (await readNamed(path).catch(() => undefined))?.trim();
    return other === undefined || other === first.fleet.prefix
      ? first
      : { ...first, warnings: [...first.warnings, overruled(first.fleet, path, other)] };
  }
  const found = await readNamed(path);
  return found === undefined ? first : parsed(text, file, { text: found.replace(/\r?\n$/, ""), at: path });
}

function parsed(text: string, file: string, given: GivenPrefix | undefined): Read {
  const fleet = parseFleet(text, file, given);
  if (!fleet.ok) throw new Refused(fleet.errors);
  return { fleet: fleet.value, warnings: fleet.warnings };
}

function overruled(fleet: Fleet, path: string, other: string): Diagnostic {
  return {
    code: "W801",
    severity: "warning",
    at: "--prefix",
    text: `${fleet.prefix} is taken, ${path} has ${JSON.stringify(other.slice(0, 60))}`,
    fix: "leave --prefix out to take what the file has",
  };
}

function notInForce(fleet: Fleet, file: string): Diagnostic {
  const { length, file: path } = fleet.delegation ?? {};
  const example = `--prefix 2001:db8:1200::/${length}`;
  const error = { code: "E809", severity: "error" } as const;
  return path === undefined
    ? {
        ...error,
        at: file,
        text: `The prefix is a delegated /${length}, and nobody said which`,
        fix: `give the one in force, for example ${example}, or name the file that has it: prefix: { delegated: /${length}, file: /run/sixgate/prefix }`,
      }
    : {
        ...error,
        at: path,
        text: `No such file: it has the delegated /${length} that is in force`,
        fix: `see that the DHCPv6 client's hook writes it, or give the prefix, for example ${example}`,
      };
}

/** Writes the numbers down, so that they never move again. Only verbs that change the world call it. */
export async function keepLedger(opened: Opened): Promise<void> {
  const text = formatLedger(opened.ledger);
  if (text !== opened.ledgerText) await writeText(opened.ledgerPath, text);
}
