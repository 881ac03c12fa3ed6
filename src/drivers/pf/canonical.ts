import { parseAddress } from "../../net/address.ts";
import { parseAddress4, parsePrefix4 } from "../../net/ipv4.ts";
import { parsePrefix } from "../../net/prefix.ts";

/** Equal addresses are equal texts, without their zones; what is no address stays as it is. */
export function canonicalAddress(text: string): string {
  const bare = text.replace(/%.*$/, "");
  return parseAddress(bare) ?? parseAddress4(bare) ?? text;
}

export function canonicalPrefix(text: string): string {
  return parsePrefix(text) ?? parsePrefix4(text) ?? text;
}

export function withLength(address: string | undefined, length: number | string | undefined): string {
  return `${canonicalAddress(address ?? "")}/${length ?? "?"}`;
}

/** A place of a rule: `any`, an alias, an address or a prefix; `!` in front turns it round. */
export function canonicalPlace(place: string): string {
  return place.startsWith("!") ? `!${canonicalPrefix(place.slice(1))}` : canonicalPrefix(place);
}
