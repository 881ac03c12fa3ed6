import { Failure } from "../base/failure.ts";
import type { DeviceName } from "../base/name.ts";
import type { Layer } from "../desired/desired.ts";
import type { Fleet, Reach } from "../fleet/fleet.ts";
import { openLab } from "../lab/open.ts";
import { nodeOf } from "../lab/wiring.ts";
import type { Shell } from "../runtime/shell.ts";
import { localShell } from "../runtime/shell-local.ts";
import { sshShell } from "../runtime/shell-ssh.ts";

/**
 * How a verb gets at a layer of a device: by the fleet file's `reach`, or as a node of a running lab. Undefined: it is
 * only rendered; so are the engines of a lab that has stand-ins for containers.
 */
export type Ways = (device: DeviceName, layer: Layer) => Shell | undefined;

function reachOf(fleet: Fleet, device: DeviceName): Reach {
  const found =
    fleet.hypervisors.get(device)?.reach ??
    (fleet.gateway.name === device
      ? fleet.gateway.reach
      : [...fleet.hosts.values()].find((host) => String(host.name) === device)?.reach);
  if (found === undefined) throw new Failure("E805", device, "Not a device of the fleet", "look at `sixgate addr`");
  return found;
}

export async function waysOf(fleet: Fleet, lab: string | true | undefined): Promise<Ways> {
  if (lab !== undefined) {
    const { nodes, state } = await openLab(lab === true ? "lab" : lab);
    return (device, layer) =>
      layer === "engine" && state.containers === "stand-in" ? undefined : nodeOf(nodes, device).shell;
  }
  const shells = new Map<DeviceName, Shell | undefined>();
  return (device) => {
    if (!shells.has(device)) {
      const reach = reachOf(fleet, device);
      shells.set(
        device,
        reach.kind === "local" ? localShell() : reach.kind === "ssh" ? sshShell(reach.target) : undefined,
      );
    }
    return shells.get(device);
  };
}
