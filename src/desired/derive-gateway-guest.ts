import type { AddressPlan } from "../addressing/address-plan.ts";
import { reservedAddress } from "../addressing/reserved-address.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { type Address, compareAddresses } from "../net/address.ts";
import { interfaceAddress } from "../net/interface-address.ts";
import { prefix } from "../net/prefix.ts";
import { deriveNat4 } from "./derive-filter.ts";
import { default4, linkFor } from "./derive-link.ts";
import { deriveOpenings } from "./derive-openings.ts";
import type { GuestDesired } from "./desired.ts";
import { gatewaySysctls } from "./gateway-sysctls.ts";
import { pairHosts } from "./host-pair.ts";
import type { LinkDesired, RouteDesired } from "./network.ts";

/** Links, routes and kernel settings of a Linux gateway. */
export function deriveGatewayGuest(fleet: Fleet, plan: AddressPlan): GuestDesired {
  const { gateway } = fleet;
  return {
    layer: "guest",
    device: gateway.name,
    driver: gateway.network,
    links: deriveLinks(fleet, plan),
    routes: deriveRoutes(fleet, plan),
    sysctls: gatewaySysctls({
      uplink: gateway.uplink.device,
      forward4: deriveNat4(fleet) !== undefined,
      onLink: fleet.provider.delivery === "on-link",
    }),
  };
}

function deriveLinks(fleet: Fleet, plan: AddressPlan): readonly LinkDesired[] {
  const { uplink, hosts, management } = fleet.gateway;
  return [
    {
      ...linkFor(uplink, [interfaceAddress(plan.uplink.address, plan.linkLength)], "uplink: the provider's router"),
      proxies: fleet.provider.delivery === "on-link" ? deriveProxies(fleet, plan) : [],
    },
    linkFor(
      hosts,
      plan.hosts.map((host) => interfaceAddress(host.gateway, plan.linkLength)),
      "hosts: the next hop of each",
    ),
    ...(management === undefined ? [] : [linkFor(management, [], "management: no public address")]),
  ];
}

/**
 * On-link, the provider's router asks by neighbour solicitation for each address, and the kernel proxies single
 * addresses only: hosts, their next hops, containers with an address set beforehand (they need it for answers to
 * what they ask, too), and what is open. Containers with a passing address are not reachable there.
 */
function deriveProxies(fleet: Fleet, plan: AddressPlan): readonly Address[] {
  const all = new Set<Address>(deriveOpenings(fleet, plan).map(({ to }) => to));
  for (const { host, plan: numbers } of pairHosts(fleet, plan)) {
    all.add(numbers.gateway).add(numbers.address);
    for (const container of host.docker.containers.values()) {
      const address = reservedAddress(numbers, container);
      if (address !== undefined) all.add(address);
    }
  }
  all.delete(plan.uplink.address);
  return [...all].sort(compareAddresses);
}

function deriveRoutes(fleet: Fleet, plan: AddressPlan): readonly RouteDesired[] {
  const { gateway, provider } = fleet;
  return [
    // onlink: the next hop may lie outside every prefix of ours; without it there is no default route, silently.
    { kind: "unicast", to: prefix("::/0"), via: provider.nextHop, device: gateway.uplink.device, onlink: true },
    ...default4([gateway.uplink, gateway.management, gateway.hosts]),
    // Or packets to unused space go back to the provider, who sends them here again, until their hop limit ends.
    { kind: "unreachable", to: plan.delegated },
    ...plan.hosts.flatMap((host): readonly RouteDesired[] => {
      // A link as long as the block is on-link as a whole: a route to the block would be the same prefix again.
      const perNetwork = fleet.plan.routes === "network" || host.link === host.block;
      const targets = perNetwork ? host.networks.map((network) => network.prefix) : [host.block];
      return targets.map((to) => ({
        kind: "unicast",
        to,
        via: host.address,
        device: gateway.hosts.device,
        onlink: false,
      }));
    }),
  ];
}
