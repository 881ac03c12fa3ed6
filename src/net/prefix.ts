import type { Brand } from "../base/brand.ts";
import { type Address, fromBits, toBits } from "./address.ts";
import {
  bitsOf,
  clearHostBits,
  compareWords,
  formatWords,
  hasHostBits,
  parseWords,
  setHostBits,
  sharePrefix,
} from "./packed.ts";
import { parseLength } from "./quad.ts";

/**
 * `address/length`, RFC 4291 §2.3: the address canonical (RFC 5952), the length 0-128 in decimal, every bit beyond
 * the length zero. So `===` is equality.
 */
export type Prefix = Brand<string, "Prefix">;

const words: Uint32Array = new Uint32Array(8);

/** Undefined when the text is no prefix or has bits set beyond its length. The length is never left out. */
export function parsePrefix(text: string): Prefix | undefined {
  const length = parsePrefixWords(text, words, 0);
  return length < 0 ? undefined : textOf(length);
}

/** As `parsePrefix`, for constants and tests: throws a RangeError where the text is no prefix. */
export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new RangeError(`Not an IPv6 prefix: ${JSON.stringify(text)}`);
  return parsed;
}

/** Writes the base of a prefix text to `out[at, at + 4)` and gives its length, -1 when it is no prefix. */
export function parsePrefixWords(text: string, out: Uint32Array, at: number): number {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return -1;
  const length = parseLength(text, slash + 1, text.length, 128);
  if (length < 0 || !parseWords(text, out, at, 0, slash) || hasHostBits(out, at, length)) return -1;
  return length;
}

/** As `parsePrefixWords`, where an address counts as a prefix of 128 bits. */
export function parseEitherWords(text: Address | Prefix, out: Uint32Array, at: number): number {
  if (text.includes("/")) return parsePrefixWords(text, out, at);
  return parseWords(text, out, at) ? 128 : -1;
}

/** The prefix of `length` that `a` lies in: host bits are cleared. Throws a RangeError unless `length` is 0-128. */
export function prefixOf(a: Address, length: number): Prefix {
  requireLength(length);
  parseWords(a, words, 0);
  clearHostBits(words, 0, length);
  return textOf(length);
}

/** The prefix of `length` (0-128, not checked) at `from[at, at + 4)`, whose bits beyond it are zero (not checked). */
export function prefixAt(from: Uint32Array, at: number, length: number): Prefix {
  return `${formatWords(from, at)}/${length}` as Prefix;
}

/** 0-128. */
export function lengthOf(p: Prefix): number {
  return parseLength(p, p.lastIndexOf("/") + 1, p.length, 128);
}

/** The first address, which is also the subnet-router anycast address (RFC 4291 §2.6.1). */
export function baseOf(p: Prefix): Address {
  return p.slice(0, p.lastIndexOf("/")) as Address;
}

export function lastOf(p: Prefix): Address {
  const length = parsePrefixWords(p, words, 0);
  setHostBits(words, 0, length);
  return formatWords(words, 0) as Address;
}

/** Whether all of `inner` lies in `outer`; a prefix contains itself. */
export function contains(outer: Prefix, inner: Address | Prefix): boolean {
  const length = parsePrefixWords(outer, words, 0);
  const innerLength = parseEitherWords(inner, words, 4);
  return innerLength >= length && sharePrefix(words, 0, words, 4, length);
}

/** Whether any address lies in both. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  const lengthA = parsePrefixWords(a, words, 0);
  const lengthB = parsePrefixWords(b, words, 4);
  return sharePrefix(words, 0, words, 4, Math.min(lengthA, lengthB));
}

/** Subnet number `n`, from 0, of `length` bits; undefined where `of` has no such subnet. */
export function subnet(of: Prefix, length: number, n: number | bigint): Prefix | undefined {
  requireLength(length);
  const outer = parsePrefixWords(of, words, 0);
  const number = BigInt(n);
  if (length < outer || BigInt.asUintN(length - outer, number) !== number) return undefined;
  return `${fromBits(bitsOf(words, 0) + (number << BigInt(128 - length)))}/${length}` as Prefix;
}

/** Address number `n`, from 0; undefined where `p` has no such address. */
export function nth(p: Prefix, n: number | bigint): Address | undefined {
  const length = parsePrefixWords(p, words, 0);
  const number = BigInt(n);
  if (BigInt.asUintN(128 - length, number) !== number) return undefined;
  return fromBits(bitsOf(words, 0) + number);
}

/** The prefix of `length` that `p` lies in; undefined where `length` is longer than that of `p`. */
export function parent(p: Prefix, length: number): Prefix | undefined {
  requireLength(length);
  if (parsePrefixWords(p, words, 0) < length) return undefined;
  clearHostBits(words, 0, length);
  return textOf(length);
}

/** By first address, then the shorter length first: an outer prefix comes before what it contains. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a === b) return 0;
  const lengthA = parsePrefixWords(a, words, 0);
  const lengthB = parsePrefixWords(b, words, 4);
  const order = compareWords(words, 0, words, 4);
  return order === 0 ? lengthA - lengthB : order;
}

/** The netmask as an address, for tools that want one: /76 is ffff:ffff:ffff:ffff:fff0::. */
export function maskOf(length: number): Address {
  requireLength(length);
  words.fill(0, 0, 4);
  setHostBits(words, 0, 0);
  clearHostBits(words, 0, length);
  return formatWords(words, 0) as Address;
}

/** How many addresses: 2^(128 - length). */
export function sizeOf(p: Prefix): bigint {
  return 1n << BigInt(128 - lengthOf(p));
}

/** The number of the first address. */
export function baseBits(p: Prefix): bigint {
  return toBits(baseOf(p));
}

/** The fewest prefixes that make up the addresses from number `first` to number `last`, in numeric order. */
export function prefixesOfSpan(first: bigint, last: bigint): readonly Prefix[] {
  const found: Prefix[] = [];
  for (let low = first; low <= last; ) {
    let length = 128;
    while (length > 0) {
      const size = 1n << BigInt(129 - length);
      if (low % size !== 0n || low + size - 1n > last) break;
      length--;
    }
    found.push(`${fromBits(low)}/${length}` as Prefix);
    low += 1n << BigInt(128 - length);
  }
  return found;
}

function textOf(length: number): Prefix {
  return prefixAt(words, 0, length);
}

function requireLength(length: number): void {
  if (!Number.isInteger(length) || length < 0 || length > 128) throw new RangeError(`Not a prefix length: ${length}`);
}
