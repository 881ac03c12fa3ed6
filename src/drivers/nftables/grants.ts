import type { Instant } from "../../base/time.ts";
import { comparePortRanges, type PortRange } from "../../net/port.ts";
import { comparePrefixes, type Prefix } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";

/** Ports that are let in from some sources, and until when. */
export type Grant = { readonly ports: PortRange; readonly from: readonly Prefix[]; readonly ends?: Instant };

/** A grant from one prefix. */
export type Cell = { readonly ports: PortRange; readonly from: Prefix; readonly ends?: Instant };

/**
 * What the grants let in, less the ports of `never`, in cells of which no two overlap, sorted. Where grants overlap
 * the later end counts, and no end is the latest. Grants that let in the same for the same time give the same cells,
 * however they are written, so states can be compared by them.
 */
export function cellsOf(grants: readonly Grant[], never: readonly PortRange[] = []): readonly Cell[] {
  const cells: Cell[] = [];
  let last = new Map<string, Cell>();
  for (const { ports, active } of pieces(grants, never)) {
    const here = new Map<string, Cell>();
    for (const { from, ends } of slicesOf(active)) {
      const key = `${from} ${ends ?? ""}`;
      const before = last.get(key);
      const grows = before !== undefined && before.ports.last === ports.first - 1;
      here.set(key, {
        ports: grows ? { first: before.ports.first, last: ports.last } : ports,
        from,
        ...(ends === undefined ? {} : { ends }),
      });
    }
    for (const [key, cell] of last) if (here.get(key)?.ports.first !== cell.ports.first) cells.push(cell);
    last = here;
  }
  return [...cells, ...last.values()].sort(
    (a, b) => comparePortRanges(a.ports, b.ports) || comparePrefixes(a.from, b.from),
  );
}

type Piece = { readonly ports: PortRange; readonly active: readonly Grant[] };

/** Runs of ports over which the same grants hold, ascending. */
function* pieces(grants: readonly Grant[], never: readonly PortRange[]): Generator<Piece> {
  const waiting = grants.toSorted((a, b) => a.ports.first - b.ports.first);
  const cuts = [
    ...new Set([...grants.map(({ ports }) => ports), ...never].flatMap(({ first, last }) => [first, last + 1])),
  ].sort((a, b) => a - b);
  let active: Grant[] = [];
  let next = 0;
  for (let at = 0; at + 1 < cuts.length; at++) {
    const ports = { first: cuts[at] as number, last: (cuts[at + 1] as number) - 1 };
    active = active.filter((each) => each.ports.last >= ports.first);
    for (; (waiting[next]?.ports.first ?? Number.POSITIVE_INFINITY) <= ports.first; next++) {
      active.push(waiting[next] as Grant);
    }
    if (active.length === 0 || never.some(({ first, last }) => first <= ports.first && last >= ports.first)) continue;
    yield { ports, active };
  }
}

type Slice = { readonly from: Prefix; readonly ends: Instant | undefined };

const never = Number.POSITIVE_INFINITY;

/** The sources of grants over the same ports: each once, with its latest end. */
function slicesOf(active: readonly Grant[]): readonly Slice[] {
  const byEnd = Map.groupBy(active, (each) => each.ends ?? never);
  const slices: Slice[] = [];
  let taken = PrefixSet.empty;
  for (const [, grants] of [...byEnd].sort(([a], [b]) => b - a)) {
    const all = PrefixSet.of(grants.flatMap((each) => each.from));
    for (const from of all.subtract(taken).prefixes()) slices.push({ from, ends: grants[0]?.ends });
    taken = taken.union(all);
  }
  return slices;
}

/** Whether `a` ends later than `b`; no end is the latest. */
export function endsLater(a: Instant | undefined, b: Instant | undefined): boolean {
  return b !== undefined && (a === undefined || a > b);
}
