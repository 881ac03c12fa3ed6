import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { deriveEngine } from "./derive-engine.ts";
import { deriveFilter } from "./derive-filter.ts";
import { deriveGatewayGuest } from "./derive-gateway-guest.ts";
import { deriveHostGuest } from "./derive-host-guest.ts";
import { deriveHypervisor } from "./derive-hypervisor.ts";
import { deriveProvider } from "./derive-provider.ts";
import type { Desired } from "./desired.ts";
import { pairHosts } from "./host-pair.ts";

/**
 * What every layer of every device should be, in the order in which it is applied: hypervisors, the gateway's own
 * network, its filter, the hosts' networks, their engines, the provider; hypervisors by name, hosts by slot. A gateway that is not
 * Linux has no guest layer: its driver sets links and routes too. `plan` is what `allocate` gave for this
 * fleet (RangeError otherwise).
 */
export function derive(fleet: Fleet, plan: AddressPlan): readonly Desired[] {
  const pairs = pairHosts(fleet, plan);
  return [
    ...deriveHypervisors(fleet, plan),
    ...(fleet.gateway.kind === "nftables" ? [deriveGatewayGuest(fleet, plan)] : []),
    deriveFilter(fleet, plan),
    ...pairs.map((pair) => deriveHostGuest(fleet, pair)),
    ...pairs.map((pair) => deriveEngine(pair)),
    // Last: what it leads to is there by then.
    ...deriveProvider(fleet),
  ];
}

function deriveHypervisors(fleet: Fleet, plan: AddressPlan): readonly Desired[] {
  const names = [...fleet.hypervisors.keys()].sort();
  return names.flatMap((name) => {
    const hypervisor = fleet.hypervisors.get(name);
    return hypervisor === undefined ? [] : [deriveHypervisor(fleet, plan, name, hypervisor)];
  });
}
