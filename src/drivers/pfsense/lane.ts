import type { GatewayDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Way } from "../../runtime/way.ts";
import type { LaneKind, MembersLane } from "../members-lane.ts";
import { type LaneMakers, openPfLane } from "../pf/lane/kind.ts";
import type { LaneLimits } from "../pf/lane/lane.ts";
import { pfSenseExecAt } from "./exec.ts";
import { wishOf } from "./lane-wish.ts";

/** The lane of pfSense, over its root shell: pfctl(8) for entries, pfSense's own PHP for a service that was not open before. */
export const pfsenseLane: LaneKind = pfsenseLaneWith();

export function pfsenseLaneWith(limits?: LaneLimits): LaneKind {
  return {
    open: (way: Way, desired: GatewayDesired, signal?: AbortSignal): Promise<MembersLane> =>
      openPfLane(way, desired, (shell) => makersAt(shell, limits), signal),
  };
}

function makersAt(shell: Shell, limits?: LaneLimits): LaneMakers {
  const exec = pfSenseExecAt(shell);
  return {
    exec,
    limits,
    structure: {
      async make(services, signal) {
        await exec.install();
        await exec.lane(wishOf(services), signal);
      },
      async drop(tables, signal) {
        await exec.install();
        await exec.unlane(tables, signal);
      },
    },
  };
}
