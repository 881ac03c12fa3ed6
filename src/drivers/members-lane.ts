import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import type { OpenService, Service } from "../openings/opening.ts";
import type { Way } from "../runtime/way.ts";

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
 * How often something that is open was asked for, since it was put there: packets that begin a flow. What follows them
 * goes by the flow and is not counted. `services` of one address may be held as one, then they are counted as one.
 */
export type Count = {
  readonly to: Address;
  readonly service: Service;
  readonly from: readonly Prefix[];
  readonly packets: number;
  readonly bytes: number;
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
   * What the lane holds at one address, in the form of `read`: for somebody who asks, at any moment, at a cost that does
   * not grow with the fleet. Changes nothing. Empty for an address in no host's block.
   */
  readAt(to: Address, signal?: AbortSignal): Promise<readonly OpenService[]>;
  /**
   * Counters of all that is open at these hosts, of the fleet file's openings too; without those that are not counted.
   * For somebody who looks: it reads whole sets. Undefined, or absent, where the gateway does not count.
   */
  counts?(hosts: readonly HostName[], signal?: AbortSignal): Promise<readonly Count[] | undefined>;
  /**
   * All of it in one transaction, or none. Idempotent: what is there already, or gone already, is no error. Resolves
   * when it is in force: then nothing gets in through what closed, not by a live flow either. What such flows still
   * send out ends a moment later. Several changes of one address are made in turn, each with a transaction of its own,
   * and what one closed is cut before the next opens: nobody inherits a flow.
   */
  change(changes: readonly AddressChange[], now: Instant, signal?: AbortSignal): Promise<void>;
  /** Lets go of what it holds open towards the gateway. Nothing on the gateway changes. */
  end(): Promise<void>;
};

/** A packet that the gateway dropped, and how many like it: the source's port does not count. */
export type Denied = {
  readonly from: Address;
  readonly to: Address;
  /** `tcp`, `udp`, `icmpv6`, else the number of the protocol. */
  readonly transport: string;
  /** The destination's, where there are ports. */
  readonly port?: number;
  readonly count: number;
};

/** What the controller needs of one kind of gateway. */
export type LaneKind = {
  /**
   * Opened once and kept. `desired` is what `apply` brought about last: when that changes, open it anew. Rejects with a
   * Failure where the gateway can't be reached so.
   */
  open(way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<MembersLane>;
  /**
   * Tells of packets that are dropped for want of an opening, alike ones together, some times a second; a sample under
   * a flood. Nothing is sent before, or after the function that it gives was called. Throws a Failure with E524 where
   * that can't be had. Absent where no gateway of the kind can tell.
   */
  watchDenied?(way: Way, listener: (denied: readonly Denied[]) => void): () => void;
};
