import type { Nic } from "../fleet/fleet.ts";
import type { InterfaceAddress } from "../net/interface-address.ts";
import { type Address4, contains4, prefix4, prefix4Of } from "../net/ipv4.ts";
import type { LinkDesired, RouteDesired } from "./network.ts";

export function linkFor(nic: Nic, addresses: readonly InterfaceAddress[], purpose: string): LinkDesired {
  return {
    name: nic.device,
    mac: nic.mac,
    addresses,
    addresses4: nic.ipv4 === undefined ? [] : [nic.ipv4],
    proxies: [],
    purpose,
  };
}

/** The default route of IPv4, over the first NIC that has an address and a next hop: one at most. */
export function default4(nics: readonly (Nic | undefined)[]): readonly RouteDesired[] {
  const nic = nics.find((each) => each?.ipv4 !== undefined && each.gateway4 !== undefined);
  return nic?.gateway4 === undefined ? [] : [route4(nic, nic.gateway4)];
}

/** onlink where the NIC's own prefix does not hold the next hop: a /32, as providers of single addresses have it. */
export function route4(nic: Nic, via: Address4): RouteDesired {
  const onlink = nic.ipv4 === undefined || !contains4(prefix4Of(nic.ipv4), via);
  return { kind: "unicast4", to: prefix4("0.0.0.0/0"), via, device: nic.device, onlink };
}
