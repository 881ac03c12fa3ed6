import { z } from "@hono/zod-openapi";
import type { HostName } from "../base/name.ts";
import { compareKeys } from "../base/order.ts";

/** How many a page has unless the request says otherwise, and at most. */
const usual = 100;
const most = 1000;
/** Entries that are looked at for one page: a filter that fits few gives a short page with `next`, and nobody waits. */
const looked = 20_000;

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(most).default(usual).openapi({ description: "Entries of a page, at most" }),
  after: z.string().max(1024).optional().openapi({ description: "`next` of the page before" }),
};

/** A page of some list, with where the next one begins. Short pages occur: only without `next` it was the last. */
export function pageShape<T extends z.ZodType>(
  entries: T,
): {
  readonly entries: z.ZodReadonly<z.ZodArray<T>>;
  readonly next: z.ZodOptional<z.ZodString>;
} {
  return {
    entries: z.array(entries).readonly(),
    next: z.string().optional().openapi({ description: "For `after`. Absent: there is no more" }),
  };
}

export type Page<T> = { readonly entries: readonly T[]; readonly next?: string };

/** A list that is kept host by host. `key` is unique in a host and stays as long as the entry does. */
export type ByHost<T> = {
  readonly hosts: readonly HostName[];
  of(host: HostName): readonly T[];
  key(entry: T): string;
  wants(entry: T): boolean;
};

/** Where a page ended: behind that key of that host; without a key behind all of that host. */
type Place = { readonly host: string; readonly key?: string };

/**
 * A page of a list in order of host and key. What comes and goes between two pages may or may not be seen; what stays
 * is seen once. Undefined when `after` is no place that a page gave.
 */
export function pageOf<T>(list: ByHost<T>, limit: number, after: string | undefined): Page<T> | undefined {
  const from = after === undefined ? { host: "", key: "" } : readPlace(after);
  if (from === undefined) return undefined;
  const entries: T[] = [];
  let seen = 0;
  for (const host of list.hosts) {
    const order = compareKeys(host, from.host);
    if (order < 0 || (order === 0 && from.key === undefined)) continue;
    const all = list.of(host);
    const found = smallest(all, limit - entries.length, order === 0 ? from.key : undefined, list);
    entries.push(...found);
    seen += all.length;
    const last = found.at(-1);
    if (entries.length === limit && last !== undefined)
      return { entries, next: formatPlace({ host, key: list.key(last) }) };
    if (seen >= looked) return { entries, next: formatPlace({ host }) };
  }
  return { entries };
}

/** The first `count` behind `from` in order of keys, without sorting the rest: a host may have very many. */
function smallest<T>(all: readonly T[], count: number, from: string | undefined, list: ByHost<T>): readonly T[] {
  const compare = (a: T, b: T): number => compareKeys(list.key(a), list.key(b));
  let kept: T[] = [];
  let bar: string | undefined;
  for (const entry of all) {
    const key = list.key(entry);
    if ((from !== undefined && key <= from) || (bar !== undefined && key >= bar) || !list.wants(entry)) continue;
    kept.push(entry);
    if (kept.length < count * 2) continue;
    kept = kept.sort(compare).slice(0, count);
    const last = kept.at(-1);
    bar = last === undefined ? undefined : list.key(last);
  }
  return kept.sort(compare).slice(0, count);
}

function formatPlace(place: Place): string {
  return Buffer.from(JSON.stringify([place.host, place.key ?? null])).toString("base64url");
}

function readPlace(text: string): Place | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (!Array.isArray(read) || read.length !== 2) return undefined;
    const [host, key]: readonly unknown[] = read;
    if (typeof host !== "string") return undefined;
    if (key === null) return { host };
    return typeof key === "string" ? { host, key } : undefined;
  } catch {
    return undefined;
  }
}
