import type { Address } from "./address.ts";
import { compareWords, copyWords, formatWords, parseWords } from "./packed.ts";
import { orderOf } from "./packed-order.ts";

const wanted: Uint32Array = new Uint32Array(4);

/**
 * Many addresses, sorted, each once, 16 octets apiece: where a Set of texts would take ten times that. Immutable.
 */
export class AddressColumns {
  readonly #words: Uint32Array;

  private constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** In any order and any form that `parseAddress` reads. Throws a RangeError that names the text that is none. */
  static of(texts: Iterable<string>): AddressColumns {
    const list = Array.isArray(texts) ? (texts as readonly string[]) : [...texts];
    const words = new Uint32Array(4 * list.length);
    for (let n = 0; n < list.length; n++) {
      const text = list[n] as string;
      if (!parseWords(text, words, 4 * n)) throw new RangeError(`Not an IPv6 address: ${JSON.stringify(text)}`);
    }
    return AddressColumns.ofWords(words);
  }

  /** From addresses of four words each, in any order; `words` itself is not kept. */
  static ofWords(words: Uint32Array): AddressColumns {
    const sorted = new Uint32Array(words.length);
    let used = 0;
    for (const n of orderOf(words, words.length >>> 2)) {
      if (used > 0 && compareWords(words, 4 * n, sorted, used - 4) === 0) continue;
      copyWords(words, 4 * n, sorted, used);
      used += 4;
    }
    return new AddressColumns(sorted.slice(0, used));
  }

  get size(): number {
    return this.#words.length >>> 2;
  }

  has(a: Address): boolean {
    parseWords(a, wanted, 0);
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compareWords(this.#words, 4 * middle, wanted, 0);
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** Address number `n` in numeric order, from 0. */
  at(n: number): Address | undefined {
    return n >= 0 && n < this.size ? (formatWords(this.#words, 4 * n) as Address) : undefined;
  }

  *[Symbol.iterator](): Generator<Address, void, void> {
    for (let at = 0; at < this.#words.length; at += 4) yield formatWords(this.#words, at) as Address;
  }

  /** The addresses that `other` doesn't have. */
  without(other: AddressColumns): AddressColumns {
    const a = this.#words;
    const b = other.#words;
    const left = new Uint32Array(a.length);
    let used = 0;
    for (let i = 0, j = 0; i < a.length; ) {
      const order = j >= b.length ? -1 : compareWords(a, i, b, j);
      if (order < 0) {
        copyWords(a, i, left, used);
        used += 4;
      }
      if (order <= 0) i += 4;
      if (order >= 0) j += 4;
    }
    return new AddressColumns(left.slice(0, used));
  }
}

/** What makes `to` out of `from`. */
export type AddressDiff = { readonly added: AddressColumns; readonly removed: AddressColumns };

export function diff(from: AddressColumns, to: AddressColumns): AddressDiff {
  return { added: to.without(from), removed: from.without(to) };
}
