import type { AddressPlan, HostPlan } from "../addressing/address-plan.ts";
import { hopToGateway } from "../addressing/next-hops.ts";
import { compareKeys } from "../base/order.ts";
import type { Fleet, Hypervisor, Nic, Vm } from "../fleet/fleet.ts";
import { lengthOf } from "../net/prefix.ts";
import type { VmDesired, VmNic } from "./desired.ts";

type Part = { readonly role: "uplink" | "management" | "hosts"; readonly nic: Nic };

/** The VMs that the fleet file names, sorted by number, with the NICs of the machines in them. */
export function deriveVms(fleet: Fleet, plan: AddressPlan, hypervisor: Hypervisor): readonly VmDesired[] {
  return [...hypervisor.vms]
    .toSorted(([, a], [, b]) => a.id - b.id)
    .map(([name, vm]): VmDesired => {
      const host = plan.hosts.find((each) => String(each.host) === name);
      const nics = inOrder(partsOf(fleet, name), vm, hypervisor).map((part) =>
        nicOf(fleet, vm, hypervisor, part, host),
      );
      const { clone: template, storage, sshKeys } = vm;
      const more = { ...(storage === undefined ? {} : { storage }), ...(sshKeys === undefined ? {} : { sshKeys }) };
      return { name, id: vm.id, nics, ...(template === undefined ? {} : { clone: { template, ...more } }) };
    });
}

function partsOf(fleet: Fleet, name: string): readonly Part[] {
  const host = [...fleet.hosts.values()].find((each) => String(each.name) === name);
  const { gateway } = fleet;
  const management = (host ?? gateway).management;
  return [
    ...(host === undefined ? [{ role: "uplink" as const, nic: gateway.uplink }] : []),
    ...(management === undefined ? [] : [{ role: "management" as const, nic: management }]),
    { role: "hosts", nic: host?.public ?? gateway.hosts },
  ];
}

/** The file's order, or that of the bridges' names: vmbr0, vmbr1, vmbr2, as in the article. */
function inOrder(parts: readonly Part[], { nics }: Vm, hypervisor: Hypervisor): readonly Part[] {
  if (nics !== undefined) return nics.flatMap((role) => parts.find((part) => part.role === role) ?? []);
  return parts.toSorted((a, b) => compareKeys(bridgeOf(hypervisor, a.nic), bridgeOf(hypervisor, b.nic)));
}

function bridgeOf(hypervisor: Hypervisor, nic: Nic): string {
  return [...hypervisor.bridges].find(([, bridge]) => bridge.network === nic.network)?.[0] ?? "";
}

function nicOf(fleet: Fleet, vm: Vm, hypervisor: Hypervisor, { role, nic }: Part, host: HostPlan | undefined): VmNic {
  const own = host !== undefined && role === "hosts" ? host : undefined;
  return {
    bridge: bridgeOf(hypervisor, nic),
    mac: nic.mac,
    ...(vm.cloudInit ? { ipconfig: ipconfigOf(fleet, nic, own) } : {}),
    ...(vm.antiSpoofing && own !== undefined ? { sources: [own.block] } : {}),
  };
}

/** Proxmox's words: one address and one gateway of each family, and no address is said by leaving the family out. */
function ipconfigOf(fleet: Fleet, { ipv4, gateway4 }: Nic, host: HostPlan | undefined): string {
  return [
    ...(ipv4 === undefined ? [] : [`ip=${ipv4}`]),
    ...(gateway4 === undefined ? [] : [`gw=${gateway4}`]),
    ...(host === undefined ? [] : [`ip6=${host.address}/${lengthOf(host.link)}`, `gw6=${hopToGateway(fleet, host)}`]),
  ].join(",");
}
