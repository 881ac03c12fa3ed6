import type { GatewayDesired } from "../../src/desired/desired.ts";
import type { MembersLane } from "../../src/drivers/members-lane.ts";

/** A live flow to an address of a host, as the suite speaks of it. */
export type FlowText = `${string} > ${string} ${"tcp" | "udp"} ${number}`;

export type LaneBench = {
  /** Opens the lane to the gateway. */
  lane(): Promise<MembersLane>;
  /** Lets flows begin, whatever is open. */
  begin(flows: readonly FlowText[]): Promise<void>;
  /** Live flows to the hosts, sorted. */
  flows(): Promise<readonly FlowText[]>;
  /** Breaks what the lane reads from, for good. */
  blind(): Promise<void>;
  close(): Promise<void>;
};

export type LaneTarget = {
  readonly name: string;
  /** Why it can't be judged here. */
  missing(): Promise<string | undefined>;
  open(desired: GatewayDesired): Promise<LaneBench>;
};
