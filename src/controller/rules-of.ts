import type { AddressPlan } from "../addressing/address-plan.ts";
import { deriveFilter } from "../desired/derive-filter.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Rules } from "./book.ts";

/** What a fleet file has to say about openings. */
export function rulesOf(fleet: Fleet, plan: AddressPlan): Rules {
  const { own } = deriveFilter(fleet, plan);
  return {
    policy: fleet.policy.openings,
    hosts: new Map(
      plan.hosts.map(({ host, block, gateway, address }) => [host, { block, own: [...own, gateway, address] }]),
    ),
    groups: fleet.groups,
  };
}
