import type { AddressPlan } from "../addressing/address-plan.ts";
import type { DeviceName } from "../base/name.ts";
import { compareKeys } from "../base/order.ts";
import type { Fleet, Hypervisor } from "../fleet/fleet.ts";
import { deriveVms } from "./derive-vms.ts";
import type { BridgeDesired, HypervisorDesired } from "./desired.ts";

/** Bridges sorted by name. Proxmox without its API is the same file on any Debian. */
export function deriveHypervisor(
  fleet: Fleet,
  plan: AddressPlan,
  device: DeviceName,
  hypervisor: Hypervisor,
): HypervisorDesired {
  const { api, exec, node } = hypervisor;
  const bridges = [...hypervisor.bridges].sort(([a], [b]) => compareKeys(a, b));
  return {
    layer: "hypervisor",
    device,
    driver: api === undefined ? "ifupdown" : "proxmox",
    ...(api === undefined
      ? {}
      : { cluster: { node, shell: exec !== undefined, vms: deriveVms(fleet, plan, hypervisor) } }),
    bridges: bridges.map(([name, bridge]): BridgeDesired => {
      const role = fleet.networks.get(bridge.network)?.role;
      return {
        name,
        ...(bridge.port === undefined ? {} : { port: bridge.port }),
        ...(bridge.ipv4 === undefined ? {} : { address4: bridge.ipv4 }),
        ...(bridge.gateway4 === undefined ? {} : { gateway4: bridge.gateway4 }),
        // The hypervisor speaks IPv4 only, whatever the bridge: over a link-local address VMs and the provider's
        // neighbours could reach it past the gateway, and an advertisement could give it a route.
        silent: true,
        comment:
          bridge.comment ?? `${bridge.network}${role === undefined || role === bridge.network ? "" : ` (${role})`}`,
      };
    }),
  };
}
