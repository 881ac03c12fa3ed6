import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { addressOf } from "../net/interface-address.ts";
import { bogons, documentationPrefixOf } from "../net/special.ts";
import { deriveController } from "./derive-controller.ts";
import { deriveGatewayNetwork, insideAddresses } from "./derive-gateway-guest.ts";
import { deriveNat4 } from "./derive-nat4.ts";
import { deriveOpenings } from "./derive-openings.ts";
import type { GatewayDesired } from "./desired.ts";
import { pairHosts } from "./host-pair.ts";

/** The filter on the gateway, whatever its kind. */
export function deriveFilter(fleet: Fleet, plan: AddressPlan): GatewayDesired {
  const { gateway } = fleet;
  const documentation = documentationPrefixOf(fleet.prefix);
  const nat4 = deriveNat4(fleet);
  const controller = deriveController(fleet, plan);
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
    own: [plan.uplink.address, ...insideAddresses(fleet, plan).map(addressOf)],
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
    ...(controller === undefined ? {} : { controller }),
    ...(gateway.kind === "nftables" ? {} : { network: deriveGatewayNetwork(fleet, plan) }),
    bogons: bogons(documentation === undefined ? [] : [documentation]),
  };
}
