import type { Fleet } from "../fleet/fleet.ts";
import { type Address, address } from "../net/address.ts";
import { nth } from "../net/prefix.ts";

/** Where the lab looks from: "internet" is anybody, and each group of the fleet is one more place outside. */
export type Vantage = { readonly name: string; readonly address: Address };

// Documentation space (RFC 3849), as the fleet's own prefix in the examples: the gateway takes all of it out of its bogons.
export const internetAddress: Address = address("2001:db8:ffff::2");
export const providerInside: Address = address("2001:db8:ffff::1");
/** Documentation space as well (RFC 5737, TEST-NET-2). */
export const internetAddress4 = "198.51.100.2";
export const providerInside4 = "198.51.100.1";

/** The second address of each group's first prefix; a group that covers the Internet's own address is left out. */
export function vantages(fleet: Fleet): readonly Vantage[] {
  const found: Vantage[] = [{ name: "internet", address: internetAddress }];
  for (const [name, prefixes] of fleet.groups) {
    const [first] = prefixes;
    const at = first === undefined ? undefined : (nth(first, 2) ?? nth(first, 0));
    if (at !== undefined && !found.some((each) => each.address === at)) found.push({ name, address: at });
  }
  return found;
}
