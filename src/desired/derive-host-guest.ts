import { hopToGateway } from "../addressing/next-hops.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { interfaceAddress } from "../net/interface-address.ts";
import { type Address4, address4Of } from "../net/ipv4.ts";
import { lengthOf, prefix } from "../net/prefix.ts";
import { default4, linkFor, route4 } from "./derive-link.ts";
import type { GuestDesired } from "./desired.ts";
import { hardened } from "./gateway-sysctls.ts";
import type { HostPair } from "./host-pair.ts";
import type { RouteDesired } from "./network.ts";

/** Links, routes and kernel settings of a host. Routes to containers are Docker's own, by its bridges. */
export function deriveHostGuest(fleet: Fleet, { host, plan }: HostPair): GuestDesired {
  return {
    layer: "guest",
    device: host.name as string as GuestDesired["device"],
    driver: host.network,
    links: [
      ...(host.management === undefined ? [] : [linkFor(host.management, [], "management: no public address")]),
      linkFor(host.public, [interfaceAddress(plan.address, lengthOf(plan.link))], "public: leads to the gateway"),
    ],
    routes: [
      {
        kind: "unicast",
        to: prefix("::/0"),
        via: hopToGateway(fleet, plan),
        device: host.public.device,
        onlink: false,
      },
      ...hostDefault4(fleet, host),
      ...deriveAggregate(plan),
    ],
    sysctls: [
      {
        key: "net.ipv6.conf.all.forwarding",
        value: "1",
        why: "routes to its containers; a setting per interface alone forwards nothing",
      },
      ...hardened,
    ],
  };
}

/**
 * Or packets to unused space of the block go back to the gateway by the default route, and come again. With a link
 * as long as the block (`link: /76`) the block is a connected prefix and needs none: the host then solicits
 * neighbours for unused space instead of looping, and Docker's /80s are more specific.
 */
function deriveAggregate(plan: HostPair["plan"]): readonly RouteDesired[] {
  return plan.link === plan.block ? [] : [{ kind: "unreachable", to: plan.block }];
}

/** What the file says; else the gateway's own address on the same network, the LAN's way out. */
function hostDefault4(fleet: Fleet, host: HostPair["host"]): readonly RouteDesired[] {
  const said = default4([host.management, host.public]);
  if (said.length > 0) return said;
  for (const nic of [host.management, host.public]) {
    const via = nic?.ipv4 === undefined ? undefined : gatewayAddress4(fleet, nic.network);
    if (nic !== undefined && via !== undefined) return [route4(nic, via)];
  }
  return [];
}

function gatewayAddress4(fleet: Fleet, network: HostPair["host"]["public"]["network"]): Address4 | undefined {
  const nic = [fleet.gateway.management, fleet.gateway.hosts].find((each) => each?.network === network);
  return nic?.ipv4 === undefined ? undefined : address4Of(nic.ipv4);
}
