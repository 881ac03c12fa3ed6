import { type Address, fromBits, toBits } from "../net/address.ts";
import { contains, type Prefix } from "../net/prefix.ts";
import { type Claim, type Claims, groundAt } from "./allowed.ts";
import { plainPackets } from "./arrivals.ts";
import { type Decision, decideAs, decideFlow } from "./decide-flow.ts";
import type { Exposure, Outcome } from "./exposure.ts";
import type { FilterRules, Site } from "./filter-rules.ts";
import { examplePacket, type Packet } from "./packet.ts";
import { noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { flowsIn } from "./seen-flows.ts";

/**
 * `exposed`: flows get through that nothing allows. `blocked`: flows that should get through do not. `unsure`: whether
 * one of both is so depends on a rule that is not understood.
 */
export type DifferenceKind = "exposed" | "blocked" | "unsure";

/** One kind of difference, at all addresses that have it. */
export type Difference = {
  readonly kind: DifferenceKind;
  /** Fields that people tell flows by; see `flowsIn`. */
  readonly flows: PacketSet;
  /** First and last address of each place; in numeric order within cells and within single addresses. */
  readonly places: readonly (readonly [first: bigint, last: bigint])[];
  /** A packet that shows it, at the first place, and the rule that decides it. */
  readonly example: Packet;
  readonly decision: Decision;
};

const nowhere: readonly [bigint, bigint] = [0n, 0n];

type Found = { readonly kind: DifferenceKind; readonly flows: PacketSet; readonly packets: PacketSet };
type Gathered = Found & { readonly places: (readonly [bigint, bigint])[] };

/** What gets through against what is said of it, for every address. Nothing is left out and nothing is sampled. */
export class Verifier {
  readonly #exposure: Exposure;
  readonly #claims: Claims;
  readonly #space: PacketSpace;
  readonly #plain: PacketSet;
  readonly #first: Prefix | undefined;
  readonly #known = new Map<string, readonly Found[]>();

  /** `first`: differences are told and shown at addresses of this prefix before others. */
  constructor(exposure: Exposure, claims: Claims, first?: Prefix) {
    this.#first = first;
    this.#exposure = exposure;
    this.#claims = claims;
    this.#space = exposure.space;
    this.#plain = plainPackets(exposure.space);
  }

  /** Every difference, those of the same flows together. `rules` and `site` are those that the exposure was made from. */
  differences(rules: FilterRules, site: Site): readonly Difference[] {
    const all = new Map<string, Gathered>();
    for (const { first, last } of this.#exposure.destinations.cells) this.#cell(first, last, all);
    const named = new Set<Address>([...this.#exposure.points.keys(), ...this.#claims.points.keys()]);
    for (const point of named) this.#add(this.at(point), toBits(point), toBits(point), all);
    const sorted = [...all.values()].map((each) => ({
      ...each,
      places: each.places.sort((a, b) => this.#order(a, b)),
    }));
    sorted.sort((a, b) => this.#order(a.places[0] ?? nowhere, b.places[0] ?? nowhere));
    return sorted.map((each) => this.#explained(each, rules, site));
  }

  /** Our own addresses first, then where the Internet is, then the rest; single ones before many. */
  #order(a: readonly [bigint, bigint], b: readonly [bigint, bigint]): number {
    const rank = ([first, last]: readonly [bigint, bigint]): number =>
      this.#first !== undefined && contains(this.#first, fromBits(first))
        ? first === last
          ? 0
          : 1
        : first >> 125n === 1n
          ? 2
          : 3;
    return rank(a) - rank(b) || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
  }

  /** What differs at one address. */
  at(point: Address): readonly Found[] {
    const claim = this.#claims.points.get(point) ?? groundAt(this.#claims.grounds, toBits(point)).claim;
    return this.#compare(this.#exposure.at(point), claim);
  }

  /** A cell may be of several grounds. Addresses in it that are judged by themselves do not change what is said of it. */
  #cell(first: bigint, last: bigint, all: Map<string, Gathered>): void {
    const outcome = this.#exposure.outcomeOfCell(first);
    for (let at = first; at <= last; ) {
      const ground = groundAt(this.#claims.grounds, at);
      const end = ground.last === undefined || ground.last > last ? last : ground.last;
      const isPoint = at === end && this.#isNamed(fromBits(at));
      if (!isPoint) this.#add(this.#compare(outcome, ground.claim), at, end, all);
      at = end + 1n;
    }
  }

  #isNamed(address: Address): boolean {
    return this.#exposure.points.has(address) || this.#claims.points.has(address);
  }

  #compare({ accepted, doubtful }: Outcome, { may, must }: Claim): readonly Found[] {
    const key = `${accepted.id} ${doubtful.id} ${may.id} ${must.id}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const space = this.#space;
    const maybe = space.or(accepted, doubtful);
    const found: Found[] = [];
    const add = (kind: DifferenceKind, flows: PacketSet, packets: PacketSet): void => {
      if (flows !== noPackets) found.push({ kind, flows, packets: space.and(packets, flows) });
    };
    const exposed = space.minus(flowsIn(space, accepted), may);
    add("exposed", exposed, accepted);
    const through = flowsIn(space, space.and(accepted, this.#plain));
    const perhaps = flowsIn(space, space.and(maybe, this.#plain));
    add("blocked", space.minus(must, perhaps), this.#plain);
    const doubts = space.minus(space.minus(flowsIn(space, doubtful), may), exposed);
    add("unsure", space.or(doubts, space.minus(space.and(must, perhaps), through)), doubtful);
    this.#known.set(key, found);
    return found;
  }

  #add(found: readonly Found[], first: bigint, last: bigint, all: Map<string, Gathered>): void {
    for (const each of found) {
      const key = `${each.kind} ${each.flows.id} ${each.packets.id}`;
      const there = all.get(key);
      if (there === undefined) all.set(key, { ...each, places: [[first, last]] });
      else there.places.push([first, last]);
    }
  }

  #explained({ kind, flows, packets, places }: Gathered, rules: FilterRules, site: Site): Difference {
    const [first = [0n, 0n]] = places;
    // Not the first address of a prefix, which nobody has.
    const to = fromBits(first[0] === first[1] ? first[0] : this.#unnamed(first[0] + 1n, first[1]));
    const usual = this.#space.and(packets, this.#plain);
    const vantage = this.#exposure.vantage;
    const example = examplePacket(usual === noPackets ? packets : usual, { in: vantage.device, to });
    if (example === undefined) throw new RangeError("A difference without a packet");
    const wanted = { exposed: "accept", blocked: "drop", unsure: "unknown" } as const;
    const decision =
      kind === "blocked" ? decideFlow(rules, site, example) : decideAs(rules, site, example, wanted[kind]);
    return { kind, flows, places, example, decision };
  }

  /** The next address that is not judged by itself. */
  #unnamed(at: bigint, last: bigint): bigint {
    let address = at;
    while (address < last && this.#isNamed(fromBits(address))) address++;
    return address;
  }
}
