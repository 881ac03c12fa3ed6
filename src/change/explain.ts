import { createTwoFilesPatch } from "diff";
import { printable } from "../base/printable.ts";
import { type Change, type ChangeSet, keyOf } from "./change-set.ts";
import { equalValues, isList } from "./equal.ts";
import type { Item, Value } from "./item.ts";

export type ExplainOptions = {
  /** Texts such as files as a unified diff below their line. */
  readonly verbose?: boolean;
};

export type Count = { readonly add: number; readonly change: number; readonly remove: number };

/**
 * A plan for people, a line per string and no colour: per device and layer with changes a heading, then one line per
 * object in the order of keys, `+` `~` `-`; the summary last. Nothing in it can lead a terminal astray.
 */
export function explain(sets: readonly ChangeSet[], options: ExplainOptions = {}): readonly string[] {
  const lines = sets
    .filter(({ changes }) => changes.length > 0)
    .flatMap((set) => [
      `${set.device} ${set.layer} (${set.driver})`,
      ...set.changes.flatMap((each) => explainChange(each, options)),
      "",
    ]);
  return [...lines.map(printable), summary(sets)];
}

/** One line, and more below it when `verbose` finds text. Not encoded yet: {@link explain} does that. */
function explainChange(change: Change, options: ExplainOptions): readonly string[] {
  const more = options.verbose === true ? patchOf(change) : [];
  switch (change.kind) {
    case "create":
      return [`  + ${change.after.key}${shown(change.after)}`, ...more];
    case "update":
      return [`  ~ ${change.after.key}${compared(change.before, change.after)}`, ...more];
    case "delete":
      return [`  - ${change.before.key}${shown(change.before)}`, ...more];
  }
}

export function count(sets: readonly ChangeSet[]): Count {
  const changes = sets.flatMap((set) => set.changes);
  const of = (kind: Change["kind"]): number => changes.filter((change) => change.kind === kind).length;
  return { add: of("create"), change: of("update"), remove: of("delete") };
}

/** `3 to add, 1 to change, 0 to remove`, or that there is nothing to do. */
export function summary(sets: readonly ChangeSet[]): string {
  const { add, change, remove } = count(sets);
  if (add + change + remove === 0) return "No changes: every device is as planned";
  return `Plan: ${add} to add, ${change} to change, ${remove} to remove`;
}

/** The longest value that is printed behind a key. */
const longest = 100;
/** Entries of a list that are printed; of a longer one their number is. */
const mostShown = 4;

function isText(value: Value): value is string {
  return typeof value === "string" && value.includes("\n");
}

function shown({ value }: Item): string {
  return isText(value) ? ` (${lines(value)})` : clip(brief(value));
}

function compared(before: Item, after: Item): string {
  const [old, now] = [before.value, after.value];
  if (isFields(old) && isFields(now)) return clip(fieldsCompared(old, now));
  if (!isText(old) && !isText(now)) return `${clip(brief(old))} ->${clip(brief(now)) || " nothing"}`;
  const rows = patchOf({ kind: "update", before, after });
  const of = (sign: string): number => rows.filter((row) => row.startsWith(`      ${sign}`)).length;
  return ` (+${of("+")} -${of("-")} lines)`;
}

type Fields = { readonly [key: string]: Value };

function isFields(value: Value): value is Fields {
  return typeof value === "object" && value !== null && !isList(value);
}

/** Only what differs; of a list, the entries that came and went. */
function fieldsCompared(before: Fields, after: Fields): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys
    .flatMap((key) => {
      const [old, now] = [before[key] ?? null, after[key] ?? null];
      if (equalValues(old, now)) return [];
      if (!isList(old) || !isList(now)) return [`${key} ${brief(old)} -> ${brief(now)}`];
      const came = now
        .filter((each) => !old.some((other) => equalValues(each, other)))
        .map((each) => `+${brief(each)}`);
      const went = old
        .filter((each) => !now.some((other) => equalValues(each, other)))
        .map((each) => `-${brief(each)}`);
      return [`${key} ${came.length + went.length === 0 ? "in another order" : [...went, ...came].join(" ")}`];
    })
    .join(", ");
}

function lines(text: string): string {
  const n = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return n === 1 ? "1 line" : `${n} lines`;
}

function clip(text: string): string {
  return text === "" ? "" : ` ${text.length > longest ? `${text.slice(0, longest)}…` : text}`;
}

/** Keys in order, so that the same state always prints the same. `true` says no more than the key does. */
function brief(value: Value): string {
  if (value === true) return "";
  if (typeof value !== "object" || value === null) return String(value);
  // Longer ones say more by their number: nobody reads the twelve rules of a chain in one line.
  if (isList(value)) return value.length > mostShown ? String(value.length) : `[${value.map(brief).join(", ")}]`;
  const fields = value;
  return Object.keys(fields)
    .sort()
    .map((key) => `${key}=${brief(fields[key] ?? null) || "true"}`)
    .join(" ");
}

/** The changed lines with three around them, without the patch's own head; empty where neither side is text. */
function patchOf(change: Change): readonly string[] {
  const before = change.kind === "create" ? "" : change.before.value;
  const after = change.kind === "delete" ? "" : change.after.value;
  if (typeof before !== "string" || typeof after !== "string" || (!isText(before) && !isText(after))) return [];
  const key = keyOf(change);
  const rows = createTwoFilesPatch(key, key, before, after, undefined, undefined, { context: 3 }).split("\n");
  const first = rows.findIndex((row) => row.startsWith("@@"));
  return rows
    .slice(first)
    .filter((row) => row !== "")
    .map((row) => `      ${row}`);
}
