import { Failure } from "../../../base/failure.ts";
import type { GatewayDesired } from "../../../desired/desired.ts";
import type { Shell } from "../../../runtime/shell.ts";
import { apiOf, type Way } from "../../../runtime/way.ts";
import type { MembersLane } from "../../members-lane.ts";
import type { Exec } from "../exec.ts";
import { laneDevice } from "./device.ts";
import { type LaneLimits, type LaneStructure, PfLane } from "./lane.ts";

export type LaneMakers = {
  readonly exec: Pick<Exec, "check">;
  readonly structure: LaneStructure;
  /** Others than the usual. */
  readonly limits?: LaneLimits | undefined;
};

/**
 * Opens the lane of either product. Rejects with E590 where the gateway has no root shell: its API alone can't hold an end
 * when we are gone.
 */
export async function openPfLane(
  way: Way,
  desired: GatewayDesired,
  makers: (shell: Shell) => LaneMakers,
  signal?: AbortSignal,
): Promise<MembersLane> {
  const { shell, name } = apiOf(way);
  if (shell === undefined)
    throw new Failure(
      "E590",
      name,
      "Openings by labels and people need a root shell on this gateway",
      "add exec: ssh:root@… to the gateway in the fleet file",
    );
  const { exec, structure, limits } = makers(shell);
  await exec.check(signal);
  const device = laneDevice(shell, desired.uplink);
  await device.install();
  return new PfLane({ device, structure, limits }, desired);
}
