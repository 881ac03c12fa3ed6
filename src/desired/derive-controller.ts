import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { address4Of } from "../net/ipv4.ts";
import type { GatewayDesired } from "./desired.ts";
import { pairHosts } from "./host-pair.ts";

/**
 * Where the controller on the gateway is reached: by agents from their hosts' own addresses, by people from where they
 * may log in. On the management interface; without one on the hosts' link, and then agents only. Undefined where the
 * fleet has no controller, or it runs beside the gateway (pfSense, OPNsense). A host without an address there is left
 * out: the fleet file's checks have said so.
 */
export function deriveController(fleet: Fleet, plan: AddressPlan): GatewayDesired["controller"] {
  const { controller, gateway } = fleet;
  if (controller === undefined || gateway.kind !== "nftables") return undefined;
  const { agentPort, apiPort } = controller;
  const hosts = pairHosts(fleet, plan);
  if (gateway.management === undefined)
    return { device: gateway.hosts.device, agentPort, agents: hosts.map((each) => each.plan.address) };
  const addresses = hosts.flatMap(({ host }) => host.management?.ipv4 ?? []);
  return { device: gateway.management.device, agentPort, apiPort, agents: addresses.map(address4Of) };
}
