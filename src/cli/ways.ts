import { Failure } from "../base/failure.ts";
import type { DeviceName } from "../base/name.ts";
import type { Layer } from "../desired/desired.ts";
import { proxmoxWay, robotWay } from "../drivers/api-way.ts";
import { gatewayWay } from "../drivers/gateway-way.ts";
import type { Fleet, Reach } from "../fleet/fleet.ts";
import { openLab } from "../lab/open.ts";
import { nodeOf } from "../lab/wiring.ts";
import type { Shell } from "../runtime/shell.ts";
import { localShell } from "../runtime/shell-local.ts";
import { sshShell } from "../runtime/shell-ssh.ts";
import type { Way } from "../runtime/way.ts";

/**
 * How a verb gets at a layer of a device: by the fleet file's `reach` or `api`, or as a node of a running lab. Undefined: it is
 * only rendered; so are the engines of a lab that has stand-ins for containers.
 */
export type Ways = (device: DeviceName, layer: Layer) => Way | undefined;

function reachOf(fleet: Fleet, device: DeviceName): Reach {
  const found =
    fleet.hypervisors.get(device)?.reach ??
    (fleet.gateway.name === device
      ? fleet.gateway.reach
      : [...fleet.hosts.values()].find((host) => String(host.name) === device)?.reach);
  if (found === undefined) throw new Failure("E805", device, "Not a device of the fleet", "look at `sixgate addr`");
  return found;
}

export function shellBy(reach: Reach): Shell | undefined {
  return reach.kind === "local" ? localShell() : reach.kind === "ssh" ? sshShell(reach.target) : undefined;
}

export async function waysOf(fleet: Fleet, lab: string | true | undefined): Promise<Ways> {
  if (lab !== undefined) {
    const { nodes, state } = await openLab(lab === true ? "lab" : lab);
    return (device, layer) =>
      layer === "provider" || (layer === "engine" && state.containers === "stand-in")
        ? undefined
        : nodeOf(nodes, device).shell;
  }
  const found = new Map<DeviceName, Way | undefined>();
  if (fleet.gateway.api !== undefined) found.set(fleet.gateway.name, await gatewayWay(fleet.gateway));
  for (const [name, { api, exec }] of fleet.hypervisors)
    if (api !== undefined) found.set(name, await proxmoxWay(name, api, exec));
  const robot = fleet.provider.api === undefined ? undefined : await robotWay(fleet.provider.name, fleet.provider.api);
  return (device, layer) => {
    if (layer === "provider") return robot;
    if (!found.has(device)) {
      const reach = reachOf(fleet, device);
      found.set(device, shellBy(reach));
    }
    return found.get(device);
  };
}
