import { type Address, fromBits, parseAddress } from "../net/address.ts";
import { baseBits, type Prefix, prefix, prefixesOfSpan, sizeOf } from "../net/prefix.ts";
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

/** No interface takes packets from outside to it (ip6_rcv). */
const loopback = prefix("::1/128");

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
    for (const each of [loopback, ...onLink, ...site.routes.map((route) => route.to)]) cutAt(cuts, spanOfPrefix(each));
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
    for (const each of prefixesOfSpan(BigInt(to.first), BigInt(to.last))) pushRow(this.#wide, each, lookup, row);
    return to;
  }

  /** Lets go of the row of one address. */
  remove(lookup: Lookup, row: number, address: Address): void {
    const rows = this.rowsOfPoint(address);
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
  return {
    at,
    isLocal: isOwn(cell.route, at),
    rowsOf: (lookup) => byLookup.get(lookup.number) ?? none,
  };
}

const none: readonly number[] = [];

/** Whether the address is the gateway's by itself: not a group's, and of a link-local one that is not known. */
export function isOwn(route: Route, at: bigint): boolean | undefined {
  if (at >> 120n === 0xffn) return false;
  if (route.kind === "unknown" || at >> 118n === 0xfe80n >> 6n) return undefined;
  return route.kind === "local" && route.anycast !== true;
}

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
    route: fixedRoute(first) ?? routes.get(fromBits(first)) ?? nowhere,
  }));
}

/** The route of addresses that no routing table decides about. */
export function fixedRoute(at: bigint): Route | undefined {
  if (at === 1n) return { to: loopback, kind: "nowhere" };
  const own = onLink.find((each) => at >= baseBits(each) && at < baseBits(each) + sizeOf(each));
  return own === undefined ? undefined : { to: own, kind: "local" };
}

function spanOfPrefix(p: Prefix): Span {
  return { first: baseBits(p), last: baseBits(p) + sizeOf(p) - 1n };
}
