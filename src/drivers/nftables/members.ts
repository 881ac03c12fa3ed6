import type { Instant } from "../../base/time.ts";
import { compareKeys } from "../../change/diff.ts";
import type { Address } from "../../net/address.ts";
import { comparePortRanges, formatPortRange, type PortRange } from "../../net/port.ts";
import { baseOf, comparePrefixes, lengthOf, type Prefix, prefix } from "../../net/prefix.ts";
import { protocolNumber, type Transport, transports } from "../../net/transport.ts";
import type { OpenService } from "../../openings/opening.ts";
import { type Cell, cellsOf, endsLater, type Grant } from "./grants.ts";

/** Where no source is named. */
export const anywhere: Prefix = prefix("::/0");

/**
 * One element that lets something in, by the kind of set that it is in: `open` and `live` are hash sets, `from` and
 * `livefrom` interval sets. A member without `ends` stays until it is taken out.
 */
export type Member = { readonly to: Address; readonly ends?: Instant } & (
  | { readonly kind: "open"; readonly transport: Transport; readonly port: number }
  | { readonly kind: "from"; readonly transport: Transport; readonly ports: PortRange; readonly from: Prefix }
  | { readonly kind: "live" }
  | { readonly kind: "livefrom"; readonly from: Prefix }
);

export type MemberKind = Member["kind"];

export const memberKinds: readonly MemberKind[] = ["open", "from", "live", "livefrom"];

/**
 * What is open at one address as elements, sorted by their text. Single ports to anyone are a hash look-up of their
 * own; intervals of one transport never overlap, since nft refuses overlapping ones. What another element covers for
 * as long is left out.
 */
export function membersOf(to: Address, services: readonly OpenService[]): readonly Member[] {
  const [first] = services;
  if (first !== undefined && services.length === 1) {
    const asked = grantOf(first);
    // By far the most: one port, to anyone.
    if (asked.of !== "ping" && isPlain(asked)) {
      const ends = asked.ends === undefined ? {} : { ends: asked.ends };
      return [{ kind: "open", to, transport: asked.of, port: asked.ports.first, ...ends }];
    }
  }
  const grants = Map.groupBy(services.map(grantOf), (each) => each.of);
  const found: Member[] = echoMembers(to, grants.get("ping") ?? []);
  for (const transport of transports) found.push(...portMembers(to, transport, grants.get(transport) ?? []));
  return found.sort((a, b) => compareKeys(keyText(a), keyText(b)));
}

type Asked = Grant & { readonly of: Transport | "ping" };

function grantOf({ service, from, ends }: OpenService): Asked {
  const rest = { from, ...(ends === undefined ? {} : { ends }) };
  return service.kind === "ping"
    ? { of: "ping", ports: { first: 0, last: 0 }, ...rest }
    : { of: service.transport, ports: service.ports, ...rest };
}

function echoMembers(to: Address, grants: readonly Grant[]): Member[] {
  return cellsOf(grants).map(({ from, ends }): Member => {
    const rest = { to, ...(ends === undefined ? {} : { ends }) };
    return from === anywhere ? { kind: "live", ...rest } : { kind: "livefrom", from, ...rest };
  });
}

function isPlain({ ports, from }: Grant): boolean {
  return ports.first === ports.last && from.includes(anywhere);
}

function portMembers(to: Address, transport: Transport, grants: readonly Grant[]): readonly Member[] {
  const plain = new Map<number, Instant | undefined>();
  function open(port: number, ends: Instant | undefined): void {
    if (!plain.has(port) || endsLater(ends, plain.get(port))) plain.set(port, ends);
  }
  for (const grant of grants) if (isPlain(grant)) open(grant.ports.first, grant.ends);
  // A single port to anyone cuts no range that it lies in, and covers the same port to some.
  function isCovered({ ports: { first, last }, ends }: Pick<Grant, "ports" | "ends">): boolean {
    return first === last && plain.has(first) && !endsLater(ends, plain.get(first));
  }
  const cells = cellsOf(grants.filter((each) => !isPlain(each) && !isCovered(each)));
  for (const { ports, from, ends } of cells) {
    if (from === anywhere && ports.first === ports.last) open(ports.first, ends);
  }
  const intervals = cells.filter((each) => !isCovered(each));
  const wide = intervals.filter((each) => each.from === anywhere);
  return [
    ...uncovered(plain, wide).map(
      ([port, ends]): Member => ({ kind: "open", to, transport, port, ...(ends === undefined ? {} : { ends }) }),
    ),
    ...intervals.map((cell): Member => ({ kind: "from", to, transport, ...cell })),
  ];
}

/** Single ports that lie in no range which is open to anyone for as long. `wide` is sorted and without overlaps. */
function uncovered(
  plain: ReadonlyMap<number, Instant | undefined>,
  wide: readonly Cell[],
): readonly (readonly [number, Instant | undefined])[] {
  let at = 0;
  return [...plain]
    .sort(([a], [b]) => a - b)
    .filter(([port, ends]) => {
      while ((wide[at]?.ports.last ?? Number.POSITIVE_INFINITY) < port) at++;
      const range = wide[at];
      return range === undefined || range.ports.first > port || endsLater(ends, range.ends);
    });
}

/** The element's key in nft's syntax. */
export function keyText(member: Member): string {
  switch (member.kind) {
    case "open":
      return `${member.to} . ${member.transport} . ${member.port}`;
    case "from":
      return `${member.to} . ${member.transport} . ${formatPortRange(member.ports)} . ${prefixText(member.from)}`;
    case "live":
      return member.to;
    case "livefrom":
      return `${member.to} . ${prefixText(member.from)}`;
  }
}

/** A prefix as nft prints it: a whole address without its length. */
export function prefixText(p: Prefix): string {
  return lengthOf(p) === 128 ? baseOf(p) : p;
}

/** The members of one address as services: those that differ in their source alone are one. Sorted. */
export function servicesOf(members: readonly Member[]): readonly OpenService[] {
  const [only] = members;
  if (members.length === 1 && only?.kind === "open" && only.ends === undefined) return openToAnyone(only);
  if (members.length === 1) return [serviceOf(members) ?? []].flat();
  const groups = Map.groupBy(members, (each) => `${serviceKey(each)} ${each.ends ?? ""}`);
  return [...groups.values()].flatMap((group) => serviceOf(group) ?? []).sort(compareOpenServices);
}

/** What most addresses have, and all that do have the same: so it is made once. */
const openPorts = new Map<string, readonly OpenService[]>();

function openToAnyone(member: Member & { readonly kind: "open" }): readonly OpenService[] {
  const key = `${member.transport} ${member.port}`;
  const known = openPorts.get(key) ?? [serviceOf([member]) ?? []].flat();
  openPorts.set(key, known);
  return known;
}

function serviceOf(group: readonly Member[]): OpenService | undefined {
  const [first] = group;
  if (first === undefined) return undefined;
  const from = group.map((each) => ("from" in each ? each.from : anywhere)).sort(comparePrefixes);
  const ends = first.ends === undefined ? {} : { ends: first.ends };
  switch (first.kind) {
    case "open":
    case "from": {
      const ports = first.kind === "open" ? { first: first.port, last: first.port } : first.ports;
      return { service: { kind: "ports", transport: first.transport, ports }, from, ...ends };
    }
    case "live":
    case "livefrom":
      return { service: { kind: "ping" }, from, ...ends };
  }
}

function serviceKey(member: Member): string {
  switch (member.kind) {
    case "open":
      return `${member.transport} ${member.port}`;
    case "from":
      return `${member.transport} ${formatPortRange(member.ports)}`;
    case "live":
    case "livefrom":
      return "ping";
  }
}

/** Ports by protocol number and port, then ping; the earliest end first. */
function compareOpenServices(a: OpenService, b: OpenService): number {
  return (
    rank(a) - rank(b) ||
    (a.service.kind === "ports" && b.service.kind === "ports"
      ? comparePortRanges(a.service.ports, b.service.ports)
      : 0) ||
    (a.ends ?? Number.MAX_SAFE_INTEGER) - (b.ends ?? Number.MAX_SAFE_INTEGER)
  );
}

function rank({ service }: OpenService): number {
  return service.kind === "ping" ? 256 : protocolNumber(service.transport);
}
