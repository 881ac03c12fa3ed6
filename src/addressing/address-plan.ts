import type { HostName, NetworkName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";

/**
 * Who has which number. Invariants: every prefix lies in `delegated`; no two blocks overlap; an assignment
 * found in the ledger never moves; the same fleet and ledger give the same bytes.
 */
export type AddressPlan = {
  readonly delegated: Prefix;
  /** Lengths in bits, as the fleet's `plan` has them. */
  readonly hostLength: number;
  readonly linkLength: number;
  /** Slot 0: kept for infrastructure. */
  readonly infrastructure: Prefix;
  /** Slot 1: the gateway's uplink; `address` is its ::1. */
  readonly uplink: { readonly block: Prefix; readonly link: Prefix; readonly address: Address };
  /** Sorted by slot. */
  readonly hosts: readonly HostPlan[];
};

export type HostPlan = {
  readonly host: HostName;
  readonly slot: number;
  readonly block: Prefix;
  /** The on-wire prefix: the first /80 of the block, or the block itself with `link: /76`. */
  readonly link: Prefix;
  /** `…::1`, held by the gateway. */
  readonly gateway: Address;
  /** `…::2`, held by the host. */
  readonly address: Address;
  /** Sorted by index; index 1 is Docker's default bridge, named `default`. */
  readonly networks: readonly NetworkPlan[];
};

export type NetworkPlan = {
  readonly name: NetworkName;
  readonly index: number;
  readonly prefix: Prefix;
  /** `…::1`, held by the bridge. */
  readonly gateway: Address;
};
