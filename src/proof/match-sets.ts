import { prefix } from "../net/prefix.ts";
import { prefixValues } from "./arrivals.ts";
import type { FilterRules, Key, Match, Site } from "./filter-rules.ts";
import { anybody, everybody, exactly, Lookup, namesFit, nobody } from "./lookup.ts";
import { allPackets, noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { inStates, type Pair, type Point, withHops } from "./point.ts";
import { hasValue, type Values } from "./values.ts";

/** Link-local sources: every link has a route to them, or none, and that is not a part of the site. */
const onTheirLink: Values = prefixValues([prefix("fe80::/10")]);

/** Destinations that no rule tells apart. */
export type Destination = {
  /** One of them. */
  readonly at: bigint;
  readonly isLocal: boolean | undefined;
  /** The rows of a lookup that have it. */
  rowsOf(lookup: Lookup): readonly number[];
};

/** Says of each match which packets have it, and remembers what does not depend on the destination. */
export class MatchSets {
  readonly lookups: readonly Lookup[];
  readonly #space: PacketSpace;
  readonly #site: Site;
  readonly #byKey = new Map<Key, Lookup>();
  readonly #known = new Map<Match | Key, Map<string, Pair>>();

  constructor(rules: FilterRules, site: Site, space: PacketSpace) {
    this.#space = space;
    this.#site = site;
    for (const chain of rules.chains.values()) {
      for (const rule of chain.rules) {
        for (const step of rule.steps) {
          if (step.kind === "branch") this.#addLookup(rules, step.key, step.map);
          else if (isMatch(step)) this.#addLookups(rules, step);
        }
      }
    }
    this.lookups = [...this.#byKey.values()];
  }

  #addLookups(rules: FilterRules, match: Match): void {
    if (match.kind === "elements") this.#addLookup(rules, match.key, match.set);
    else if (match.kind === "not") this.#addLookups(rules, match.of);
    else if (match.kind === "every" || match.kind === "some")
      for (const each of match.of) this.#addLookups(rules, each);
  }

  #addLookup(rules: FilterRules, key: Key, set: string): void {
    const elements = rules.sets.get(set);
    if (elements === undefined) throw new RangeError(`No set ${JSON.stringify(set)}`);
    this.#byKey.set(key, new Lookup(this.#byKey.size, elements, key, this.#space));
  }

  /** The lookup at a key: each place in the rules has a key of its own. */
  lookupOf(key: Key): Lookup {
    const lookup = this.#byKey.get(key);
    if (lookup === undefined) throw new RangeError("A key of other rules");
    return lookup;
  }

  of(match: Match, point: Point, destination: Destination): Pair {
    switch (match.kind) {
      case "to":
        return hasValue(match.values, destination.at) ? everybody : nobody;
      case "local":
        return isSo(destination.isLocal, match.negated);
      case "not":
        return this.#not(this.of(match.of, point, destination));
      case "every":
        return match.of.reduce((all, each) => this.#and(all, this.of(each, point, destination)), everybody);
      case "some":
        return match.of.reduce((all, each) => this.#or(all, this.of(each, point, destination)), nobody);
      case "elements":
        return this.#elements(match, point, destination);
      case "chance":
      case "field":
      case "hops":
      case "interface":
      case "masked":
      case "opaque":
      case "state":
      case "tracked":
      case "way-back":
        return this.#remembered(match, point.key, () => this.#plain(match, point));
    }
  }

  /** The packets of each of the rows that have the destination, and whether the key can be any of the set's. */
  rows(key: Key, point: Point, destination: Destination): readonly { readonly row: number; readonly packets: Pair }[] {
    const lookup = this.lookupOf(key);
    const rows =
      lookup.toColumn < 0 ? Array.from({ length: lookup.size }, (_, row) => row) : destination.rowsOf(lookup);
    return rows.map((row) => ({ row, packets: lookup.packetsOf(row, point) }));
  }

  #elements(match: Match & { readonly kind: "elements" }, point: Point, destination: Destination): Pair {
    const lookup = this.lookupOf(match.key);
    if (lookup.elements.isLive) return anybody;
    const found = (): Pair => {
      const all = this.rows(match.key, point, destination).map((each) => each.packets);
      if (lookup.elements.otherwise !== undefined) return everybody;
      return {
        must: this.#space.union(all.map((each) => each.must)),
        may: this.#space.union(all.map((each) => each.may)),
      };
    };
    const pair = lookup.toColumn < 0 ? this.#remembered(match.key, point.key, found) : found();
    return match.negated ? this.#not(pair) : pair;
  }

  /** Matches that do not ask for the destination. */
  #plain(match: Match, point: Point): Pair {
    switch (match.kind) {
      case "field":
        return exactly(this.#space.where(match.field, match.values));
      case "hops":
        return exactly(withHops(this.#space, match.values, point.stage));
      case "interface": {
        const name = match.side === "in" ? point.ends.in : point.ends.out;
        return isSo(name === undefined ? undefined : namesFit(match.names, name), match.negated);
      }
      case "state":
        return inStates(this.#space, match.states, point);
      case "tracked":
        return inStates(this.#space, ["new", "established", "related"], point);
      case "way-back":
        return this.#wayBack(match.strict, match.negated, point);
      case "chance":
      case "elements":
      case "every":
      case "local":
      case "masked":
      case "not":
      case "opaque":
      case "some":
      case "to":
        return anybody;
    }
  }

  /** Sources that the gateway has a route to, with `strict` one by the interface they came in by. */
  #wayBack(strict: boolean, negated: boolean, point: Point): Pair {
    let led: PacketSet = noPackets;
    for (const route of this.#site.routes.toSorted((a, b) => lengthIn(a.to) - lengthIn(b.to))) {
      const sources = this.#space.where("from", prefixValues([route.to]));
      if (route.kind === "unknown") return anybody;
      const leads = route.kind === "out" ? !strict || route.device === point.ends.in : false;
      led = leads ? this.#space.or(led, sources) : this.#space.minus(led, sources);
    }
    const unsure = this.#space.where("from", onTheirLink);
    const found = { must: this.#space.minus(led, unsure), may: this.#space.or(led, unsure) };
    return negated ? this.#not(found) : found;
  }

  #remembered(of: Match | Key, key: string, make: () => Pair): Pair {
    let known = this.#known.get(of);
    if (known === undefined) this.#known.set(of, (known = new Map()));
    let pair = known.get(key);
    if (pair === undefined) known.set(key, (pair = make()));
    return pair;
  }

  #and(a: Pair, b: Pair): Pair {
    return { must: this.#space.and(a.must, b.must), may: this.#space.and(a.may, b.may) };
  }

  #or(a: Pair, b: Pair): Pair {
    return { must: this.#space.or(a.must, b.must), may: this.#space.or(a.may, b.may) };
  }

  #not(pair: Pair): Pair {
    return { must: this.#space.minus(allPackets, pair.may), may: this.#space.minus(allPackets, pair.must) };
  }
}

export function isMatch(step: { readonly kind: string }): step is Match {
  return matchKinds.has(step.kind);
}

const matchKinds: ReadonlySet<string> = new Set<Match["kind"]>([
  "field",
  "masked",
  "to",
  "hops",
  "interface",
  "elements",
  "state",
  "tracked",
  "way-back",
  "local",
  "every",
  "some",
  "not",
  "chance",
  "opaque",
]);

function isSo(so: boolean | undefined, negated: boolean): Pair {
  if (so === undefined) return anybody;
  return so === negated ? nobody : everybody;
}

function lengthIn(prefix: string): number {
  return Number(prefix.slice(prefix.lastIndexOf("/") + 1));
}
