import type { Address } from "./address.ts";
import { bitsOf, compareWords, copyWords, hasHostBits, increment, setHostBits, sharePrefix } from "./packed.ts";
import { orderOf } from "./packed-order.ts";
import { type Prefix, parseEitherWords, parsePrefixWords, prefixAt } from "./prefix.ts";

const first: Uint32Array = new Uint32Array(4);
const last: Uint32Array = new Uint32Array(4);

/**
 * An immutable set of addresses, given and shown as prefixes. Kept as its edges: the sorted addresses at which
 * membership changes, from outside to inside at even places, back at odd ones. An odd number of edges means that
 * the set runs to the end of the address space. So every operation on two sets is one walk over both, and two
 * sets are equal when their edges are. A million prefixes take 32 MB.
 */
export class PrefixSet {
  static readonly empty: PrefixSet = new PrefixSet(new Uint32Array(0));

  /** Four words per edge. */
  readonly #edges: Uint32Array;

  private constructor(edges: Uint32Array) {
    this.#edges = edges;
  }

  /** In any order; prefixes may repeat, contain and touch one another. */
  static of(prefixes: Iterable<Prefix>): PrefixSet {
    const { bases, lengths } = columnsOf(prefixes);
    const edges = new Uint32Array(8 * lengths.length);
    let used = 0;
    for (const n of orderOf(bases, lengths.length)) {
      copyWords(bases, 4 * n, last, 0);
      setHostBits(last, 0, lengths[n] as number);
      const ends = increment(last, 0);
      const touches = used > 0 && compareWords(bases, 4 * n, edges, used - 4) <= 0;
      if (touches && ends && compareWords(last, 0, edges, used - 4) <= 0) continue;
      if (touches) used -= 4;
      else {
        copyWords(bases, 4 * n, edges, used);
        used += 4;
      }
      if (!ends) break;
      copyWords(last, 0, edges, used);
      used += 4;
    }
    return new PrefixSet(edges.slice(0, used));
  }

  union(other: PrefixSet): PrefixSet {
    return this.#combine(other, (here, there) => here || there);
  }

  subtract(other: PrefixSet): PrefixSet {
    return this.#combine(other, (here, there) => here && !there);
  }

  intersect(other: PrefixSet): PrefixSet {
    return this.#combine(other, (here, there) => here && there);
  }

  /** Whether every address of `inner` is in the set. */
  contains(inner: Address | Prefix): boolean {
    readEnds(inner);
    const rank = this.#rank(first);
    return (rank & 1) === 1 && this.#rank(last) === rank;
  }

  /** Whether any address of `p` is in the set. */
  overlaps(p: Prefix): boolean {
    readEnds(p);
    const rank = this.#rank(first);
    return (rank & 1) === 1 || this.#rank(last) !== rank;
  }

  equals(other: PrefixSet): boolean {
    const edges = this.#edges;
    return edges.length === other.#edges.length && edges.every((word, at) => word === other.#edges[at]);
  }

  isEmpty(): boolean {
    return this.#edges.length === 0;
  }

  /** How many addresses, 0 to 2^128. */
  size(): bigint {
    let total = (this.#edges.length & 4) === 0 ? 0n : 1n << 128n;
    for (let at = 0; at < this.#edges.length; at += 4) {
      total += (at & 4) === 0 ? -bitsOf(this.#edges, at) : bitsOf(this.#edges, at);
    }
    return total;
  }

  /** The fewest prefixes that make up the set, disjoint and in numeric order. */
  prefixes(): readonly Prefix[] {
    const found: Prefix[] = [];
    for (let at = 0; at < this.#edges.length; at += 8) pushRange(found, this.#edges, at);
    return found;
  }

  /** The lowest prefix of `length` in `within` that has no address in common with the set. */
  firstFree(within: Prefix, length: number): Prefix | undefined {
    const outer = parsePrefixWords(within, first, 0);
    if (!Number.isInteger(length) || length > 128) throw new RangeError(`Not a prefix length: ${length}`);
    if (length < outer) return undefined;
    const base = first.slice();
    while (sharePrefix(base, 0, first, 0, outer)) {
      copyWords(first, 0, last, 0);
      setHostBits(last, 0, length);
      const before = this.#rank(first);
      const taken = (before & 1) === 1 ? before : this.#rank(last) === before ? -1 : before + 1;
      if (taken < 0) return prefixAt(first, 0, length);
      if (4 * taken >= this.#edges.length) return undefined;
      copyWords(this.#edges, 4 * taken, first, 0);
      if (!roundUp(first, length)) return undefined;
    }
    return undefined;
  }

  /** How many edges are at or before the address: odd means inside. */
  #rank(words: Uint32Array): number {
    let low = 0;
    let high = this.#edges.length >>> 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareWords(this.#edges, 4 * middle, words, 0) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** `keep(false, false)` must be false. */
  #combine(other: PrefixSet, keep: (here: boolean, there: boolean) => boolean): PrefixSet {
    const a = this.#edges;
    const b = other.#edges;
    const edges = new Uint32Array(a.length + b.length);
    let [i, j, used] = [0, 0, 0];
    while (i < a.length || j < b.length) {
      const order = i >= a.length ? 1 : j >= b.length ? -1 : compareWords(a, i, b, j);
      copyWords(order <= 0 ? a : b, order <= 0 ? i : j, edges, used);
      if (order <= 0) i += 4;
      if (order >= 0) j += 4;
      if (keep((i & 4) !== 0, (j & 4) !== 0) === ((used & 4) === 0)) used += 4;
    }
    return new PrefixSet(edges.slice(0, used));
  }
}

type Columns = { readonly bases: Uint32Array; readonly lengths: Uint8Array };

function columnsOf(prefixes: Iterable<Prefix>): Columns {
  const texts = Array.isArray(prefixes) ? (prefixes as readonly Prefix[]) : [...prefixes];
  const bases = new Uint32Array(4 * texts.length);
  const lengths = new Uint8Array(texts.length);
  for (let n = 0; n < texts.length; n++) lengths[n] = parsePrefixWords(texts[n] as Prefix, bases, 4 * n);
  return { bases, lengths };
}

/** Writes the first and the last address to `first` and `last`. */
function readEnds(of: Address | Prefix): void {
  const length = parseEitherWords(of, first, 0);
  copyWords(first, 0, last, 0);
  setHostBits(last, 0, length);
}

/** Up to the next base of a prefix of `length`. False where there is none. */
function roundUp(words: Uint32Array, length: number): boolean {
  if (!hasHostBits(words, 0, length)) return true;
  setHostBits(words, 0, length);
  return increment(words, 0);
}

/** The prefixes from the edge at `at` up to the next, or to the end of the address space. */
function pushRange(found: Prefix[], edges: Uint32Array, at: number): void {
  const cursor = edges.slice(at, at + 4);
  const isOpen = at + 4 >= edges.length;
  const end = new Uint32Array(4);
  do {
    if (!isOpen && compareWords(cursor, 0, edges, at + 4) >= 0) return;
    let length = alignmentOf(cursor);
    for (; length < 128; length++) {
      copyWords(cursor, 0, end, 0);
      setHostBits(end, 0, length);
      if (isOpen || compareWords(end, 0, edges, at + 4) < 0) break;
    }
    found.push(prefixAt(cursor, 0, length));
    setHostBits(cursor, 0, length);
  } while (increment(cursor, 0));
}

/** The shortest length of a prefix that has this base. */
function alignmentOf(words: Uint32Array): number {
  for (let w = 3; w >= 0; w--) {
    const word = words[w] as number;
    if (word !== 0) return 32 * w + 1 + Math.clz32(word & -word);
  }
  return 0;
}
