import type { AddressPlan, HostPlan } from "../addressing/address-plan.ts";
import type { Fleet, Host } from "../fleet/fleet.ts";

/** A host with its numbers. */
export type HostPair = { readonly host: Host; readonly plan: HostPlan };

/** Sorted by slot, as the plan is. Throws a RangeError where the plan is not of this fleet. */
export function pairHosts(fleet: Fleet, plan: AddressPlan): readonly HostPair[] {
  const pairs = plan.hosts.map((each) => {
    const host = fleet.hosts.get(each.host);
    if (host === undefined) throw new RangeError(`The plan has a host that the fleet has not: ${each.host}`);
    return { host, plan: each };
  });
  if (pairs.length !== fleet.hosts.size) throw new RangeError("The fleet has a host without a number");
  return pairs;
}
