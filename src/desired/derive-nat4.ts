import type { Fleet, Nic } from "../fleet/fleet.ts";
import { type Address4, address4Of, type Prefix4, prefix4Of } from "../net/ipv4.ts";
import type { GatewayDesired } from "./desired.ts";

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
