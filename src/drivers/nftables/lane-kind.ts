import { Failure } from "../../base/failure.ts";
import type { NetlinkOptions } from "../../runtime/netlink.ts";
import type { Shell } from "../../runtime/shell.ts";
import { shellOf } from "../../runtime/way.ts";
import type { LaneKind, MembersLane } from "../members-lane.ts";
import { watchDenied } from "./denied.ts";
import { laneOver } from "./lane.ts";
import { netlinkWays } from "./lane-netlink.ts";
import { programWays } from "./lane-programs.ts";

/** The lane of a Linux gateway: by netlink where this process can have it, else by nft(8) and conntrack(8). */
export const nftablesLane: LaneKind = {
  async open(way, desired, signal): Promise<MembersLane> {
    const shell = shellOf(way);
    const options = netlinkOptionsOf(shell);
    if (options !== undefined) {
      try {
        const ways = netlinkWays(desired.device, options);
        // Better known now than when the first opening closes.
        await ways.mustHaveFlows();
        return laneOver(ways, desired);
      } catch (cause) {
        const isLacking = cause instanceof Failure && ["E520", "E523"].includes(cause.diagnostic.code);
        if (!isLacking) throw cause;
      }
    }
    signal?.throwIfAborted();
    const ways = programWays(shell);
    await ways.mustHaveFlows();
    return laneOver(ways, desired);
  },
  watchDenied(way, listener) {
    const shell = shellOf(way);
    const options = netlinkOptionsOf(shell);
    if (options !== undefined) return watchDenied(shell.name, listener, options);
    throw new Failure("E524", shell.name, "Dropped packets are told over netlink only", "run on the gateway itself");
  },
};

function netlinkOptionsOf({ network }: Shell): NetlinkOptions | undefined {
  if (network === undefined) return undefined;
  return network === "own" ? {} : { namespace: network.namespace };
}
