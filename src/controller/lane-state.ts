import type { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { AddressChange, MembersLane } from "../drivers/members-lane.ts";
import type { Address } from "../net/address.ts";
import type { Granted } from "../openings/decide.ts";
import type { OpenService } from "../openings/opening.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Mark } from "./dirty.ts";
import { common, sameServices } from "./same-services.ts";

/** What is at an address, or should be. */
export type State = {
  readonly host: HostName;
  /** Whose address it is, by container and network; undefined for what was found on the gateway. */
  readonly owner: string | undefined;
  /** In the lane's normal form. */
  readonly services: readonly OpenService[];
  /** Why it is open; empty for what was found. */
  readonly grants: readonly Granted[];
};

/** One address as the gateway has it now, and before. */
export type Applied = {
  readonly to: Address;
  readonly before: State | undefined;
  readonly after: State;
  readonly at: Instant;
  readonly eventAt?: Instant;
};

export type LaneWriterOptions = {
  readonly lane: MembersLane;
  readonly clock: Clock;
  /** What should be open at an address now. */
  readonly wanted: (host: HostName, to: Address) => State;
  /** Whether this controller is the one that writes. */
  readonly isWriter: () => boolean;
  /** Whether something new may be opened: not while nobody could write down that it was. */
  readonly mayOpen: () => boolean;
  /** What has to be on disk before these states are in force. When it rejects, only closings go through for a second. */
  readonly prepare: (states: readonly State[]) => Promise<void>;
  readonly applied: (applied: Applied) => void;
  /** The gateway does what it is told again, or not any more, and why not. */
  readonly reached: (failure: Failure | undefined) => void;
  /** Somebody else had changed the gateway: this was found, and is put right. */
  readonly drifted: (to: Address, host: HostName) => void;
  /** All that the gateway holds was looked at, and at so many addresses somebody else had changed it. */
  readonly looked: (differences: number) => void;
  /** The gateway refuses this one address, and takes others. */
  readonly refused: (to: Address, host: HostName, failure: Failure) => void;
};

/** What is to be done at one address. */
export type Step = {
  readonly mark: Mark;
  readonly before: State | undefined;
  readonly after: State;
  /** In this order: of an address that has another owner all is closed first, so that nobody inherits a live flow. */
  readonly changes: readonly AddressChange[];
  /** Something of it waits until new things may be opened. */
  readonly isPostponed: boolean;
};

export function stepTo(mark: Mark, before: State | undefined, wanted: State, mayOpen: boolean): Step {
  const moved =
    before !== undefined && before.owner !== undefined && wanted.owner !== undefined && before.owner !== wanted.owner;
  const after = mayOpen ? wanted : closedOnly(before, wanted, moved);
  const isPostponed = after !== wanted && !sameServices(after.services, wanted.services);
  return { mark, before, after, changes: changesBetween(mark, before, after, moved), isPostponed };
}

function closedOnly(before: State | undefined, wanted: State, moved: boolean): State {
  if (before === undefined || moved) return { ...wanted, services: [], grants: [] };
  const keys = new Set(before.grants.map(({ request }) => request.key));
  return {
    ...wanted,
    services: common(wanted.services, before.services),
    grants: wanted.grants.filter(({ request }) => keys.has(request.key)),
  };
}

function changesBetween(
  { host, to }: Mark,
  before: State | undefined,
  after: State,
  moved: boolean,
): readonly AddressChange[] {
  const there = before?.services ?? [];
  const { services } = after;
  if (moved) {
    const closing = { host, to, before: there, after: [] };
    const opening = { host, to, before: [], after: services };
    return [...(there.length > 0 ? [closing] : []), ...(services.length > 0 ? [opening] : [])];
  }
  return sameServices(there, services) ? [] : [{ host, to, before: there, after: services }];
}

/** How much of a transaction it takes. */
export function operationsOf({ changes }: Step): number {
  return changes.reduce((sum, { before, after }) => sum + before.length + after.length, 0);
}

/** Whether it lets anything through that was not let through before. */
export function opensMore({ changes }: Step): boolean {
  return changes.some(({ before, after }) => common(after, before).length < after.length);
}
