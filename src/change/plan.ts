import type { Code } from "../base/codes.ts";
import { isName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import { failed, ok, type Result } from "../base/result.ts";
import { type Change, type ChangeSet, keyOf } from "./change-set.ts";
import type { Item } from "./item.ts";

/** A plan as it is stored, looked at and approved elsewhere, and applied later. */
export type Plan = {
  readonly format: "sixgate.plan/1";
  readonly fleet: string;
  /** Digest of the ledger that the addresses came from: with another ledger the plan is out of date. */
  readonly ledger: string;
  readonly sets: readonly ChangeSet[];
};

export const planFormat: Plan["format"] = "sixgate.plan/1";

/** JSON with two blanks of indent and an end of line: the same plan gives the same bytes. */
export function formatPlan(plan: Plan): string {
  const { fleet, ledger, sets } = plan;
  return `${JSON.stringify({ format: planFormat, fleet, ledger, sets }, undefined, 2)}\n`;
}

/**
 * Reads what `formatPlan` wrote. Keys that this version does not know are ignored, another format is an error (E660),
 * and so is anything that could not have come from a diff (E661). `at` is the file, for messages.
 */
export function parsePlan(text: string, at: string): Result<Plan> {
  const refuse = (code: Code, found: string): Result<Plan> =>
    failed([{ code, severity: "error", at, text: found, fix: "make it anew with `sixgate plan -o`" }]);
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return refuse("E661", `Not JSON: ${printable(error instanceof Error ? error.message : String(error))}`);
  }
  if (!isRecord(read)) return refuse("E661", "Not a plan");
  if (read["format"] !== planFormat)
    return refuse("E660", `Unknown format ${shown(read["format"])}, not "${planFormat}"`);
  const { fleet, ledger, sets } = read;
  if (typeof fleet !== "string" || typeof ledger !== "string") return refuse("E661", "No fleet or no ledger named");
  if (!Array.isArray(sets)) return refuse("E661", "No list of change sets");
  const bad = sets.findIndex((set) => !isChangeSet(set));
  if (bad >= 0) return refuse("E661", `sets[${bad}] is no change set`);
  return ok({ format: planFormat, fleet, ledger, sets: sets.filter(isChangeSet) });
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value)?.slice(0, 80) ?? "none");
}

type Fields = { readonly [key: string]: unknown };

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const layers: readonly string[] = ["hypervisor", "guest", "gateway", "engine"] satisfies readonly ChangeSet["layer"][];

function isChangeSet(value: unknown): value is ChangeSet {
  if (!isRecord(value)) return false;
  const { device, layer, driver, base, changes } = value;
  if (typeof device !== "string" || !isName(device)) return false;
  if (typeof layer !== "string" || !layers.includes(layer)) return false;
  if (typeof driver !== "string" || typeof base !== "string" || !Array.isArray(changes)) return false;
  if (!changes.every(isChange)) return false;
  return changes.every((change, i) => i === 0 || isAscending(changes[i - 1], change));
}

/** Sorted, no key twice: as a diff makes it. */
function isAscending(a: Change | undefined, b: Change): boolean {
  return a !== undefined && keyOf(a) < keyOf(b);
}

function isChange(value: unknown): value is Change {
  if (!isRecord(value)) return false;
  switch (value["kind"]) {
    case "create":
      return isItem(value["after"]);
    case "delete":
      return isItem(value["before"]);
    case "update":
      return isItem(value["before"]) && isItem(value["after"]) && value["before"].key === value["after"].key;
    default:
      return false;
  }
}

/** What JSON can hold is plain already, so a value only has to be there. */
function isItem(value: unknown): value is Item {
  if (!isRecord(value) || typeof value["key"] !== "string" || value["value"] === undefined) return false;
  return value["lane"] === "structure" || value["lane"] === "members";
}
