import { Failure } from "../../base/failure.ts";
import type { Value } from "../../change/item.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { vipAddress } from "../pf/held-network.ts";
import { hashOf, isMarked, mark } from "../pf/names.ts";
import { hopName, isDefaultHop } from "./observe.ts";
import {
  deviceOf,
  gatewayOn,
  type InterfaceRow,
  interfaceOn,
  isOn,
  ownAddresses,
  paths,
  type RouteRow,
} from "./reading.ts";
import type { Work } from "./work.ts";

/** The interface by the kernel's name; rejects where nobody assigned one. */
function linkOf(work: Work, device: string): InterfaceRow & { readonly identifier: string } {
  const row = interfaceOn(work.reading, device);
  if (row?.identifier !== undefined) return { ...row, identifier: row.identifier };
  throw new Failure(
    "E558",
    work.core.name,
    `The device has no interface ${device}`,
    "assign it in Interfaces > Assignments, or name another in the fleet file",
  );
}

/** Wanted IPv6 addresses of an interface. */
function wantedSix({ target }: Work, name: string): readonly string[] {
  return target.all("address").flatMap(([rest]) => {
    const [device, address = ""] = rest.split(" ");
    return device === name && address.includes(":") ? [address] : [];
  });
}

/** Virtual IPs for the wanted addresses that no interface has by itself. */
export async function bringVips(work: Work): Promise<void> {
  const { core, signal } = work;
  let changed = work.forced.addresses;
  for (const name of work.links) {
    const row = interfaceOn(work.reading, name);
    const own = row === undefined ? undefined : ownAddresses(row).six;
    const there = new Set([
      own,
      ...work.reading.vips.filter((vip) => deviceOf(work.reading, vip.interface) === name).map(vipAddress),
    ]);
    for (const address of wantedSix(work, name)) {
      if (there.has(address)) continue;
      const [subnet = ""] = address.split("/");
      // One of ours with another length, or elsewhere: the device takes each address once.
      const other = work.reading.vips.find(
        (vip) => canonicalAddress(vip.subnet) === subnet && isMarked(vip.descr ?? ""),
      );
      if (other !== undefined) await core.remove(`${paths.vips}/delItem/${other.uuid}`, signal);
      const vip = {
        interface: linkOf(work, name).identifier,
        mode: "ipalias",
        network: address,
        descr: `${mark}next hop of a host`,
      };
      await core.add(`${paths.vips}/addItem`, { vip }, signal);
      changed = true;
    }
  }
  if (changed) await applyVips(work);
}

async function applyVips(work: Work): Promise<void> {
  await work.core.apply(`${paths.vips}/reconfigure`, work.signal);
  await work.reread();
}

export async function dropVips(work: Work): Promise<void> {
  const gone = work.reading.vips.filter(
    (vip) =>
      isMarked(vip.descr ?? "") &&
      !work.target.has(`address ${deviceOf(work.reading, vip.interface)} ${vipAddress(vip)}`),
  );
  for (const { uuid } of gone) await work.core.remove(`${paths.vips}/delItem/${uuid}`, work.signal);
  if (gone.length > 0) await applyVips(work);
}

/** Gateway objects for next hops that have none yet. Not monitored: each would be a process that pings for ever. */
export async function bringGateways(work: Work): Promise<void> {
  const { core, signal } = work;
  let changed = false;
  for (const [rest] of work.target.all("gateway")) {
    const [device = "", via = ""] = rest.split(" ");
    const there = gatewayOn(work.reading, device, via);
    const isDefault = isDefaultHop(work.target, device, via);
    if (there !== undefined && (!isDefault || there.upstream)) continue;
    const name = `sg_${hashOf(rest)}`;
    const old = work.reading.gateways.find((row) => row.name === name);
    const fields = {
      disabled: "0",
      name,
      descr: `${mark}next hop ${via}`,
      interface: linkOf(work, device).identifier,
      ipprotocol: via.includes(":") ? "inet6" : "inet",
      gateway: via,
      monitor_disable: "1",
      // The lower, the rather: before what somebody made a default without saying how much.
      priority: isDefault ? "10" : "255",
      defaultgw: isDefault ? "1" : "0",
    };
    if (old?.uuid === undefined) await core.add(`${paths.gateways}/addGateway`, { gateway_item: fields }, signal);
    else await core.set(`${paths.gateways}/setGateway/${old.uuid}`, { gateway_item: fields }, signal);
    changed = true;
  }
  if (changed) await applyGateways(work);
}

async function applyGateways(work: Work): Promise<void> {
  await work.core.apply(`${paths.gateways}/reconfigure`, work.signal);
  await work.reread();
}

/** Static routes. One that leads elsewhere goes first: the device would keep both. */
export async function bringRoutes(work: Work): Promise<void> {
  const { core, reading, signal } = work;
  let changed = work.forced.routes;
  for (const [to, value] of work.target.all("route")) {
    if (to === "::/0" || to === "0.0.0.0/0") continue;
    const there = reading.routes.filter((row) => canonicalPrefix(row.network) === to);
    if (there.some((row) => isOn(row) && leadsTo(work, row, value))) continue;
    for (const row of there)
      if (isMarked(row.descr ?? "")) await core.remove(`${paths.routes}/delroute/${row.uuid}`, signal);
    const gateway = hopName(reading, value);
    if (gateway === undefined)
      throw new Failure("E512", core.name, `No gateway for the route to ${to}`, "look at `sixgate plan`");
    const on = reading.abilities.routeSwitch === "enabled" ? { enabled: "1" } : { disabled: "0" };
    const descr = `${mark}${value === "unreachable" ? "unused space" : "block of a host"}`;
    await core.add(`${paths.routes}/addroute`, { route: { network: to, gateway, descr, ...on } }, signal);
    changed = true;
  }
  if (changed) await applyRoutes(work);
}

function leadsTo({ reading }: Work, row: RouteRow, value: Value): boolean {
  return row.gateway === hopName(reading, value);
}

async function applyRoutes(work: Work): Promise<void> {
  await work.core.apply(`${paths.routes}/reconfigure`, work.signal);
  await work.reread();
}

/** Routes first, then gateways: the device lets go of no gateway in use. */
export async function dropRouting(work: Work): Promise<void> {
  const { core, signal, target } = work;
  const routes = work.reading.routes.filter(
    (row) => isMarked(row.descr ?? "") && !target.has(`route ${canonicalPrefix(row.network)}`),
  );
  for (const { uuid } of routes) await core.remove(`${paths.routes}/delroute/${uuid}`, signal);
  if (routes.length > 0) await applyRoutes(work);
  const gateways = work.reading.gateways.filter((row) => {
    const key = `gateway ${deviceOf(work.reading, row.interface)} ${canonicalAddress(row.gateway ?? "")}`;
    return isMarked(row.descr ?? "") && !target.has(key);
  });
  for (const { uuid = "" } of gateways) await core.remove(`${paths.gateways}/delGateway/${uuid}`, signal);
  if (gateways.length > 0) await applyGateways(work);
}
