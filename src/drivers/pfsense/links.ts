import { Failure } from "../../base/failure.ts";
import { addressOf, linkOf, parseInterfaceAddress } from "../../net/interface-address.ts";
import { baseOf, contains, parsePrefix } from "../../net/prefix.ts";
import { canonicalAddress, withLength } from "../pf/canonical.ts";
import { isMarked, mark } from "../pf/names.ts";
import { fieldOf } from "../pf/target.ts";
import { isOurs, type Row } from "./api.ts";
import {
  deviceOf,
  type InterfaceRow,
  interfaceBy,
  interfaceOn,
  macOf,
  nouns,
  ownAddresses,
  pluralOf,
  type VipRow,
} from "./reading.ts";
import type { Work } from "./work.ts";

/** Names that pfSense keeps for itself: it refuses to write an interface that has one of them, though it gave it. */
const reserved = new Set(["wan", "lan"]);

/** Interfaces: assigned, on, with their MAC and their own addresses. Without next hops: gateways come later. */
export async function bringLinks(work: Work): Promise<void> {
  let changed = false;
  for (const [place, name] of work.links.entries()) {
    const row = interfaceOn(work.reading, name);
    if (row === undefined) await assign(work, name, place);
    else if (!(await patch(work, row, linkPatch(work, name, row)))) continue;
    changed = true;
  }
  if (changed || work.forced.addresses) {
    await work.rest.apply("/interface/apply", work.signal);
    await work.reread();
  }
}

async function assign({ rest, reading, signal, target }: Work, device: string, place: number): Promise<void> {
  if (!reading.ports.some((each) => each.if === device)) {
    const known = reading.ports.map((each) => each.if).join(", ");
    throw new Failure(
      "E558",
      rest.name,
      `The device has no interface ${device}`,
      `name one of ${known} in the fleet file`,
    );
  }
  const mac = target.value(`mac ${device}`);
  await rest.create(
    nouns.interface,
    {
      if: device,
      enable: true,
      descr: labelOf(place),
      typev4: "none",
      typev6: "none",
      ...(typeof mac === "string" ? { spoofmac: mac } : {}),
    },
    signal,
  );
}

function labelOf(place: number): string {
  return place === 0 ? "UPLINK" : "HOSTS";
}

/** What is to change of an interface; empty when nothing is. */
function linkPatch(work: Work, name: string, row: InterfaceRow): Row {
  const { target, reading } = work;
  const own = ownAddresses(row);
  const six = ownSix(work, name, own.six);
  const four = target
    .all("address")
    .map(([rest]) => rest)
    .find((rest) => rest.startsWith(`${name} `) && !rest.includes(":"))
    ?.slice(name.length + 1);
  const mac = target.value(`mac ${name}`);
  return {
    ...(fieldOf(target.value(`interface ${name}`), "enabled") === true && !row.enable ? { enable: true } : {}),
    ...(typeof mac === "string" && mac !== macOf(reading, row) ? { spoofmac: mac } : {}),
    ...(six === undefined || six === own.six ? {} : sixBody(six)),
    ...(four === undefined || four === own.four ? {} : fourBody(four)),
  };
}

function sixBody(address: string): Row {
  const [ipaddrv6, length] = address.split("/");
  return { typev6: "staticv6", ipaddrv6, subnetv6: Number(length) };
}

function fourBody(address: string): Row {
  if (!address.includes("/")) return { typev4: address };
  const [ipaddr, length] = address.split("/");
  return { typev4: "static", ipaddr, subnet: Number(length) };
}

/** Wanted IPv6 addresses of an interface, in the order of the fleet's links. */
function wantedSix({ target }: Work, name: string): readonly string[] {
  return target.all("address").flatMap(([rest]) => {
    const [device, address = ""] = rest.split(" ");
    return device === name && address.includes(":") ? [address] : [];
  });
}

/**
 * Which of the wanted addresses is the interface's own; the others are virtual IPs. The one it has, if it may stay: the
 * API refuses a static route that begins where the network of an interface's own address begins, whatever their lengths
 * (2001:db8:0:0:20::/76 beside 2001:db8:0:0:20::1/80), though not beside a virtual IP.
 */
function ownSix(work: Work, name: string, current: string | undefined): string | undefined {
  const wanted = wantedSix(work, name);
  const routes = work.target.all("route").flatMap(([to, value]) => {
    const prefix = value === "unreachable" || to === "::/0" ? undefined : parsePrefix(to);
    return prefix === undefined ? [] : [prefix];
  });
  const links = new Map(wanted.flatMap((each) => [[each, parseInterfaceAddress(each)] as const]));
  const free = (address: string): boolean => {
    const parsed = links.get(address);
    return parsed !== undefined && !routes.some((route) => baseOf(route) === baseOf(linkOf(parsed)));
  };
  if (current !== undefined && wanted.includes(current) && free(current)) return current;
  // Better one that does not go with a host.
  const lasting = wanted.find((each) => {
    const parsed = links.get(each);
    return parsed !== undefined && free(each) && !routes.some((route) => contains(route, addressOf(parsed)));
  });
  return lasting ?? wanted.find(free) ?? wanted[0];
}

/** True when something was sent. */
async function patch(work: Work, row: InterfaceRow, body: Row): Promise<boolean> {
  if (Object.keys(body).length === 0) return false;
  // The address may still be a virtual IP of isOurs, and the API wants it once.
  const address = body["ipaddrv6"];
  const twin = work.reading.vips.find((vip) => canonicalAddress(vip.subnet) === address);
  if (twin !== undefined) await removeVip(work, twin);
  // A WAN that its owner renamed but never switched off may be renamed back only together with the rest.
  const named =
    row.descr === undefined || reserved.has(row.descr.toLowerCase())
      ? { descr: labelOf(work.links.indexOf(row.if)) }
      : {};
  await work.rest.update(nouns.interface, { id: row.id, ...named, ...body }, work.signal);
  work.touched.add(row.id);
  return true;
}

/** Next hops of interfaces, once their gateways are there. */
export async function bringHops(work: Work): Promise<void> {
  let changed = false;
  for (const name of work.links) {
    const row = interfaceOn(work.reading, name);
    if (row === undefined) continue;
    const wanted = work.target.value(`interface ${name}`);
    const body = {
      ...hopBody(work, row, "gatewayv6", fieldOf(wanted, "gateway6")),
      ...hopBody(work, row, "gateway", fieldOf(wanted, "gateway4")),
    };
    if (await patch(work, row, body)) changed = true;
  }
  if (!changed) return;
  await work.rest.apply("/interface/apply", work.signal);
  await work.reread();
}

function hopBody(work: Work, row: InterfaceRow, field: "gateway" | "gatewayv6", wanted: unknown): Row {
  const current = row[field];
  const via = current === undefined ? undefined : work.reading.gateways.find((each) => each.name === current)?.gateway;
  if (typeof wanted !== "string")
    return current === undefined || current === "none" || wanted === undefined ? {} : { [field]: null };
  if (via !== undefined && canonicalAddress(via) === wanted) return {};
  const name = gatewayName(work, row.if, wanted);
  return name === undefined ? {} : { [field]: name };
}

/** The name of the gateway object for a next hop, ours or somebody's. */
export function gatewayName({ reading }: Pick<Work, "reading">, device: string, via: string): string | undefined {
  return reading.gateways.find(
    (each) =>
      !each.disabled && deviceOf(reading, each.interface) === device && canonicalAddress(each.gateway ?? "") === via,
  )?.name;
}

function vipAddress(vip: VipRow): string {
  return withLength(vip.subnet, vip.subnet_bits);
}

/** Virtual IPs for the wanted addresses that are not the interfaces' own. Created, then applied: they wait by index. */
export async function bringVips(work: Work): Promise<void> {
  let changed = false;
  for (const name of work.links) {
    const row = interfaceOn(work.reading, name);
    if (row === undefined) continue;
    const there = new Set([
      ownAddresses(row).six,
      ...work.reading.vips.filter((vip) => deviceOf(work.reading, vip.interface) === name).map(vipAddress),
    ]);
    for (const address of wantedSix(work, name)) {
      if (there.has(address)) continue;
      const [subnet = "", bits] = address.split("/");
      const other = work.reading.vips.find((vip) => canonicalAddress(vip.subnet) === subnet);
      if (other !== undefined) await removeVip(work, other);
      const body = {
        mode: "ipalias",
        interface: row.id,
        subnet,
        subnet_bits: Number(bits),
        descr: `${mark}next hop of a host`,
      };
      await work.rest.create(nouns.vip, body, work.signal);
      changed = true;
    }
  }
  if (!changed && !work.forced.addresses) return;
  await work.rest.apply("/firewall/virtual_ip/apply", work.signal);
  await work.reread();
}

/** Removed and applied before anything else waits: what waits does so by its index, which moves. */
async function removeVip(work: Work, { uniqid }: VipRow): Promise<void> {
  await work.rest.remove(pluralOf("vip"), { uniqid }, isOurs, work.signal);
  await work.rest.apply("/firewall/virtual_ip/apply", work.signal);
  await work.reread();
}

export async function dropVips(work: Work): Promise<void> {
  for (const vip of work.reading.vips) {
    if (!isMarked(vip.descr ?? "")) continue;
    const device = interfaceBy(work.reading, vip.interface)?.if;
    if (work.target.has(`address ${device} ${vipAddress(vip)}`)) continue;
    await removeVip(work, vip);
  }
}
