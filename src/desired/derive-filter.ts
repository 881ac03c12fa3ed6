import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet, Nic } from "../fleet/fleet.ts";
import { type Address4, address4Of, type Prefix4, prefix4Of } from "../net/ipv4.ts";
import { bogons, documentationPrefixOf } from "../net/special.ts";
import { deriveOpenings } from "./derive-openings.ts";
import type { GatewayDesired } from "./desired.ts";
import { pairHosts } from "./host-pair.ts";

/** The filter on the gateway, whatever its kind. */
export function deriveFilter(fleet: Fleet, plan: AddressPlan): GatewayDesired {
  const { gateway } = fleet;
  const documentation = documentationPrefixOf(fleet.prefix);
  const nat4 = deriveNat4(fleet);
  return {
    layer: "gateway",
    device: gateway.name,
    driver: gateway.kind,
    delegated: plan.delegated,
    hostLength: plan.hostLength,
    uplink: gateway.uplink.device,
    inside: gateway.hosts.device,
    ...(gateway.management === undefined
      ? {}
      : { management: { device: gateway.management.device, admins: gateway.admins } }),
    own: [plan.uplink.address, ...plan.hosts.map((host) => host.gateway)],
    hosts: pairHosts(fleet, plan).map(({ host, plan: numbers }) => ({
      host: host.name,
      block: numbers.block,
      link: numbers.link,
      address: numbers.address,
      mac: host.public.mac,
    })),
    policy: fleet.policy,
    openings: deriveOpenings(fleet, plan),
    ...(nat4 === undefined ? {} : { nat4 }),
    bogons: bogons(documentation === undefined ? [] : [documentation]),
  };
}

/** Outbound NAT for the IPv4 LAN behind the management NIC (or the hosts' NIC), to the uplink's address. */
export function deriveNat4(fleet: Fleet): GatewayDesired["nat4"] {
  const { uplink, management, hosts } = fleet.gateway;
  const inside = [management, hosts].find((nic) => nic?.ipv4 !== undefined);
  if (uplink.ipv4 === undefined || inside?.ipv4 === undefined) return undefined;
  const to: Address4 = address4Of(uplink.ipv4);
  return { from: lanOf(fleet, inside) ?? prefix4Of(inside.ipv4), inside: inside.device, uplink: uplink.device, to };
}

function lanOf(fleet: Fleet, nic: Nic): Prefix4 | undefined {
  return fleet.networks.get(nic.network)?.ipv4;
}
