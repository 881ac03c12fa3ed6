import type { Brand } from "../base/brand.ts";
import { bitsOf, canonical, compareWords, formatWords, parseWords, putBits, readWords } from "./packed.ts";

/**
 * An IPv6 address in the canonical text of RFC 5952: no zone, no brackets. A primitive, so `===` is equality and
 * it fits Map keys. IPv4-mapped addresses have a dotted tail (`::ffff:192.0.2.1`, §5).
 */
export type Address = Brand<string, "Address">;

const words: Uint32Array = new Uint32Array(8);

/** Reads every form of RFC 4291 §2.2; see `parseWords` for what is refused. Scope and reachability aren't checked. */
export function parseAddress(text: string): Address | undefined {
  const reading = readWords(text, words, 0, 0, text.length);
  if (reading === canonical) return text as Address;
  return reading === 0 ? undefined : (formatWords(words, 0) as Address);
}

/** As `parseAddress`, for constants and tests: throws a RangeError where the text is no address. */
export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(`Not an IPv6 address: ${JSON.stringify(text)}`);
  return parsed;
}

/** 0 to 2^128 - 1. */
export function toBits(a: Address): bigint {
  parseWords(a, words, 0);
  return bitsOf(words, 0);
}

/** Throws a RangeError outside 0 to 2^128 - 1. */
export function fromBits(bits: bigint): Address {
  if (BigInt.asUintN(128, bits) !== bits) throw new RangeError(`Not a 128-bit number: ${bits}`);
  putBits(bits, words, 0);
  return formatWords(words, 0) as Address;
}

/** Numeric order, which is not the order of the texts. Reads both texts: sort many with `AddressColumns`. */
export function compareAddresses(a: Address, b: Address): number {
  if (a === b) return 0;
  parseWords(a, words, 0);
  parseWords(b, words, 4);
  return compareWords(words, 0, words, 4);
}

/** The address `n` further (or back, when negative); undefined beyond either end of the address space. */
export function offset(a: Address, n: bigint | number): Address | undefined {
  const bits = toBits(a) + BigInt(n);
  return BigInt.asUintN(128, bits) === bits ? fromBits(bits) : undefined;
}

/** fe80::/10, RFC 4291 §2.5.6. */
export function isLinkLocal(a: Address): boolean {
  return firstGroup(a) >>> 6 === 0xfe80 >>> 6;
}

/** ff00::/8, RFC 4291 §2.7. */
export function isMulticast(a: Address): boolean {
  return firstGroup(a) >>> 8 === 0xff;
}

/** `::`, RFC 4291 §2.5.2. */
export function isUnspecified(a: Address): boolean {
  return a === "::";
}

function firstGroup(a: Address): number {
  parseWords(a, words, 0);
  return (words[0] as number) >>> 16;
}
