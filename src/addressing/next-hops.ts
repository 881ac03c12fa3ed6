import type { Fleet } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import { type InterfaceAddress, interfaceAddress } from "../net/interface-address.ts";
import { linkLocalOf } from "../net/mac.ts";
import { baseOf, nth, prefixOf } from "../net/prefix.ts";
import type { AddressPlan, HostPlan } from "./address-plan.ts";

// How gateway and hosts reach each other. With `layout: per-host` by the two ends of each host's link, as in the
// article; with `layout: compact` by link-local addresses, which both make from their MAC addresses. No host's and no
// container's address depends on it.

/** What a host sends to what is not its own. */
export function hopToGateway(fleet: Fleet, { gateway }: Pick<HostPlan, "gateway">): Address {
  return fleet.plan.layout === "compact" ? linkLocalOf(fleet.gateway.hosts.mac) : gateway;
}

/** What the gateway sends a host's block to. Throws a RangeError where the plan is not of this fleet. */
export function hopToHost(fleet: Fleet, { host, address }: Pick<HostPlan, "host" | "address">): Address {
  if (fleet.plan.layout === "per-host") return address;
  const found = fleet.hosts.get(host);
  if (found === undefined) throw new RangeError(`The plan has a host that the fleet has not: ${host}`);
  return linkLocalOf(found.public.mac);
}

/** The first address of slot 0: what the gateway has on the hosts' wire whoever the hosts are. */
export function insideAddress(plan: AddressPlan): InterfaceAddress {
  const first = nth(prefixOf(baseOf(plan.infrastructure), plan.linkLength), 1);
  if (first === undefined) throw new RangeError(`No address in ${plan.infrastructure}`);
  return interfaceAddress(first, plan.linkLength);
}

/** Whether the gateway has that address: always where links are few, and on firewalls that want an interface to have one. */
export function hasInsideAddress({ plan, gateway }: Fleet): boolean {
  return plan.layout === "compact" || gateway.kind !== "nftables";
}
