import { printable } from "../../../../base/printable.ts";
import type { JournalEntry } from "../../store/views.ts";

/** By who did it. */
export const whos = ["person", "agent", "controller"] as const;
export type Who = (typeof whos)[number];

/** By what it is about. */
export const subjects = ["openings", "refused", "drift", "alarms", "agents", "applies", "other"] as const;
export type Subject = (typeof subjects)[number];

export function whoOf({ who }: JournalEntry): Who {
  if (who === "controller" || who === "sixgate") return "controller";
  return who.startsWith("agent ") ? "agent" : "person";
}

/** The controller's own words for it: `controller/announcer.ts`, `duties.ts`, `controller-over.ts`, `planner/desk.ts`. */
export function subjectOf({ what, detail }: JournalEntry): Subject {
  if (what === "alarm") return detail["alarm"] === "drift" ? "drift" : "alarms";
  if (/^(open|opened|open-.*|close|closed|close-.*|ended)$/.test(what)) return "openings";
  if (what === "refused") return "refused";
  if (/^gateway-|lost$/.test(what)) return "alarms";
  if (/^(agent-.*|invited|enrolled|renewed|revoke|revoked)$/.test(what)) return "agents";
  return what.startsWith("appl") ? "applies" : "other";
}

export function timeText(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/** One line of what is worth reading at once: who and where first, ids and hashes cut. */
export function detailText({ detail }: JournalEntry): string {
  const rest = Object.entries(detail).filter(([key]) => !(key in told) && key !== "name");
  const first = Object.keys(told).flatMap((key) => (key in detail ? [[key, detail[key]] as const] : []));
  const { host, name } = detail;
  const whose = typeof name !== "string" ? [] : [typeof host === "string" ? `${host}/${name}` : name];
  return printable(
    [...whose, ...[...first, ...rest].filter(([key]) => !isSaid(key, detail)).map(partText)].join(" · "),
  );
}

/** In this order, before all others; with the word that stands before it. */
const told: Readonly<Record<string, string>> = {
  host: "",
  alarm: "",
  to: "",
  service: "",
  code: "",
  text: "",
  asked: "asked",
  why: "because",
  reason: "because",
  from: "from",
  grantedBy: "granted by",
  ends: "until",
};

function isSaid(key: string, { name, host }: JournalEntry["detail"]): boolean {
  const hasName = typeof name === "string";
  return (key === "host" && hasName && typeof host === "string") || (key === "container" && hasName) || key === "id";
}

function partText([key, value]: readonly [string, unknown]): string {
  const word = told[key] ?? key;
  return word === "" ? valueText(key, value) : `${word} ${valueText(key, value)}`;
}

/** A value as people read it: a time where the key says so, hex of a hash cut as Docker cuts it. */
function valueText(key: string, value: unknown): string {
  if (key === "ends" && typeof value === "number") return timeText(value);
  if (key === "from" && Array.isArray(value))
    return value.map((each) => (each === "::/0" ? "anywhere" : String(each))).join(", ");
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[0-9a-f]{40,}$/.test(value) ? value.slice(0, 12) : value;
}

/** All of it, field by field, nothing cut. */
export function fieldsOf({ detail }: JournalEntry): readonly (readonly [key: string, text: string])[] {
  return Object.entries(detail).map(([key, value]) => [printable(key), printable(wholeText(key, value))]);
}

function wholeText(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (key === "ends" && typeof value === "number") return `${timeText(value)} (${value})`;
  return Array.isArray(value) && value.every((each) => typeof each === "string")
    ? value.join(", ")
    : JSON.stringify(value);
}

/** What a search looks through, in small letters. */
export function searchedText(entry: JournalEntry): string {
  const known = searched.get(entry);
  if (known !== undefined) return known;
  const text = searchedIn(entry);
  searched.set(entry, text);
  return text;
}

const searched = new WeakMap<JournalEntry, string>();

function searchedIn(entry: JournalEntry): string {
  const fields = fieldsOf(entry).flatMap(([key, text]) => [key, text]);
  return [printable(entry.who), printable(entry.what), timeText(entry.at), detailText(entry), ...fields]
    .join(" ")
    .toLowerCase();
}
