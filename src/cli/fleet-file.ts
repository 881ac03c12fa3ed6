import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { AddressPlan } from "../addressing/address-plan.ts";
import { allocate } from "../addressing/allocate.ts";
import { emptyLedger, formatLedger, type Ledger, parseLedger } from "../addressing/ledger.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { readText, writeText } from "../runtime/files.ts";
import { Refused } from "./refused.ts";

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

export async function openFleet(named: string | undefined): Promise<Opened> {
  const path = findFleetFile(named);
  const shown = relative(process.cwd(), path) || path;
  const file = shown.startsWith("../../..") ? path : shown;
  const text = await readNamed(path);
  if (text === undefined)
    throw new Failure("E801", file, "No such file", "name a fleet file with -f, or let `sixgate init` write one");
  const fleet = parseFleet(text, file);
  if (!fleet.ok) throw new Refused(fleet.errors);
  const ledgerPath = path.replace(/\.ya?ml$/, "") + ".ledger.json";
  const ledgerText = await readNamed(ledgerPath);
  const ledger = ledgerText === undefined ? undefined : parseLedger(ledgerText);
  if (ledger !== undefined && !ledger.ok) throw new Refused(ledger.errors.map((each) => ({ ...each, at: ledgerPath })));
  const allocated = allocate(fleet.value, ledger === undefined ? emptyLedger(fleet.value.name) : ledger.value);
  if (!allocated.ok) throw new Refused(allocated.errors);
  const warnings = [...fleet.warnings, ...allocated.warnings];
  return { file, path, text, fleet: fleet.value, ...allocated.value, ledgerPath, ledgerText, warnings };
}

/** Writes the numbers down, so that they never move again. Only verbs that change the world call it. */
export async function keepLedger(opened: Opened): Promise<void> {
  const text = formatLedger(opened.ledger);
  if (text !== opened.ledgerText) await writeText(opened.ledgerPath, text);
}
