import { type Address, fromBits, toBits } from "../net/address.ts";
import { arrivalsAt, forwardable } from "./arrivals.ts";
import { type Cell, Destinations, destinationOf, type Rows } from "./destinations.ts";
import { addRow, isRow, removeRow, rowOf } from "./element-rows.ts";
import type { FilterRules, Part, Route, Site, Vantage } from "./filter-rules.ts";
import type { Lookup } from "./lookup.ts";
import { MatchSets } from "./match-sets.ts";
import { noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { type Ends, pointAt } from "./point.ts";
import { type Flow, noLosses, Walk } from "./walk.ts";

/** Which packets of new flows get through to a destination, and of which that can't be said. Both hold whole packets. */
export type Outcome = { readonly accepted: PacketSet; readonly doubtful: PacketSet };

/** Addresses of one outcome: a cell, with the addresses in it that have one of their own apart, or one address. */
export type Exposed = { readonly first: bigint; readonly last: bigint; readonly outcome: Outcome };

/** An element of a set, part by part, that came or went. */
export type ElementChange = {
  readonly kind: "add" | "remove";
  readonly set: string;
  readonly element: readonly Part[];
};

/**
 * What new flows from a vantage can use, destination by destination. Costs a walk through the rules for each kind of
 * destination, and a few look-ups for each address that a set names.
 */
export class Exposure {
  readonly vantage: Vantage;
  readonly space: PacketSpace;
  readonly #rules: FilterRules;
  readonly #site: Site;
  readonly #arrivals: PacketSet;
  readonly #known = new Map<string, Outcome>();
  readonly #points = new Map<Address, Outcome>();
  #destinations: Destinations;
  #walk: Walk;
  #sets: MatchSets;
  #cells: readonly Outcome[] = [];

  constructor(rules: FilterRules, site: Site, vantage: Vantage, space: PacketSpace) {
    this.vantage = vantage;
    this.space = space;
    this.#rules = rules;
    this.#site = site;
    this.#arrivals = arrivalsAt(space, vantage);
    this.#sets = new MatchSets(rules, site, space);
    this.#walk = new Walk(rules, this.#sets, space);
    this.#destinations = new Destinations(rules, site, this.#sets.lookups);
    this.#judgeAll();
  }

  get destinations(): Destinations {
    return this.#destinations;
  }

  /**
   * Takes in elements that came or went, and gives the addresses that were judged anew. Undefined: all of them, for an
   * element that names more than one address, or none, may change anything.
   */
  update(changes: readonly ElementChange[]): readonly Address[] | undefined {
    const changed = new Set<Address>();
    let far = false;
    for (const change of changes) {
      const elements = this.#rules.sets.get(change.set);
      if (elements === undefined) throw new RangeError(`No set ${JSON.stringify(change.set)}`);
      const lookups = this.#sets.lookups.filter((lookup) => lookup.elements === elements);
      const to = lookups.map((lookup) => addressIn(lookup, change.element));
      const [first] = to;
      // An element of which every place in the rules asks for the same one address changes nothing else.
      if (first === undefined || to.some((each) => each !== first)) {
        far = true;
        if (change.kind === "add") addRow(elements, change.element);
        else removeRow(elements, rowOf(elements, change.element));
        continue;
      }
      changed.add(first);
      const row =
        change.kind === "add" ? addRow(elements, change.element) : this.#rowAt(first, lookups, change.element);
      for (const lookup of lookups) {
        if (change.kind === "add") this.#destinations.add(lookup, row);
        else this.#destinations.remove(lookup, row, first);
      }
      if (change.kind === "remove") removeRow(elements, row);
    }
    if (far) {
      this.#rebuild();
      return undefined;
    }
    for (const point of changed) this.#judge(point);
    return [...changed];
  }

  #rowAt(address: Address, lookups: readonly Lookup[], element: readonly Part[]): number {
    const rows = this.#destinations.rowsOfPoint(address);
    for (let at = 0; at < rows.length; at += 2) {
      const lookup = lookups.find((each) => each.number === rows[at]);
      const row = rows[at + 1] as number;
      if (lookup !== undefined && isRow(lookup.elements, row, element)) return row;
    }
    return -1;
  }

  #rebuild(): void {
    this.#known.clear();
    this.#points.clear();
    this.#sets = new MatchSets(this.#rules, this.#site, this.space);
    this.#walk = new Walk(this.#rules, this.#sets, this.space);
    this.#destinations = new Destinations(this.#rules, this.#site, this.#sets.lookups);
    this.#judgeAll();
  }

  #judgeAll(): void {
    this.#cells = this.#destinations.cells.map((cell) =>
      this.#evaluate(cell.first, cell, this.#destinations.rowsOfCell(cell)),
    );
    for (const point of this.#destinations.points) this.#judge(point);
  }

  #judge(point: Address): void {
    const { cell, number } = this.#cellOf(point);
    const own = this.#destinations.rowsOfPoint(point);
    if (own.length === 0) this.#points.delete(point);
    else this.#points.set(point, this.#pointOutcome(toBits(point), number, cell, own));
  }

  at(address: Address): Outcome {
    return this.#points.get(address) ?? (this.#cells[this.#cellOf(address).number] as Outcome);
  }

  /** Of the addresses around one, all but those that rows name. */
  outcomeOfCell(at: bigint): Outcome {
    return this.#cells[this.#destinations.cellOf(at)] as Outcome;
  }

  /** Every address once: cells first, in numeric order, then the addresses that rows name. Empty ones too. */
  *all(): Generator<Exposed, void, void> {
    for (const [number, { first, last }] of this.#destinations.cells.entries()) {
      const isNamed = first === last && this.#points.has(fromBits(first));
      if (!isNamed) yield { first, last, outcome: this.#cells[number] as Outcome };
    }
    for (const [point, outcome] of this.#points) yield { first: toBits(point), last: toBits(point), outcome };
  }

  /** Addresses that rows name, with what gets through to them. */
  get points(): ReadonlyMap<Address, Outcome> {
    return this.#points;
  }

  #cellOf(point: Address): { readonly cell: Cell; readonly number: number } {
    const number = this.#destinations.cellOf(toBits(point));
    return { cell: this.#destinations.cells[number] as Cell, number };
  }

  /** Addresses of one cell that the same rows name, but for the address itself, share their outcome. */
  #pointOutcome(at: bigint, number: number, cell: Cell, own: Rows): Outcome {
    const point = pointAt("forward", 0, endsOf(this.vantage, cell.route));
    let key = `${number}`;
    for (let i = 0; i < own.length; i += 2) {
      key += ` ${this.#sets.lookups[own[i] as number]?.signatureOf(own[i + 1] as number, point)}`;
    }
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#evaluate(at, cell, [...this.#destinations.rowsOfCell(cell), ...own]);
    this.#known.set(key, made);
    return made;
  }

  #evaluate(at: bigint, cell: Cell, rows: Rows): Outcome {
    const { route } = cell;
    const ends = endsOf(this.vantage, route);
    const destination = destinationOf(at, cell, rows);
    const lost = noLosses();
    const before: Ends = { in: ends.in, out: "" };
    let flow: Flow = { sure: this.#arrivals, maybe: noPackets };
    flow = this.#walk.through("ingress", flow, before, destination, lost);
    flow = this.#walk.through("prerouting", flow, before, destination, lost);
    // Packets that became others may go anywhere, also where there is no way for those that they were.
    if (route.kind === "nowhere") return this.#walk.outcome({ sure: noPackets, maybe: noPackets }, lost);
    if (route.kind === "local") {
      flow = this.#walk.through("input", flow, before, destination, lost);
      return this.#walk.outcome(flow, lost);
    }
    const fit = forwardable(this.space, ends.out === undefined || ends.out === ends.in);
    flow = { sure: this.space.and(flow.sure, fit), maybe: this.space.and(flow.maybe, fit) };
    for (const stage of ["forward", "postrouting", "egress"] as const) {
      flow = this.#walk.through(stage, flow, ends, destination, lost);
    }
    return this.#walk.outcome(flow, lost);
  }
}

/** The one destination that an element has at a place in the rules; undefined where it has several, or none. */
function addressIn({ key, toColumn }: Lookup, element: readonly Part[]): Address | undefined {
  const part = key[toColumn];
  const to = element[toColumn];
  return typeof to === "string" && part?.kind === "to" && part.mask === undefined ? (to as Address) : undefined;
}

function endsOf(vantage: Vantage, route: Route): Ends {
  return { in: vantage.device, out: route.kind === "out" ? route.device : route.kind === "unknown" ? undefined : "" };
}
