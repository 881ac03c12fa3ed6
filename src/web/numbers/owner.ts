import type { AddressPlan, HostPlan } from "../../addressing/address-plan.ts";
import { reservedAddress } from "../../addressing/reserved-address.ts";
import { printable } from "../../base/printable.ts";
import type { Basis, Controller } from "../../controller/controller.ts";
import { type Address, toBits } from "../../net/address.ts";
import { baseBits, contains, prefixOf } from "../../net/prefix.ts";
import type { OwnerStep, OwnerView } from "./numbers-schema.ts";

type Found = Pick<OwnerView, "kind" | "text" | "host" | "container">;

/** Who has an address: by the plan, and for containers by what their host's agent last said. */
export function ownerOf(address: Address, controller: Controller): OwnerView {
  const basis = controller.basis();
  const { plan } = basis;
  const whole: OwnerStep = { what: "prefix", name: "the fleet's prefix", prefix: plan.delegated };
  const at = (found: Found, steps: readonly OwnerStep[], openings: readonly string[] = []): OwnerView => ({
    address,
    ...found,
    steps,
    openings,
  });
  if (!contains(plan.delegated, address)) return at(outside(address, basis), []);
  const host = plan.hosts.find(({ block }) => contains(block, address));
  if (host === undefined) {
    const { found, step } = besideHosts(address, basis);
    return at(found, [whole, step]);
  }
  const openings = controller.openings(host.host).filter(({ to }) => to === address);
  return at(
    inBlock(address, host, controller),
    [whole, ...stepsIn(address, host)],
    openings.slice(0, 100).map(({ id }) => id),
  );
}

function outside(address: Address, { fleet, plan }: Basis): Found {
  if (address === fleet.provider.nextHop)
    return { kind: "outside", text: `The provider's router, ${fleet.provider.name}` };
  const group = [...fleet.groups].find(([, prefixes]) => prefixes.some((each) => contains(each, address)));
  return group === undefined
    ? { kind: "outside", text: `Not in ${plan.delegated}, nor in a group of the fleet file` }
    : { kind: "group", text: `Of the group ${group[0]}: no address of ours` };
}

function besideHosts(address: Address, basis: Basis): { readonly found: Found; readonly step: OwnerStep } {
  const { fleet, plan, ledger } = basis;
  if (contains(plan.infrastructure, address))
    return {
      found: { kind: "infrastructure", text: "Slot 0, kept for infrastructure" },
      step: { what: "infrastructure", name: "slot 0", prefix: plan.infrastructure },
    };
  if (contains(plan.uplink.block, address))
    return {
      found:
        address === plan.uplink.address
          ? { kind: "gateway", text: `The gateway ${fleet.gateway.name} on its uplink` }
          : { kind: "free", text: "In the gateway's block, and in no use" },
      step: { what: "uplink", name: "slot 1", prefix: plan.uplink.block },
    };
  const slot = slotOf(address, plan);
  const block = prefixOf(address, plan.hostLength);
  const kept = ledger?.hosts.find((each) => each.slot === slot);
  return kept === undefined
    ? {
        found: { kind: "free", text: `In block ${slot}, which no host has` },
        step: { what: "free", name: `slot ${slot}`, prefix: block },
      }
    : {
        found: { kind: "kept", text: `Block ${slot} is kept for ${kept.host}, which left the fleet file` },
        step: { what: "kept", name: `slot ${slot}`, prefix: block },
      };
}

/** The number of the block that an address of the fleet's prefix lies in. */
function slotOf(address: Address, plan: AddressPlan): number {
  return Number((toBits(address) - baseBits(plan.delegated)) >> BigInt(128 - plan.hostLength));
}

function stepsIn(address: Address, host: HostPlan): readonly OwnerStep[] {
  const network = host.networks.find(({ prefix }) => contains(prefix, address));
  const block: OwnerStep = { what: "block", name: `${host.host}, slot ${host.slot}`, prefix: host.block };
  if (network !== undefined) return [block, { what: "network", name: network.name, prefix: network.prefix }];
  return contains(host.link, address) ? [block, { what: "link", name: "link", prefix: host.link }] : [block];
}

function inBlock(address: Address, host: HostPlan, controller: Controller): Found {
  const name = host.host;
  const { fleet } = controller.basis();
  if (address === host.gateway)
    return { kind: "gateway", host: name, text: `The gateway ${fleet.gateway.name} on ${name}'s link` };
  if (address === host.address) return { kind: "host", host: name, text: `The host ${name} itself` };
  const bridge = host.networks.find(({ gateway }) => gateway === address);
  if (bridge !== undefined) return { kind: "bridge", host: name, text: `${name}'s bridge of network ${bridge.name}` };
  const container = controller
    .containers(name)
    .find(({ endpoints }) => endpoints.some((each) => each.address === address));
  if (container !== undefined)
    return {
      kind: "container",
      host: name,
      container: container.name,
      text: `Container ${printable(container.name)} on ${name}, ${container.state}`,
    };
  for (const [kept, reserved] of fleet.hosts.get(name)?.docker.containers ?? [])
    if (reservedAddress(host, reserved) === address)
      return {
        kind: "reserved",
        host: name,
        container: kept,
        text: `Kept for container ${kept} on ${name}, which no agent reports now`,
      };
  return { kind: "free", host: name, text: `In ${name}'s block; no container is reported there` };
}
