import { type Address, fromBits, toBits } from "../net/address.ts";
import { arrivalsAt, forwardable } from "./arrivals.ts";
import { type Cell, Destinations, destinationOf, type Rows } from "./destinations.ts";
import type { FilterRules, Route, Site, Vantage } from "./filter-rules.ts";
import { MatchSets } from "./match-sets.ts";
import { noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { type Ends, pointAt } from "./point.ts";
import { type Flow, noLosses, Walk } from "./walk.ts";

/** Which packets of new flows get through to a destination, and of which that can't be said. Both hold whole packets. */
export type Outcome = { readonly accepted: PacketSet; readonly doubtful: PacketSet };

/** Addresses of one outcome: a cell, with the addresses in it that have one of their own apart, or one address. */
export type Exposed = { readonly first: bigint; readonly last: bigint; readonly outcome: Outcome };

/**
 * What new flows from a vantage can use, destination by destination. Costs a walk through the rules for each kind of
 * destination, and a few look-ups for each address that a set names.
 */
export class Exposure {
  readonly vantage: Vantage;
  readonly destinations: Destinations;
  readonly space: PacketSpace;
  readonly #walk: Walk;
  readonly #sets: MatchSets;
  readonly #arrivals: PacketSet;
  readonly #known = new Map<string, Outcome>();
  readonly #points = new Map<Address, Outcome>();
  readonly #cells: Outcome[];

  constructor(rules: FilterRules, site: Site, vantage: Vantage, space: PacketSpace) {
    this.vantage = vantage;
    this.space = space;
    this.#sets = new MatchSets(rules, site, space);
    this.#walk = new Walk(rules, this.#sets, space);
    this.#arrivals = arrivalsAt(space, vantage);
    this.destinations = new Destinations(rules, site, this.#sets.lookups);
    this.#cells = this.destinations.cells.map((cell) =>
      this.#evaluate(cell.first, cell, this.destinations.rowsOfCell(cell)),
    );
    for (const point of this.destinations.points) this.refresh(point);
  }

  /** Judges an address anew, after rows came or went. Gives what it was and is. */
  refresh(point: Address): { readonly before: Outcome; readonly after: Outcome } {
    const { cell, number } = this.#cellOf(point);
    const own = this.destinations.rowsOfPoint(point);
    const before = this.#points.get(point) ?? (this.#cells[number] as Outcome);
    if (own.length === 0) {
      this.#points.delete(point);
      return { before, after: this.#cells[number] as Outcome };
    }
    const after = this.#pointOutcome(toBits(point), number, cell, own);
    this.#points.set(point, after);
    return { before, after };
  }

  at(address: Address): Outcome {
    return this.#points.get(address) ?? (this.#cells[this.#cellOf(address).number] as Outcome);
  }

  /** Every address once: cells first, in numeric order, then the addresses that rows name. Empty ones too. */
  *all(): Generator<Exposed, void, void> {
    for (const [number, { first, last }] of this.destinations.cells.entries()) {
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
    const number = this.destinations.cellOf(toBits(point));
    return { cell: this.destinations.cells[number] as Cell, number };
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
    const made = this.#evaluate(at, cell, [...this.destinations.rowsOfCell(cell), ...own]);
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

function endsOf(vantage: Vantage, route: Route): Ends {
  return { in: vantage.device, out: route.kind === "out" ? route.device : route.kind === "unknown" ? undefined : "" };
}
