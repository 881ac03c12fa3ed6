import type { AddressPlan, HostPlan } from "../addressing/address-plan.ts";
import { reservedAddress } from "../addressing/reserved-address.ts";
import type { HostName } from "../base/name.ts";
import type { Fleet, StaticOpening } from "../fleet/fleet.ts";
import { type Address, compareAddresses } from "../net/address.ts";
import { type Prefix, prefixOf } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { Opening } from "../openings/opening.ts";
import { compareServices, formatService } from "../openings/services.ts";

/**
 * The fleet file's own openings, sorted by address, then service (ports by protocol number and port, ping last). One
 * per address and service: where two entries open the same, the sources are joined, as few prefixes as hold them.
 * Throws a RangeError for what `parseFleet` and `allocate` refuse: a container or an address that no host has.
 */
export function deriveOpenings(fleet: Fleet, plan: AddressPlan): readonly Opening[] {
  const byKey = new Map<string, Opening>();
  const numbers: Numbers = {
    byBlock: new Map(plan.hosts.map((each) => [each.block, each])),
    byName: new Map(plan.hosts.map((each) => [each.host, each])),
    hostLength: plan.hostLength,
  };
  for (const entry of fleet.openings) {
    if (entry.from.length === 0) throw new RangeError(`${entry.at}: an opening from nowhere`);
    const { host, to } = targetOf(fleet, numbers, entry);
    for (const service of entry.services) {
      const key = `${to} ${formatService(service)}`;
      const from = PrefixSet.of([...(byKey.get(key)?.from ?? []), ...entry.from]).prefixes();
      byKey.set(key, { host, to, service, from, askedBy: "fleet.yaml" });
    }
  }
  return [...byKey.values()].sort((a, b) => compareAddresses(a.to, b.to) || compareServices(a.service, b.service));
}

type Numbers = {
  readonly byBlock: ReadonlyMap<Prefix, HostPlan>;
  readonly byName: ReadonlyMap<HostName, HostPlan>;
  readonly hostLength: number;
};

type Target = { readonly host: HostName; readonly to: Address };

function targetOf(fleet: Fleet, numbers: Numbers, entry: StaticOpening): Target {
  const { to } = entry;
  if (to.kind === "address") {
    const holder = numbers.byBlock.get(prefixOf(to.address, numbers.hostLength));
    if (holder !== undefined) return { host: holder.host, to: to.address };
  } else {
    const reserved = fleet.hosts.get(to.host)?.docker.containers.get(to.container);
    const holder = numbers.byName.get(to.host);
    const address = holder === undefined || reserved === undefined ? undefined : reservedAddress(holder, reserved);
    if (address !== undefined) return { host: to.host, to: address };
  }
  throw new RangeError(`${entry.at}: an opening to what the plan has not`);
}
