import type { AddressPlan, HostPlan } from "../../addressing/address-plan.ts";
import { reservedAddress } from "../../addressing/reserved-address.ts";
import type { HostName } from "../../base/name.ts";
import type { Controller } from "../../controller/controller.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { Address } from "../../net/address.ts";
import { contains, lengthOf, type Prefix, subnet } from "../../net/prefix.ts";
import { breathe } from "../breathe.ts";
import type { ConflictView, HostNumbersView, NumbersView, UsedAddress } from "./numbers-schema.ts";

/** Conflicts that are listed; of more their number is. */
const mostConflicts = 100;

/** The whole plan: every block in use, without what is in it. Conflicts are looked for in what agents last said. */
export async function numbersOf(controller: Controller): Promise<NumbersView> {
  const { fleet, plan, ledger } = controller.basis();
  const planned = new Set<HostName>(plan.hosts.map(({ host }) => host));
  const kept = ledger?.hosts.filter(({ host }) => !planned.has(host)).map(({ host, slot }) => ({ host, slot }));
  const slots = 2 ** Math.min(32, plan.hostLength - lengthOf(plan.delegated));
  const blocks: NumbersView["blocks"][number][] = [];
  const conflicts: ConflictView[] = [];
  for (const [at, host] of plan.hosts.entries()) {
    if (at % 32 === 31) await breathe();
    const used = usedOf(host, fleet, controller);
    conflicts.push(...conflictsOf(host, plan, controller));
    blocks.push({
      host: host.host,
      slot: host.slot,
      block: host.block,
      pinned: fleet.hosts.get(host.host)?.slot !== undefined,
      networks: host.networks.length,
      used: used.length,
    });
  }
  return {
    delegated: plan.delegated,
    changes: fleet.delegation !== undefined,
    lengths: {
      delegated: lengthOf(plan.delegated),
      host: plan.hostLength,
      link: plan.linkLength,
      network: fleet.plan.network,
    },
    slots: { all: slots, used: plan.hosts.length + (kept?.length ?? 0) + 2 },
    infrastructure: plan.infrastructure,
    uplink: plan.uplink,
    blocks,
    ...(kept === undefined ? {} : { kept, ...nextFree(plan, slots, kept) }),
    conflicts: conflicts.slice(0, mostConflicts),
    conflictCount: conflicts.length,
  };
}

/** The number that the next host gets, unless it pins another. */
function nextFree(
  plan: AddressPlan,
  slots: number,
  kept: readonly { readonly slot: number }[],
): { readonly next?: { readonly slot: number; readonly block: Prefix } } {
  const taken = new Set([...plan.hosts, ...kept].map(({ slot }) => slot));
  for (let slot = 2; slot < slots; slot++) {
    const block = taken.has(slot) ? undefined : subnet(plan.delegated, plan.hostLength, slot);
    if (block !== undefined) return { next: { slot, block } };
  }
  return {};
}

/** What is in one host's block: link, networks, and each address that something has. */
export function hostNumbersOf(host: HostPlan, controller: Controller): HostNumbersView {
  const { fleet, plan } = controller.basis();
  const docker = fleet.hosts.get(host.host)?.docker;
  const used = usedOf(host, fleet, controller);
  // The link is the block's first network's worth; with a link as long as the block, networks lie in it.
  const room = 2 ** (fleet.plan.network - plan.hostLength);
  const taken = new Set(host.networks.map(({ index }) => index));
  const free = Array.from({ length: room }, (_, index) => index).find((index) => index > 1 && !taken.has(index));
  const prefix = free === undefined ? undefined : subnet(host.block, fleet.plan.network, free);
  return {
    host: host.host,
    slot: host.slot,
    block: host.block,
    pinned: fleet.hosts.get(host.host)?.slot !== undefined,
    link: { prefix: host.link, gateway: host.gateway, address: host.address },
    room: { all: room, used: host.networks.length + 1 },
    networks: host.networks.map((network) => ({
      name: network.name,
      index: network.index,
      prefix: network.prefix,
      gateway: network.gateway,
      pinned: docker?.networks.get(network.name)?.index !== undefined,
      used: used.filter(({ address }) => contains(network.prefix, address)),
    })),
    ...(free === undefined || prefix === undefined ? {} : { next: { index: free, prefix } }),
    conflicts: conflictsOf(host, plan, controller),
  };
}

type Used = UsedAddress & { readonly address: Address };

/** In the host's block: what agents reported, and what the fleet file keeps. In order of addresses as text. */
function usedOf(host: HostPlan, fleet: Fleet, controller: Controller): readonly Used[] {
  const used = new Map<Address, Used>();
  const reserved = fleet.hosts.get(host.host)?.docker.containers ?? [];
  const pinned = new Map<Address, string>();
  for (const [name, each] of reserved) {
    const address = reservedAddress(host, each);
    if (address !== undefined) pinned.set(address, name);
  }
  for (const { name, endpoints } of controller.containers(host.host))
    for (const { address } of endpoints)
      if (contains(host.block, address))
        used.set(address, { address, name, state: "reported", pinned: pinned.has(address) });
  for (const [address, name] of pinned)
    if (!used.has(address)) used.set(address, { address, name, state: "reserved", pinned: true });
  return [...used.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** What can't be right in a host's report. Nothing of it is open: an agent can't name what is not its own. */
function conflictsOf(host: HostPlan, plan: AddressPlan, controller: Controller): readonly ConflictView[] {
  const found: ConflictView[] = [];
  const holders = new Map<Address, string>();
  for (const { name, mode, endpoints } of controller.containers(host.host)) {
    if (mode === "container") continue;
    for (const { address } of endpoints) {
      const other = holders.get(address);
      holders.set(address, name);
      const kind = kindOf(address, other, host, plan);
      if (kind !== undefined)
        found.push({ kind, host: host.host, container: name, address, ...(other === undefined ? {} : { other }) });
    }
  }
  return found;
}

function kindOf(
  address: Address,
  other: string | undefined,
  host: HostPlan,
  plan: AddressPlan,
): ConflictView["kind"] | undefined {
  if (other !== undefined) return "twice";
  if (contains(host.block, address)) return address === host.gateway || address === host.address ? "taken" : undefined;
  // Other prefixes are the engine's own business: fd00::/8 networks, for one.
  return contains(plan.delegated, address) ? "outside" : undefined;
}
