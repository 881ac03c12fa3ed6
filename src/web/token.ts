import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { isName } from "../base/name.ts";

/** A token as it was given: whose it says it is, and the secret that has to prove it. */
export type GivenToken = { readonly name: string; readonly secret: string };

/** 256 bits: nothing that could be guessed, so a fast hash keeps it (no dictionary to slow down). */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** `sgt.NAME.SECRET`: the mark lets scanners find it, the name says which to revoke. Fits a Bearer header (RFC 6750 §2.1). */
export function formatToken(token: GivenToken): string {
  return `sgt.${token.name}.${token.secret}`;
}

export function parseToken(text: string): GivenToken | undefined {
  const [, name, secret] = /^sgt\.([a-z0-9-]{1,32})\.([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  return name === undefined || secret === undefined || !isName(name) ? undefined : { name, secret };
}

/** SHA-256 in hex. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Takes as long for a wrong secret as for the right one. `hash` is in hex, as `hashOf` gives it. */
export function fitsHash(secret: string, hash: string): boolean {
  const given = createHash("sha256").update(secret).digest();
  const kept = Buffer.from(hash, "hex");
  return kept.length === given.length && timingSafeEqual(given, kept);
}
