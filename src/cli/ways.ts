import { Failure } from "../base/failure.ts";
import type { DeviceName } from "../base/name.ts";
import type { Fleet, Reach } from "../fleet/fleet.ts";
import { openLab } from "../lab/open.ts";
import { nodeOf } from "../lab/wiring.ts";
import { localShell } from "../runtime/shell-local.ts";
import { sshShell } from "../runtime/shell-ssh.ts";
import type { Shell } from "../runtime/shell.ts";

/** How a verb gets at devices: by the fleet file's `reach`, or as nodes of a running lab. Undefined: only rendered. */
export type Ways = (device: DeviceName) => Shell | undefined;

function reachOf(fleet: Fleet, device: DeviceName): Reach {
  const found = fleet.hypervisors.get(device)?.reach ?? (fleet.gateway.name === device ? fleet.gateway.reach : [...fleet.hosts.values()].find((host) => String(host.name) === device)?.reach);
  if (found === undefined) throw new Failure("E805", device, "Not a device of the fleet", "look at `sixgate addr`");
  return found;
}

export async function waysOf(fleet: Fleet, lab: string | true | undefined): Promise<Ways> {
  if (lab !== undefined) {
    const { nodes } = await openLab(lab === true ? "lab" : lab);
    return (device) => nodeOf(nodes, device).shell;
  }
  const shells = new Map<DeviceName, Shell | undefined>();
  return (device) => {
    if (!shells.has(device)) {
      const reach = reachOf(fleet, device);
      shells.set(device, reach.kind === "local" ? localShell() : reach.kind === "ssh" ? sshShell(reach.target) : undefined);
    }
    return shells.get(device);
  };
}
