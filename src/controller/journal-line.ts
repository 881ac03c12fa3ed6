import { hash } from "node:crypto";
import { compareKeys } from "../base/order.ts";
import { type Instant, instant } from "../base/time.ts";
import type { JournalEntry } from "./controller.ts";

/** The last entry of a chain: what an outside copy of it proves about all before. */
export type JournalMark = { readonly sequence: number; readonly hash: string };

/** What stands before the first entry of all. */
export const noHash: string = "0".repeat(64);

/**
 * JSON with the keys of every object in order and no spaces, as RFC 8785 has it; fields that are undefined are left
 * out. So the same data is always the same bytes, and its hash the same. Throws a RangeError for what is not data.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each ?? null)).join(",")}]`;
  if (typeof value !== "object") throw new RangeError(`Not plain data: ${typeof value}`);
  const fields = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => compareKeys(a, b))
    .map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`);
  return `{${fields.join(",")}}`;
}

/** The entry that follows `previous` (a hash), with its own hash over both. */
export function chained(previous: string, entry: Omit<JournalEntry, "hash">): JournalEntry {
  return { ...entry, hash: hash("sha256", `${previous}\n${canonicalJson(entry)}`, "hex") };
}

/** One line of the journal's file, without its end. */
export function formatEntry(entry: JournalEntry): string {
  return canonicalJson(entry);
}

/** The entry on a line, if it is whole and follows `previous` and `after`; undefined otherwise. */
export function parseEntry(line: string, after: number, previous: string): JournalEntry | undefined {
  const entry = readEntry(line);
  if (entry === undefined || entry.sequence !== after + 1) return undefined;
  const { hash: said, ...rest } = entry;
  return chained(previous, rest).hash === said && formatEntry(entry) === line ? entry : undefined;
}

/** The entry on a line by its shape alone: what was verified before. */
export function readEntry(line: string): JournalEntry | undefined {
  const found = parsed(line);
  if (found === undefined || Object.keys(found).length !== 6) return undefined;
  const { sequence, at, who, what, detail, hash: said } = found;
  if (typeof sequence !== "number" || typeof at !== "number" || typeof who !== "string") return undefined;
  if (typeof what !== "string" || typeof said !== "string" || !isRecord(detail)) return undefined;
  return { sequence, at: instant(at), who, what, detail, hash: said };
}

/** The first line of a file of the journal: which entry follows, and the hash before it. */
export type SegmentHead = {
  readonly first: number;
  readonly previous: string;
  /** What was lost where the chain begins anew, because somebody accepted it. */
  readonly lost?: string;
  readonly at: Instant;
};

const format = "sixgate.journal/1";

export function formatHead(head: SegmentHead): string {
  return canonicalJson({ format, ...head });
}

export function parseHead(line: string): SegmentHead | undefined {
  const found = parsed(line);
  if (found?.["format"] !== format) return undefined;
  const { first, previous, lost, at } = found;
  if (typeof first !== "number" || typeof previous !== "string" || typeof at !== "number") return undefined;
  if (lost !== undefined && typeof lost !== "string") return undefined;
  const head = { first, previous, at: instant(at), ...(lost === undefined ? {} : { lost }) };
  return formatHead(head) === line ? head : undefined;
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(line);
    return isRecord(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(found: unknown): found is Readonly<Record<string, unknown>> {
  return typeof found === "object" && found !== null && !Array.isArray(found);
}
