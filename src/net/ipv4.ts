import type { Brand } from "../base/brand.ts";
import { formatQuad, parseLength, parseQuad } from "./quad.ts";

// IPv4 only as far as the network under the fleet speaks it: addresses of devices, of hosts, of resolvers.

/** A dotted quad without leading zeros. `===` is equality. */
export type Address4 = Brand<string, "Address4">;
/** `address/length`, RFC 4632 §3.1, every bit beyond the length (0-32) zero. */
export type Prefix4 = Brand<string, "Prefix4">;
/** An address with the length of its link's prefix, host bits kept: `10.10.10.2/24`. */
export type InterfaceAddress4 = Brand<string, "InterfaceAddress4">;

/** Strict: four decimals 0-255, no leading zeros, no shorter forms (`127.1`), no hex. */
export function parseAddress4(text: string): Address4 | undefined {
  return parseQuad(text, 0, text.length) < 0 ? undefined : (text as Address4);
}

/** As `parseAddress4`, for constants and tests: throws a RangeError. */
export function address4(text: string): Address4 {
  return required(parseAddress4(text), text, "address");
}

/** Undefined when the text is no prefix or has bits set beyond its length. */
export function parsePrefix4(text: string): Prefix4 | undefined {
  const length = lengthBehindSlash(text);
  if (length < 0) return undefined;
  const base = parseQuad(text, 0, text.lastIndexOf("/"));
  return base < 0 || (base & mask(length)) >>> 0 !== base ? undefined : (text as Prefix4);
}

/** As `parsePrefix4`, for constants and tests: throws a RangeError. */
export function prefix4(text: string): Prefix4 {
  return required(parsePrefix4(text), text, "prefix");
}

/** Undefined when the text is not `address/length`. */
export function parseInterfaceAddress4(text: string): InterfaceAddress4 | undefined {
  if (lengthBehindSlash(text) < 0) return undefined;
  return parseQuad(text, 0, text.lastIndexOf("/")) < 0 ? undefined : (text as InterfaceAddress4);
}

/** As `parseInterfaceAddress4`, for constants and tests: throws a RangeError. */
export function interfaceAddress4(text: string): InterfaceAddress4 {
  return required(parseInterfaceAddress4(text), text, "interface address");
}

export function address4Of(i: InterfaceAddress4): Address4 {
  return i.slice(0, i.lastIndexOf("/")) as Address4;
}

/** The prefix of the link: host bits cleared. */
export function prefix4Of(i: InterfaceAddress4): Prefix4 {
  const length = lengthBehindSlash(i);
  return `${formatQuad(toBits4(address4Of(i)) & mask(length))}/${length}` as Prefix4;
}

/** 0-32. */
export function length4Of(of: Prefix4 | InterfaceAddress4): number {
  return lengthBehindSlash(of);
}

/** Whether all of `inner` lies in `outer`; a prefix contains itself. */
export function contains4(outer: Prefix4, inner: Address4 | Prefix4): boolean {
  const length = lengthBehindSlash(outer);
  if (inner.includes("/") && lengthBehindSlash(inner) < length) return false;
  return ((toBits4(outer) ^ toBits4(inner)) & mask(length)) === 0;
}

/** 0 to 2^32 - 1; of a prefix, its first address. */
export function toBits4(of: Address4 | Prefix4): number {
  const slash = of.lastIndexOf("/");
  return parseQuad(of, 0, slash < 0 ? of.length : slash);
}

function mask(length: number): number {
  return length === 0 ? 0 : 0xffffffff << (32 - length);
}

/** -1 when there is no slash, or no length 0-32 behind it. */
function lengthBehindSlash(text: string): number {
  const slash = text.lastIndexOf("/");
  return slash < 0 ? -1 : parseLength(text, slash + 1, text.length, 32);
}

function required<T>(parsed: T | undefined, text: string, what: string): T {
  if (parsed === undefined) throw new RangeError(`Not an IPv4 ${what}: ${JSON.stringify(text)}`);
  return parsed;
}
