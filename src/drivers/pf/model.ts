import type { Transport } from "../../net/transport.ts";

/** A named set of addresses or prefixes, a table of pf. Entries sorted; a prefix of one address is that address. */
export type PfAlias = {
  readonly name: string;
  readonly type: "host" | "network";
  readonly entries: readonly string[];
  /** Entries that come and go with containers are compared one by one, the others as a whole. */
  readonly lane: "structure" | "members";
  /** For people. */
  readonly about: string;
};

/** `any`, a prefix, or an alias's name; `not` turns it round. */
export type PfPlace = { readonly not: boolean; readonly is: string };

/**
 * One rule of pf, in the words that both products have. All are quick, for IPv6, and of packets that come in. `first`:
 * before every rule that is bound to an interface, whoever made it.
 */
export type PfRule = {
  /** Unique among ours; the description is the mark and this. */
  readonly name: string;
  readonly action: "pass" | "block";
  readonly first: boolean;
  /** The kernel's name of the interface. */
  readonly on: string;
  readonly match:
    | { readonly kind: "any" }
    | { readonly kind: "echo" }
    /** TCP and UDP together, every port. */
    | { readonly kind: "transports" }
    | { readonly kind: "ports"; readonly transport: Transport; readonly first: number; readonly last: number };
  readonly from: PfPlace;
  readonly to: PfPlace;
};

export type PfModel = { readonly aliases: readonly PfAlias[]; readonly rules: readonly PfRule[] };

export const anyPlace: PfPlace = { not: false, is: "any" };

export function at(is: string): PfPlace {
  return { not: false, is };
}

export function notAt(is: string): PfPlace {
  return { not: true, is };
}
