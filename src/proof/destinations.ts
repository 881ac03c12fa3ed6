import { type Address, fromBits, parseAddress } from "../net/address.ts";
import { baseBits, type Prefix, prefix, sizeOf } from "../net/prefix.ts";
import { PrefixTable } from "../net/prefix-table.ts";
import type { FilterRules, Match, Route, Site } from "./filter-rules.ts";
import type { Lookup } from "./lookup.ts";
import { type Destination, isMatch } from "./match-sets.ts";
import type { Span } from "./values.ts";

/** Addresses from `first` to `last` that no rule, no row of more than one address and no route tells apart. */
export type Cell = { readonly first: bigint; readonly last: bigint; readonly route: Route };

/** Rows of lookups that have a destination, as pairs: number of the lookup, row. */
export type Rows = number[];

const end = 1n << 128n;
/** Destinations that are not routed: on the link, and multicast (RFC 4291 §2.5.6, §2.7). */
const onLink: readonly Prefix[] = [prefix("fe80::/10"), prefix("ff00::/8")];

/** The address space as the rules see it: cells, and single addresses that rows of lookups name. */
export class Destinations {
  readonly cells: readonly Cell[];
  /** Every address that a row names by itself. */
  readonly points: ReadonlySet<Address>;
  readonly #points = new Set<Address>();
  readonly #single = new PrefixTable<Rows>();
  readonly #wide = new PrefixTable<Rows>();
  readonly #starts: readonly bigint[];

  constructor(rules: FilterRules, site: Site, lookups: readonly Lookup[]) {
    const cuts = new Set<bigint>([0n]);
    for (const each of [...onLink, ...site.routes.map((route) => route.to)]) cutAt(cuts, spanOfPrefix(each));
    for (const chain of rules.chains.values()) {
      for (const rule of chain.rules) for (const step of rule.steps) if (isMatch(step)) cutBy(cuts, step);
    }
    for (const lookup of lookups) {
      if (lookup.toColumn < 0) continue;
      for (let row = 0; row < lookup.size; row++) {
        const span = this.add(lookup, row);
        if (span !== undefined) cutAt(cuts, span);
      }
    }
    this.points = this.#points;
    this.#starts = [...cuts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.cells = cellsOf(this.#starts, site);
  }

  /** Takes in a row. Gives its span where it has more than one address: then there may have to be other cells. */
  add(lookup: Lookup, row: number): Span | undefined {
    const to = lookup.destinationOf(row);
    if (to === undefined) return undefined;
    const address =
      typeof to === "string" ? parseAddress(to) : to.first === to.last ? fromBits(BigInt(to.first)) : undefined;
    if (address !== undefined) {
      this.#points.add(address);
      pushRow(this.#single, `${address}/128` as Prefix, lookup, row);
      return undefined;
    }
    if (typeof to === "string" || to.first > to.last) return undefined;
    for (const each of prefixesOf(to)) pushRow(this.#wide, each, lookup, row);
    return to;
  }

  /** Lets go of a row of one address. */
  remove(lookup: Lookup, row: number, address: Address): void {
    const rows = this.#single.exact(`${address}/128` as Prefix) ?? [];
    for (let at = 0; at < rows.length; at += 2) {
      if (rows[at] !== lookup.number || rows[at + 1] !== row) continue;
      rows.splice(at, 2);
      return;
    }
  }

  cellOf(address: bigint): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as bigint) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The rows that a cell's addresses are in, all but those that rows name by themselves. */
  rowsOfCell(cell: Cell): Rows {
    return this.#wide.every(fromBits(cell.first)).flat();
  }

  /** The rows that name the address by itself. */
  rowsOfPoint(address: Address): Rows {
    return this.#single.exact(`${address}/128` as Prefix) ?? [];
  }
}

/** What the walk asks of a destination. */
export function destinationOf(at: bigint, cell: Cell, rows: Rows): Destination {
  const byLookup = new Map<number, number[]>();
  for (let at = 0; at < rows.length; at += 2) {
    const list = byLookup.get(rows[at] as number);
    if (list === undefined) byLookup.set(rows[at] as number, [rows[at + 1] as number]);
    else list.push(rows[at + 1] as number);
  }
  const { kind } = cell.route;
  return {
    at,
    isLocal: kind === "unknown" ? undefined : kind === "local",
    rowsOf: (lookup) => byLookup.get(lookup.number) ?? none,
  };
}

const none: readonly number[] = [];

function pushRow(table: PrefixTable<Rows>, at: Prefix, lookup: Lookup, row: number): void {
  const there = table.exact(at);
  if (there === undefined) table.set(at, [lookup.number, row]);
  else there.push(lookup.number, row);
}

function cutBy(cuts: Set<bigint>, match: Match): void {
  if (match.kind === "to") for (const edge of match.values) cuts.add(BigInt(edge));
  else if (match.kind === "not") cutBy(cuts, match.of);
  else if (match.kind === "every" || match.kind === "some") for (const each of match.of) cutBy(cuts, each);
}

function cutAt(cuts: Set<bigint>, { first, last }: Span): void {
  cuts.add(BigInt(first));
  if (BigInt(last) + 1n < end) cuts.add(BigInt(last) + 1n);
}

function cellsOf(starts: readonly bigint[], site: Site): readonly Cell[] {
  const routes = new PrefixTable<Route>();
  for (const route of site.routes) routes.set(route.to, route);
  const nowhere: Route = { to: prefix("::/0"), kind: "nowhere" };
  return starts.map((first, at) => ({
    first,
    last: (starts[at + 1] ?? end) - 1n,
    route: isOnLink(first) ? { to: prefix("fe80::/10"), kind: "local" } : (routes.get(fromBits(first)) ?? nowhere),
  }));
}

function isOnLink(first: bigint): boolean {
  return onLink.some((each) => first >= baseBits(each) && first < baseBits(each) + sizeOf(each));
}

function spanOfPrefix(p: Prefix): Span {
  return { first: baseBits(p), last: baseBits(p) + sizeOf(p) - 1n };
}

/** The fewest prefixes that make up a span. */
function prefixesOf({ first, last }: Span): readonly Prefix[] {
  const found: Prefix[] = [];
  const high = BigInt(last);
  let low = BigInt(first);
  while (low <= high) {
    let length = 128;
    while (length > 0) {
      const size = 1n << BigInt(128 - length + 1);
      if (low % size !== 0n || low + size - 1n > high) break;
      length--;
    }
    found.push(`${fromBits(low)}/${length}` as Prefix);
    low += 1n << BigInt(128 - length);
  }
  return found;
}
