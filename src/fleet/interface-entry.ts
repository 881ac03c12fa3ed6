import type { NetworkName } from "../base/name.ts";
import type { Address4, InterfaceAddress4 } from "../net/ipv4.ts";
import type { Bridge, Fleet, Nic } from "./fleet.ts";
import type { Path } from "./places.ts";

/** A NIC with the machine it is in and its place in the file. */
export type NicEntry = { readonly machine: string; readonly path: Path; readonly nic: Nic };

/** What has an IPv4 side: a NIC, or a bridge on which the hypervisor itself has an address. */
export type Holder4 = {
  readonly machine: string;
  readonly path: Path;
  readonly network: NetworkName;
  readonly ipv4?: InterfaceAddress4;
  readonly gateway4?: Address4;
};

/** All NICs, the gateway's first, then the hosts' in the file's order. */
export function nicsOf(fleet: Fleet): readonly NicEntry[] {
  const { name, uplink, hosts, management } = fleet.gateway;
  const found: NicEntry[] = [
    { machine: name, path: ["gateway", "uplink"], nic: uplink },
    { machine: name, path: ["gateway", "hosts"], nic: hosts },
  ];
  if (management !== undefined) found.push({ machine: name, path: ["gateway", "management"], nic: management });
  for (const host of fleet.hosts.values()) {
    found.push({ machine: host.name, path: ["hosts", host.name, "public"], nic: host.public });
    if (host.management !== undefined)
      found.push({ machine: host.name, path: ["hosts", host.name, "management"], nic: host.management });
  }
  return found;
}

/** All bridges with their hypervisor and place. */
export function bridgesOf(
  fleet: Fleet,
): readonly { readonly machine: string; readonly name: string; readonly path: Path; readonly bridge: Bridge }[] {
  return [...fleet.hypervisors].flatMap(([machine, { bridges }]) =>
    [...bridges].map(([name, bridge]) => ({ machine, name, bridge, path: ["hypervisors", machine, "bridges", name] })),
  );
}

export function holders4Of(fleet: Fleet): readonly Holder4[] {
  const bridges = bridgesOf(fleet).map(({ machine, path, bridge }) => ({ machine, path, ...bridge }));
  return [...bridges, ...nicsOf(fleet).map(({ machine, path, nic }) => ({ machine, path, ...nic }))];
}
