import { contains, overlaps, type Prefix, prefix } from "./prefix.ts";
import { PrefixSet } from "./prefix-set.ts";

/** Addresses that are no valid source or destination of a packet between a site and the Internet. */
export type SpecialPrefix = {
  readonly prefix: Prefix;
  readonly name: string;
  readonly rfc: string;
  /** Parts of it that are reachable all the same. */
  readonly except?: readonly Prefix[];
};

/**
 * What the table was read from: the IANA IPv6 Special-Purpose Address Registry (RFC 6890, RFC 8190) with RFC 9780,
 * and what RFC 5156 §2 and RFC 4291 add. Written without the live registry at hand: compare it once a year.
 *
 * @public
 */
export const specialPrefixesVersion = "iana-ipv6-special-registry 2025-04, RFC 5156";

function row(text: string, name: string, rfc: string, ...except: readonly string[]): SpecialPrefix {
  return { prefix: prefix(text), name, rfc, except: except.map(prefix) };
}

/**
 * In numeric order. Not in it: 64:ff9b::/96 (RFC 6052 §2.1), through which NAT64 reaches the IPv4 Internet, and
 * 2620:4f:8000::/48 (RFC 7534), both globally reachable. ORCHIDv2 and drone tags are in it, though the registry
 * calls them reachable: by their own RFCs they are identifiers, not locators, so no honest packet carries them here.
 */
export const specialPrefixes: readonly SpecialPrefix[] = [
  row("::/96", "IPv4-compatible, deprecated; unspecified and loopback", "RFC 4291 §2.5.5.1"),
  row("::/128", "unspecified", "RFC 4291 §2.5.2"),
  row("::1/128", "loopback", "RFC 4291 §2.5.3"),
  row("::ffff:0:0/96", "IPv4-mapped", "RFC 4291 §2.5.5.2"),
  row("64:ff9b:1::/48", "IPv4-IPv6 translation within a site", "RFC 8215"),
  row("100::/64", "discard-only", "RFC 6666"),
  row("100:0:0:1::/64", "dummy prefix", "RFC 9780"),
  row(
    "2001::/23",
    "IETF protocol assignments",
    "RFC 2928",
    // Whole, though only ::1, ::2 and ::3 are given out in it (PCP, TURN and SRP anycast, RFC 7723, 8155, 9665):
    // cutting them out one by one would take 110 prefixes, and nothing else is in it to be kept away.
    "2001:1::/32",
    "2001:3::/32", // AMT, RFC 7450
    "2001:4:112::/48", // AS112-v6, RFC 7535
  ),
  row("2001::/32", "Teredo", "RFC 4380"),
  row("2001:2::/48", "benchmarking", "RFC 5180"),
  row("2001:10::/28", "ORCHID, deprecated", "RFC 4843"),
  row("2001:20::/28", "ORCHIDv2", "RFC 7343"),
  row("2001:30::/28", "drone remote ID", "RFC 9374"),
  row("2001:db8::/32", "documentation", "RFC 3849"),
  row("2002::/16", "6to4", "RFC 3056"),
  row("3ffe::/16", "6bone, returned", "RFC 3701"),
  row("3fff::/20", "documentation", "RFC 9637"),
  row("5f00::/8", "6bone, returned", "RFC 3701"),
  row("5f00::/16", "segment identifiers (SRv6)", "RFC 9602"),
  row("fc00::/7", "unique local", "RFC 4193"),
  row("fe80::/10", "link-local", "RFC 4291 §2.5.6"),
  row("fec0::/10", "site-local, deprecated", "RFC 3879"),
  row("ff00::/8", "multicast", "RFC 4291 §2.7"),
];

/** The table as the fewest disjoint prefixes in numeric order, without its exceptions and without `except`. */
export function bogons(except: readonly Prefix[]): readonly Prefix[] {
  let all = PrefixSet.empty;
  for (const each of specialPrefixes) {
    all = all.union(PrefixSet.of([each.prefix]).subtract(PrefixSet.of(each.except ?? [])));
  }
  return all.subtract(PrefixSet.of(except)).prefixes();
}

/** The documentation prefix that `p` lies in: a fleet on one (a lab, an example) must be able to reach itself. */
export function documentationPrefixOf(p: Prefix): Prefix | undefined {
  return specialPrefixes.find((each) => each.name === "documentation" && contains(each.prefix, p))?.prefix;
}

/**
 * Whether no packet from the Internet comes from any of it: it lies wholly in a special-purpose prefix. Documentation
 * prefixes count as sources, for labs and examples.
 */
export function isNeverASource(source: Prefix): boolean {
  return specialPrefixes.some(
    (each) =>
      contains(each.prefix, source) &&
      each.name !== "documentation" &&
      !(each.except ?? []).some((reachable) => overlaps(reachable, source)),
  );
}
