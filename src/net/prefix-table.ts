import type { Address } from "./address.ts";
import { maskWord, parseWords } from "./packed.ts";
import { type Prefix, parsePrefixWords, prefixAt } from "./prefix.ts";

const wanted: Uint32Array = new Uint32Array(4);

/**
 * Longest-prefix match: one hash table per length in use, tried from the longest. Quick where there are few
 * lengths, as in a fleet; a look-up costs at most one probe for each. Grows; nothing is ever taken out.
 */
export class PrefixTable<V> {
  /** The longest first. */
  readonly #tables: LengthTable<V>[] = [];

  /** Adds a prefix, or gives the one that is there another value. */
  set(p: Prefix, value: V): void {
    const length = parsePrefixWords(p, wanted, 0);
    let place = this.#tables.findIndex((each) => each.length <= length);
    if (place < 0) place = this.#tables.length;
    if (this.#tables[place]?.length !== length) this.#tables.splice(place, 0, new LengthTable<V>(length));
    this.#tables[place]?.set(wanted, value);
  }

  /** The value of the longest prefix that contains the address. */
  get(a: Address): V | undefined {
    parseWords(a, wanted, 0);
    return this.getWords(wanted, 0);
  }

  /** As `get`, for the address at `words[at, at + 4)`. */
  getWords(words: Uint32Array, at: number): V | undefined {
    for (const table of this.#tables) {
      const entry = table.find(words, at);
      if (entry >= 0) return table.values[entry];
    }
    return undefined;
  }

  /** The values of every prefix that contains the address, the longest first. */
  every(a: Address): readonly V[] {
    parseWords(a, wanted, 0);
    const found: V[] = [];
    for (const table of this.#tables) {
      const entry = table.find(wanted, 0);
      if (entry >= 0) found.push(table.values[entry] as V);
    }
    return found;
  }

  /** The longest prefix that contains the address, with its value. */
  match(a: Address): { readonly prefix: Prefix; readonly value: V } | undefined {
    parseWords(a, wanted, 0);
    for (const table of this.#tables) {
      const entry = table.find(wanted, 0);
      if (entry >= 0) return { prefix: table.prefixOf(entry), value: table.values[entry] as V };
    }
    return undefined;
  }

  /** The value of exactly this prefix. */
  exact(p: Prefix): V | undefined {
    const length = parsePrefixWords(p, wanted, 0);
    const table = this.#tables.find((each) => each.length === length);
    return table?.values[table.find(wanted, 0)];
  }

  get size(): number {
    return this.#tables.reduce((sum, each) => sum + each.values.length, 0);
  }
}

/** The prefixes of one length, open-addressed, at most half full. */
class LengthTable<V> {
  readonly length: number;
  readonly values: V[] = [];
  readonly #masks: readonly [number, number, number, number];
  /** Four words per entry, in the order in which they came. */
  #keys: Uint32Array = new Uint32Array(64);
  /** Pairs: entry + 1 (0 where free), and the hash of its key, so that another's key is hardly ever read. */
  #slots: Uint32Array = new Uint32Array(64);

  constructor(length: number) {
    this.length = length;
    this.#masks = [maskWord(length, 0), maskWord(length, 1), maskWord(length, 2), maskWord(length, 3)];
  }

  /** The entry whose prefix contains the address, -1 when none does. */
  find(words: Uint32Array, at: number): number {
    return (this.#slots[this.#slotOf(words, at)] as number) - 1;
  }

  set(words: Uint32Array, value: V): void {
    const slot = this.#slotOf(words, 0);
    const entry = (this.#slots[slot] as number) - 1;
    if (entry >= 0) {
      this.values[entry] = value;
      return;
    }
    const count = this.values.push(value);
    this.#keys.set(words, 4 * (count - 1));
    this.#slots[slot] = count;
    this.#slots[slot + 1] = hash(words[0] as number, words[1] as number, words[2] as number, words[3] as number);
    if (4 * count >= this.#slots.length) this.#grow();
  }

  prefixOf(entry: number): Prefix {
    return prefixAt(this.#keys, 4 * entry, this.length);
  }

  /** Where the masked address is, or the free slot where it would go. */
  #slotOf(words: Uint32Array, at: number): number {
    const masks = this.#masks;
    const keys = this.#keys;
    const slots = this.#slots;
    const a = (words[at] as number) & masks[0];
    const b = (words[at + 1] as number) & masks[1];
    const c = (words[at + 2] as number) & masks[2];
    const d = (words[at + 3] as number) & masks[3];
    const code = hash(a, b, c, d);
    const end = slots.length - 1;
    for (let slot = (code << 1) & end; ; slot = (slot + 2) & end) {
      const entry = slots[slot] as number;
      if (entry === 0) return slot;
      if (slots[slot + 1] !== code) continue;
      const key = 4 * entry - 4;
      if (((keys[key + 3] as number) ^ d) !== 0 || ((keys[key + 2] as number) ^ c) !== 0) continue;
      if (((keys[key + 1] as number) ^ b) === 0 && ((keys[key] as number) ^ a) === 0) return slot;
    }
  }

  #grow(): void {
    const keys = new Uint32Array(2 * this.#keys.length);
    keys.set(this.#keys);
    this.#keys = keys;
    const old = this.#slots;
    const slots = new Uint32Array(2 * old.length);
    const end = slots.length - 1;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue;
      let slot = ((old[from + 1] as number) << 1) & end;
      while (slots[slot] !== 0) slot = (slot + 2) & end;
      slots[slot] = old[from] as number;
      slots[slot + 1] = old[from + 1] as number;
    }
    this.#slots = slots;
  }
}

/** Spreads the four words over 32 bits: a multiplication each, the finalizer of MurmurHash3. */
function hash(a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ b, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ c, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ d, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
