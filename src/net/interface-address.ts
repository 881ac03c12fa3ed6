import type { Brand } from "../base/brand.ts";
import type { Address } from "./address.ts";
import { formatWords, parseWords } from "./packed.ts";
import { type Prefix, prefixOf } from "./prefix.ts";
import { parseLength } from "./quad.ts";

/** An address with the length of its link's prefix, host bits kept: `2001:db8::1/80`. Canonical, `===` is equality. */
export type InterfaceAddress = Brand<string, "InterfaceAddress">;

const words: Uint32Array = new Uint32Array(4);

/** Undefined when the text is not `address/length`. An address that is also the base of its link is accepted. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const slash = text.lastIndexOf("/");
  if (slash < 0) return undefined;
  const length = parseLength(text, slash + 1, text.length, 128);
  if (length < 0 || !parseWords(text, words, 0, 0, slash)) return undefined;
  return `${formatWords(words, 0)}/${length}` as InterfaceAddress;
}

/** Throws a RangeError unless `length` is 0-128. */
export function interfaceAddress(a: Address, length: number): InterfaceAddress {
  if (!Number.isInteger(length) || length < 0 || length > 128) throw new RangeError(`Not a prefix length: ${length}`);
  return `${a}/${length}` as InterfaceAddress;
}

export function addressOf(i: InterfaceAddress): Address {
  return i.slice(0, i.lastIndexOf("/")) as Address;
}

/** The prefix of the link: host bits cleared. */
export function linkOf(i: InterfaceAddress): Prefix {
  return prefixOf(addressOf(i), parseLength(i, i.lastIndexOf("/") + 1, i.length, 128));
}
