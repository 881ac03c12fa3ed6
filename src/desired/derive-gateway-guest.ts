import type { AddressPlan } from "../addressing/address-plan.ts";
import { hasInsideAddress, hopToHost, insideAddress } from "../addressing/next-hops.ts";
import { reservedAddress } from "../addressing/reserved-address.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { type Address, compareAddresses } from "../net/address.ts";
import { type InterfaceAddress, interfaceAddress } from "../net/interface-address.ts";
import { prefix } from "../net/prefix.ts";
import { default4, linkFor } from "./derive-link.ts";
import { deriveNat4 } from "./derive-nat4.ts";
import { deriveOpenings } from "./derive-openings.ts";
import type { GatewayNetwork, GuestDesired } from "./desired.ts";
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

/** Links and routes of a gateway that is not Linux; management is never touched, so that it can't be lost. */
export function deriveGatewayNetwork(fleet: Fleet, plan: AddressPlan): GatewayNetwork {
  const { uplink, hosts, management, exec } = fleet.gateway;
  const ours = new Set([uplink.device, hosts.device]);
  const all = deriveLinks(fleet, plan);
  const kept = all.find(({ name }) => name === management?.device);
  return {
    links: all.filter(({ name }) => ours.has(name)),
    ...(kept === undefined ? {} : { management: kept }),
    routes: deriveRoutes(fleet, plan).filter((each) => each.kind !== "unicast4" || each.device === uplink.device),
    shell: exec !== undefined,
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
      insideAddresses(fleet, plan),
      fleet.plan.layout === "compact" ? "hosts: link-local next hops" : "hosts: the next hop of each",
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
    if (fleet.plan.layout === "per-host") all.add(numbers.gateway);
    all.add(numbers.address);
    for (const container of host.docker.containers.values()) {
      const address = reservedAddress(numbers, container);
      if (address !== undefined) all.add(address);
    }
  }
  all.delete(plan.uplink.address);
  return [...all].sort(compareAddresses);
}

/** The gateway's addresses on the hosts' wire; the one that does not depend on hosts first. */
export function insideAddresses(fleet: Fleet, plan: AddressPlan): readonly InterfaceAddress[] {
  return [
    ...(hasInsideAddress(fleet) ? [insideAddress(plan)] : []),
    ...(fleet.plan.layout === "compact"
      ? []
      : plan.hosts.map((host) => interfaceAddress(host.gateway, plan.linkLength))),
  ];
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
      const compact = fleet.plan.layout === "compact";
      const perNetwork = !compact && (fleet.plan.routes === "network" || host.link === host.block);
      const targets = perNetwork ? host.networks.map((network) => network.prefix) : [host.block];
      return targets.map((to) => ({
        kind: "unicast",
        to,
        via: hopToHost(fleet, host),
        device: gateway.hosts.device,
        onlink: false,
      }));
    }),
  ];
}
