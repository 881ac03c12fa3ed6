import type { HostName } from "../base/name.ts";
import type { HostGround } from "../openings/decide.ts";
import type { AddressPlan } from "./address-plan.ts";

/**
 * Where each host's containers may be: in its block, but for what gateway and host have there themselves, the two ends
 * of the link and the bridges of its networks.
 */
export function hostGrounds(plan: AddressPlan): ReadonlyMap<HostName, HostGround> {
  return new Map(
    plan.hosts.map(({ host, block, gateway, address, networks }) => [
      host,
      { block, own: [gateway, address, ...networks.map((each) => each.gateway)] },
    ]),
  );
}
