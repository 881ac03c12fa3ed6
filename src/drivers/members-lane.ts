import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import type { OpenService } from "../openings/opening.ts";

/** All that the controller holds open at one address. */
export type Held = { readonly host: HostName; readonly to: Address; readonly services: readonly OpenService[] };

/** From one state of an address to the next. Either list may be empty. */
export type AddressChange = {
  readonly host: HostName;
  readonly to: Address;
  readonly before: readonly OpenService[];
  readonly after: readonly OpenService[];
};

/**
 * The fast lane into a gateway: membership only, no structure. One writer. What a fleet file opens by itself is not
 * in it: that belongs to `apply` and lies in sets of its own.
 */
export type MembersLane = {
  /** Pure: services in the form that `read` reports, so that two states can be compared. */
  normalize(services: readonly OpenService[]): readonly OpenService[];
  /** Everything that the lane holds on the gateway. Rejects unless it was read in full: unknown is never empty. */
  read(signal?: AbortSignal): Promise<readonly Held[]>;
  /**
   * All of it in one transaction, or none. Idempotent: what is there already, or gone already, is no error. Resolves
   * when it is in force in the kernel and the live flows of what closed are cut.
   */
  change(changes: readonly AddressChange[], now: Instant, signal?: AbortSignal): Promise<void>;
  /** Lets go of what it holds open towards the gateway. Nothing on the gateway changes. */
  end(): Promise<void>;
};
