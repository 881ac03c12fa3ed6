import { hasPrefix } from "../fleet/delegation.ts";
import type { Fleet, Host } from "../fleet/fleet.ts";
import { type Address, compareAddresses } from "../net/address.ts";
import { interfaceAddress } from "../net/interface-address.ts";
import { baseOf, lengthOf, type Prefix } from "../net/prefix.ts";
import type { AddressPlan, HostPlan } from "./address-plan.ts";
import { hasInsideAddress, hopToGateway, insideAddress } from "./next-hops.ts";
import { reservedAddress } from "./reserved-address.ts";

/** One line of the table that `addr` prints: HOST, WHAT, PREFIX OR ADDRESS, WHERE. */
export type AddressRow = {
  readonly host: string;
  readonly what: string;
  readonly text: string;
  readonly where: string;
};

/**
 * The plan as a table: the gateway's uplink, then each host by slot with its block, both ends of its link and its
 * networks. With the fleet, interfaces have their names and containers with a set address are listed too. While a
 * delegated prefix is not in force, addresses are offsets and begin with +: what is to be added to the prefix.
 */
export function addressTable(plan: AddressPlan, fleet?: Fleet): readonly AddressRow[] {
  const { uplink, linkLength } = plan;
  const gateway = fleet?.gateway;
  const host = gateway?.name ?? "gateway";
  const rows: AddressRow[] = [
    { host, what: "prefix", text: plan.delegated, where: delegatedBy(fleet) },
    { host, what: "reserved", text: plan.infrastructure, where: "slot 0" },
    { host, what: "block", text: uplink.block, where: "slot 1" },
    {
      host,
      what: "uplink",
      text: interfaceAddress(uplink.address, linkLength),
      where: where(host, gateway?.uplink.device),
    },
  ];
  if (fleet !== undefined && hasInsideAddress(fleet))
    rows.push({ host, what: "hosts", text: insideAddress(plan), where: where(host, gateway?.hosts.device) });
  for (const each of plan.hosts) rows.push(...hostRows(each, plan, fleet));
  return fleet === undefined || hasPrefix(fleet) ? rows : rows.map(asOffset);
}

function delegatedBy(fleet: Fleet | undefined): string {
  if (fleet === undefined || fleet.delegation === undefined) return "from the provider";
  return hasPrefix(fleet) ? "from the provider, changes" : "not in force";
}

function asOffset(row: AddressRow): AddressRow {
  if (isLinkLocal(row.text)) return row;
  if (row.what === "prefix") return { ...row, text: `/${lengthOf(row.text as Prefix)}` };
  return { ...row, text: `+${row.text}`, where: row.where.replace(/^via /, "via +") };
}

/** It does not depend on the prefix. */
function isLinkLocal(text: string): boolean {
  return text.startsWith("fe80:");
}

function hostRows(each: HostPlan, plan: AddressPlan, fleet: Fleet | undefined): readonly AddressRow[] {
  const host = each.host;
  const known = fleet?.hosts.get(host);
  const via = `via ${shortOf(each.address, plan)}`;
  const gateway = where(fleet?.gateway.name ?? "gateway", fleet?.gateway.hosts.device);
  const hop =
    fleet?.plan.layout === "compact" ? hopToGateway(fleet, each) : interfaceAddress(each.gateway, plan.linkLength);
  return [
    { host, what: "block", text: each.block, where: `slot ${each.slot}` },
    { host, what: "gateway", text: hop, where: gateway },
    {
      host,
      what: "address",
      text: interfaceAddress(each.address, plan.linkLength),
      where: where(host, known?.public.device),
    },
    ...each.networks.flatMap(({ name, prefix }) => [
      { host, what: name === "default" ? "docker0" : name, text: prefix, where: via },
      ...(known === undefined ? [] : containerRows(each, known, name)),
    ]),
  ];
}

function containerRows(each: HostPlan, host: Host, network: string): readonly AddressRow[] {
  const found: { readonly name: string; readonly address: Address }[] = [];
  for (const [name, container] of host.docker.containers) {
    const address = container.network === network ? reservedAddress(each, container) : undefined;
    if (address !== undefined) found.push({ name, address });
  }
  found.sort((a, b) => compareAddresses(a.address, b.address));
  return found.map(({ name, address }) => ({
    host: host.name,
    what: `${network}/${name}`,
    text: address,
    where: "container",
  }));
}

function where(machine: string, device: string | undefined): string {
  return device === undefined ? machine : `${machine} ${device}`;
}

/** `20::2` for an address in a /64 that is written with four groups, as people say it; else all of it. */
function shortOf(address: Address, plan: AddressPlan): string {
  const base = baseOf(plan.delegated);
  const stem = base.endsWith("::") && base.split(":").length === 6 ? base.slice(0, -1) : undefined;
  return stem !== undefined && address.startsWith(stem) ? address.slice(stem.length) : address;
}
