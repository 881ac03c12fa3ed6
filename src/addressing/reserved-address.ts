import type { ReservedContainer } from "../fleet/fleet.ts";
import { type Address, offset } from "../net/address.ts";
import { baseOf } from "../net/prefix.ts";
import type { HostPlan } from "./address-plan.ts";

/** The address that was set beforehand for a container; undefined when the host has no such network. */
export function reservedAddress(host: HostPlan, container: ReservedContainer): Address | undefined {
  const network = host.networks.find(({ name }) => name === container.network);
  return network === undefined ? undefined : offset(baseOf(network.prefix), container.suffix);
}
