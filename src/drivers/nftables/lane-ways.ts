import type { Failure } from "../../base/failure.ts";
import type { Instant } from "../../base/time.ts";
import type { Address } from "../../net/address.ts";
import type { LiveFlow } from "./flows.ts";
import type { Member, MemberKind } from "./members.ts";

/** What one transaction does to one set of a shard. */
export type SetChange = {
  readonly set: string;
  readonly kind: MemberKind;
  /** There before, as far as anybody knows, and not after. */
  readonly gone: readonly Member[];
  /** There after, until its end where it has one. */
  readonly there: readonly Member[];
};

/** A member with what its element has counted. */
export type Counted = { readonly member: Member; readonly packets: number; readonly bytes: number };

/**
 * How the lane gets at the kernel: through netlink, or through programs. Each rejects with a Failure when the kernel or
 * a program refuses. `F` may hold more of a flow, for `cut`.
 */
export type LaneWays<F extends LiveFlow = LiveFlow> = {
  /**
   * One transaction: all of it or nothing. In hash sets each element is made to be as it should be, whatever was
   * before. An interval that was to go and is not there, or one that was to come and meets another, is refused: that
   * failure is given back, not thrown, for the state may be another than it was thought to be.
   */
  write(changes: readonly SetChange[], now: Instant, signal?: AbortSignal): Promise<Failure | undefined>;
  /** Every element of a set, with the sets' elements that the lane has no words for left out. */
  read(set: string, kind: MemberKind, now: Instant, signal?: AbortSignal): Promise<readonly Member[]>;
  /** As `read`, without elements that do not count: those of a set that was made before sets did. */
  counted(set: string, kind: MemberKind, now: Instant, signal?: AbortSignal): Promise<readonly Counted[]>;
  /** Rejects with E523 where live flows can't be asked for. */
  mustHaveFlows(): Promise<void>;
  /** Live flows to these addresses. */
  flows(to: ReadonlySet<Address>): Promise<readonly F[]>;
  /** Ends flows, and holds off for a minute what hosts still send into them. One that ended by itself is no error. */
  cut(flows: readonly F[]): Promise<void>;
  end(): Promise<void>;
};

/** What the comment of an element says of its end: the kernel only knows how long it has left. */
export function untilText(ends: Instant): string {
  return `until ${new Date(ends).toISOString()}`;
}

/** Reads such a comment; undefined for any other. */
export function untilIn(comment: string): Instant | undefined {
  const at = /^until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/.exec(comment)?.[1];
  const ends = at === undefined ? Number.NaN : Date.parse(at);
  return Number.isNaN(ends) ? undefined : (ends as Instant);
}
