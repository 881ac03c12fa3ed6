import { type Field, fields, rankOf } from "./field.ts";
import { compare, isZero, noValues, type Value, type Values } from "./values.ts";

/**
 * A set of packets, as a decision diagram over intervals: a node asks for one field, and `kids[i]` has the packets
 * whose value is from `starts[i]` on and before `starts[i + 1]`. Fields are asked in one order and equal nodes are one
 * node, so two sets of one {@link PacketSpace} are equal when they are the same object, and a set without holes costs
 * no more than its edges, nor does its complement.
 */
export type PacketSet = {
  /** 0 is the empty set, 1 every packet. */
  readonly id: number;
  /** The rank of the field; past every field for the two ends. */
  readonly rank: number;
  readonly starts: readonly Value[];
  readonly kids: readonly PacketSet[];
};

const end = fields.length;
export const noPackets: PacketSet = { id: 0, rank: end, starts: [], kids: [] };
export const allPackets: PacketSet = { id: 1, rank: end, starts: [], kids: [] };

/** Two ids in one number, exact while there are fewer than 2^26 nodes. */
const shift = 2 ** 26;

type Operation = {
  readonly done: Map<number, PacketSet>;
  readonly commutes: boolean;
  /** The answer where one side is an end or both are the same. */
  quick(a: PacketSet, b: PacketSet): PacketSet | undefined;
};

/** Makes packet sets and remembers what it made: sets of two spaces must not meet. */
export class PacketSpace {
  readonly #nodes = new Map<string, PacketSet>();
  readonly #without = new Map<number, PacketSet>();
  #next = 2;

  readonly #and: Operation = {
    done: new Map(),
    commutes: true,
    quick: (a, b) =>
      a === b || b === allPackets || a === noPackets ? a : a === allPackets || b === noPackets ? b : undefined,
  };
  readonly #or: Operation = {
    done: new Map(),
    commutes: true,
    quick: (a, b) =>
      a === b || b === noPackets || a === allPackets ? a : a === noPackets || b === allPackets ? b : undefined,
  };
  readonly #minus: Operation = {
    done: new Map(),
    commutes: false,
    quick: (a, b) => (a === b || a === noPackets || b === allPackets ? noPackets : b === noPackets ? a : undefined),
  };

  /** How many nodes were made so far: what it all costs. */
  get size(): number {
    return this.#next;
  }

  and(a: PacketSet, b: PacketSet): PacketSet {
    return this.#combine(this.#and, a, b);
  }

  or(a: PacketSet, b: PacketSet): PacketSet {
    return this.#combine(this.#or, a, b);
  }

  minus(a: PacketSet, b: PacketSet): PacketSet {
    return this.#combine(this.#minus, a, b);
  }

  /** Pairwise, so that many small sets do not grow one large one step by step. */
  union(sets: readonly PacketSet[]): PacketSet {
    let left = sets;
    while (left.length > 1) {
      const half: PacketSet[] = [];
      for (let at = 0; at < left.length; at += 2) half.push(this.or(left[at] ?? noPackets, left[at + 1] ?? noPackets));
      left = half;
    }
    return left[0] ?? noPackets;
  }

  /** The packets whose field has one of the values. */
  where(field: Field, values: Values): PacketSet {
    if (values.length === 0) return noPackets;
    const opensAtZero = isZero(values[0]);
    const starts = opensAtZero ? values : [typeof values[0] === "bigint" ? 0n : 0, ...values];
    const kids = starts.map((_, at) => ((at & 1) === (opensAtZero ? 0 : 1) ? allPackets : noPackets));
    return this.#node(rankOf(field), starts, kids);
  }

  /** Every packet that some value of the field would bring into the set: the field no longer matters. */
  without(field: Field, set: PacketSet): PacketSet {
    const rank = rankOf(field);
    if (set.rank > rank) return set;
    if (set.rank === rank) return this.union(set.kids);
    const key = set.id * 64 + rank;
    const known = this.#without.get(key);
    if (known !== undefined) return known;
    const made = this.#node(
      set.rank,
      set.starts,
      set.kids.map((kid) => this.without(field, kid)),
    );
    this.#without.set(key, made);
    return made;
  }

  /** The values that the field has in the set. */
  valuesOf(field: Field, set: PacketSet): Values {
    const rank = rankOf(field);
    let only = set;
    for (const other of fields) if (other !== field) only = this.without(other, only);
    if (only === noPackets) return noValues;
    if (only.rank !== rank) return [0];
    const edges: Value[] = [];
    for (const [at, kid] of only.kids.entries()) {
      if ((kid === allPackets) === ((edges.length & 1) === 0)) edges.push(only.starts[at] as Value);
    }
    return edges;
  }

  #combine(operation: Operation, a: PacketSet, b: PacketSet): PacketSet {
    const quick = operation.quick(a, b);
    if (quick !== undefined) return quick;
    const key = operation.commutes && b.id < a.id ? b.id * shift + a.id : a.id * shift + b.id;
    const known = operation.done.get(key);
    if (known !== undefined) return known;
    const made = this.#combineKids(operation, a, b);
    operation.done.set(key, made);
    return made;
  }

  #combineKids(operation: Operation, a: PacketSet, b: PacketSet): PacketSet {
    if (a.rank < b.rank) {
      return this.#node(
        a.rank,
        a.starts,
        a.kids.map((kid) => this.#combine(operation, kid, b)),
      );
    }
    if (b.rank < a.rank) {
      return this.#node(
        b.rank,
        b.starts,
        b.kids.map((kid) => this.#combine(operation, a, kid)),
      );
    }
    const starts: Value[] = [];
    const kids: PacketSet[] = [];
    for (let i = 0, j = 0; i < a.starts.length || j < b.starts.length; ) {
      const [x, y] = [a.starts[i], b.starts[j]];
      starts.push(y === undefined || (x !== undefined && x <= y) ? (x as Value) : y);
      const isBoth = x !== undefined && y !== undefined && compare(x, y) === 0;
      if (isBoth || y === undefined || (x !== undefined && x < y)) i++;
      if (isBoth || x === undefined || (y !== undefined && y < x)) j++;
      kids.push(this.#combine(operation, a.kids[i - 1] as PacketSet, b.kids[j - 1] as PacketSet));
    }
    return this.#node(a.rank, starts, kids);
  }

  /** The one node of this kind: neighbours that are equal become one, and a node with one kid is that kid. */
  #node(rank: number, starts: readonly Value[], kids: readonly PacketSet[]): PacketSet {
    const keptStarts: Value[] = [];
    const keptKids: PacketSet[] = [];
    let key = `${rank}`;
    for (let at = 0; at < kids.length; at++) {
      const kid = kids[at] as PacketSet;
      if (keptKids.at(-1) === kid) continue;
      keptStarts.push(starts[at] as Value);
      keptKids.push(kid);
      key += ` ${starts[at]}:${kid.id}`;
    }
    if (keptKids.length === 1) return keptKids[0] as PacketSet;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const made = { id: this.#next++, rank, starts: keptStarts, kids: keptKids };
    this.#nodes.set(key, made);
    return made;
  }
}

/** The kid for a value. */
export function kidFor(set: PacketSet, value: Value): PacketSet {
  let low = 1;
  let high = set.starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((set.starts[middle] as Value) <= value) low = middle + 1;
    else high = middle;
  }
  return set.kids[low - 1] ?? noPackets;
}
