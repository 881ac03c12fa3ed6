import type { Brand } from "../base/brand.ts";
import { type Address, fromBits } from "./address.ts";

/** A 48-bit MAC address (EUI-48) in lower case with colons: `02:42:ac:11:00:02`. `===` is equality. */
export type Mac = Brand<string, "Mac">;

const pattern = /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;

/** Reads six octets of two digits between colons, or between dashes (IEEE 802), in either case. */
export function parseMac(text: string): Mac | undefined {
  return pattern.test(text) ? (text.toLowerCase().replaceAll("-", ":") as Mac) : undefined;
}

/** As `parseMac`, for constants and tests: throws a RangeError where the text is no MAC address. */
export function mac(text: string): Mac {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new RangeError(`Not a MAC address: ${JSON.stringify(text)}`);
  return parsed;
}

/** The address that a kernel without privacy addresses gives the interface: fe80::/64 with the modified EUI-64. */
export function linkLocalOf(m: Mac): Address {
  return fromBits((0xfe80n << 112n) | interfaceIdentifierOf(m));
}

/** Modified EUI-64, RFC 4291 appendix A: ff:fe in the middle and the universal/local bit inverted. 64 bits. */
function interfaceIdentifierOf(m: Mac): bigint {
  const bits = bitsOfMac(m);
  const eui = ((bits >> 24n) << 40n) | (0xfffen << 24n) | (bits & 0xffffffn);
  return eui ^ (0x02n << 56n);
}

/** The group bit (the lowest of the first octet) is clear. The address of all zeros, which no interface may have, isn't unicast. */
export function isUnicastMac(m: Mac): boolean {
  return (firstOctet(m) & 1) === 0 && m !== "00:00:00:00:00:00";
}

/** The universal/local bit of the first octet is set: nobody bought this address from the IEEE. */
export function isLocallyAdministered(m: Mac): boolean {
  return (firstOctet(m) & 2) === 2;
}

/**
 * The same locally administered unicast address for the same seed, on every machine, for ever: 46 bits of hash.
 * Two of 4,094 seeds meet with a chance of 1 in 8 million; not checked here. Not secret: anyone can compute it.
 */
export function macFor(seed: string): Mac {
  const hash = mixed(fnv1a(seed)) >> 18n;
  return formatMac(((hash >> 40n) << 42n) | (0x02n << 40n) | BigInt.asUintN(40, hash));
}

/** FNV-1a, 64 bits, over the seed's UTF-16 units, low octet first; the high octet only where it isn't zero. */
function fnv1a(seed: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < seed.length; i++) {
    const unit = seed.charCodeAt(i);
    hash = BigInt.asUintN(64, (hash ^ BigInt(unit & 255)) * 0x100000001b3n);
    if (unit > 255) hash = BigInt.asUintN(64, (hash ^ BigInt(unit >>> 8)) * 0x100000001b3n);
  }
  return hash;
}

/** The finalizer of MurmurHash3, 64 bits: FNV alone leaves names that differ in the last letter close together. */
function mixed(hash: bigint): bigint {
  const once = BigInt.asUintN(64, (hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn);
  const twice = BigInt.asUintN(64, (once ^ (once >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return twice ^ (twice >> 33n);
}

function bitsOfMac(m: Mac): bigint {
  return BigInt(`0x${m.replaceAll(":", "")}`);
}

function formatMac(bits: bigint): Mac {
  const digits = bits.toString(16).padStart(12, "0");
  return (digits.match(/../g) ?? []).join(":") as Mac;
}

function firstOctet(m: Mac): number {
  return Number.parseInt(m.slice(0, 2), 16);
}
