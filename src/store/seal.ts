import { hash } from "node:crypto";

/** A row's checksum: 64 bits of SHA-256 in hex, over all that the row says. */
export function sealOf(key: string, value: string | undefined, revision: number): string {
  return hash("sha256", JSON.stringify([key, value ?? null, revision]), "hex").slice(0, 16);
}

/** The sum of the seals of all rows, modulo 2^64, with one row more (`sign` 1) or less (-1): a missing row shows. */
export function sumOf(sum: bigint, sign: 1n | -1n, seal: string): bigint {
  return BigInt.asUintN(64, sum + sign * BigInt(`0x${seal}`));
}
