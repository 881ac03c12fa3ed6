import { createHash } from "node:crypto";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { LinkDesired, RouteDesired } from "../../desired/network.ts";
import { addressOf, linkOf, parseInterfaceAddress } from "../../net/interface-address.ts";
import { baseOf, contains } from "../../net/prefix.ts";
import { networkOf, tunables } from "../pf/items.ts";
import type { PfAlias, PfPlace, PfRule } from "../pf/model.ts";
import { hashOf, mark } from "../pf/names.ts";
import { modelOf } from "../pf/policy.ts";
import { branch, leaf, prose, type Written } from "../pf/xml-write.ts";

// The objects of a gateway as elements of pfSense's config.xml: lists are repeated elements, a boolean is there or not,
// what people read is CDATA.

/** pfSense's own names of the interfaces by device. */
export type InterfaceIds = ReadonlyMap<string, string>;

export type ConfigSections = {
  readonly aliases: readonly Written[];
  readonly rules: readonly Written[];
  readonly vips: readonly Written[];
  readonly gateways: readonly Written[];
  readonly routes: readonly Written[];
  readonly mappings: readonly Written[];
  readonly tunables: readonly Written[];
};

/** By a fleet's roles, as a fresh pfSense numbers them. */
export function usualIds({ uplink, inside, management }: GatewayDesired): InterfaceIds {
  return new Map([
    [uplink, "wan"],
    ...(management === undefined ? [] : [[management.device, "lan"] as const]),
    [inside, "opt1"],
  ]);
}

/** What a configuration has already, made by somebody else: names of gateways by `device via`, addresses, destinations. */
export type Existing = {
  readonly gateways: ReadonlyMap<string, string>;
  readonly addresses: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
};

export const nothing: Existing = { gateways: new Map(), addresses: new Set(), routes: new Set() };

export function sectionsOf(desired: GatewayDesired, ids: InterfaceIds, existing: Existing = nothing): ConfigSections {
  const { aliases, rules } = modelOf(desired);
  const { links, routes } = networkOf(desired);
  const trackers = trackersOf(rules);
  return {
    aliases: aliases.map(aliasElement),
    rules: rules.map((rule) => ruleElement(rule, ids, trackers.get(rule.name) ?? 0)),
    vips: links.flatMap((link) =>
      vipsOf(link, ownAddress(link, routes))
        .filter((address) => !existing.addresses.has(address))
        .map((address) => vipElement(address, idOf(ids, link.name))),
    ),
    gateways: hopsOf(routes)
      .filter((hop) => !existing.gateways.has(hopText(hop)))
      .map((hop) => gatewayElement(hop, ids)),
    routes: routes
      .filter((route) => isStatic(route) && !existing.routes.has(route.to))
      .map((route) => routeElement(route, existing)),
    mappings: desired.nat4 === undefined ? [] : [mappingElement(desired.nat4, ids)],
    tunables: Object.entries(tunables).map(([tunable, value]) =>
      branch(
        "item",
        leaf("tunable", tunable),
        leaf("value", value),
        prose("descr", `${mark}no neighbour moves a route`),
      ),
    ),
  };
}

function idOf(ids: InterfaceIds, device: string): string {
  const id = ids.get(device);
  if (id === undefined) throw new RangeError(`The configuration has no interface ${device}`);
  return id;
}

function aliasElement({ name, type, entries, about }: PfAlias): Written {
  return branch(
    "alias",
    leaf("name", name),
    leaf("type", type),
    leaf("address", entries.join(" ")),
    prose("descr", `${mark}${about}`),
    leaf("detail"),
  );
}

/** Unique and always the same: of the name, in a range that pfSense does not number its own rules in. */
function trackersOf(rules: readonly PfRule[]): ReadonlyMap<string, number> {
  const taken = new Map<number, string>();
  for (const { name } of rules) {
    let tracker = 1_200_000_000 + (Number.parseInt(hashOf(name), 16) % 99_999_999);
    while (taken.has(tracker)) tracker++;
    taken.set(tracker, name);
  }
  return new Map([...taken].map(([tracker, name]) => [name, tracker]));
}

function ruleElement(rule: PfRule, ids: InterfaceIds, tracker: number): Written {
  const { match } = rule;
  const ports =
    match.kind === "ports"
      ? [leaf("port", match.first === match.last ? `${match.first}` : `${match.first}-${match.last}`)]
      : [];
  const protocol = {
    any: [],
    echo: ["icmp"],
    transports: ["tcp/udp"],
    ports: match.kind === "ports" ? [match.transport] : [],
  }[match.kind];
  return branch(
    "rule",
    leaf("id"),
    leaf("tracker", String(tracker)),
    leaf("type", rule.action),
    leaf("interface", idOf(ids, rule.on)),
    leaf("ipprotocol", "inet6"),
    prose("statetype", "keep state"),
    ...protocol.map((each) => leaf("protocol", each)),
    ...(match.kind === "echo" ? [leaf("icmptype", "echoreq")] : []),
    ...(rule.first ? [leaf("floating", "yes"), leaf("quick", "yes"), leaf("direction", "in")] : []),
    branch("source", ...placeElements(rule.from)),
    branch("destination", ...placeElements(rule.to), ...ports),
    prose("descr", `${mark}${rule.name}`),
  );
}

function placeElements({ not, is }: PfPlace): readonly Written[] {
  if (is === "any") return [leaf("any")];
  return [...(not ? [leaf("not")] : []), leaf("address", is)];
}

/**
 * The address that the interface has by itself: one that does not go with a host, and whose network does not begin where
 * a static route begins, which the API would refuse.
 */
export function ownAddress({ addresses }: LinkDesired, routes: readonly RouteDesired[]): string | undefined {
  const targets = routes.filter(isStatic).flatMap((route) => (route.kind === "unicast" ? [route.to] : []));
  const free = (text: string, alone: boolean): boolean => {
    const parsed = parseInterfaceAddress(text);
    if (parsed === undefined) return false;
    return !targets.some((to) => baseOf(to) === baseOf(linkOf(parsed)) || (alone && contains(to, addressOf(parsed))));
  };
  return addresses.find((each) => free(each, true)) ?? addresses.find((each) => free(each, false)) ?? addresses[0];
}

function vipsOf({ addresses }: LinkDesired, own: string | undefined): readonly string[] {
  return addresses.filter((each) => each !== own);
}

function vipElement(address: string, id: string): Written {
  const [subnet = "", bits = ""] = address.split("/");
  const uniqid = createHash("sha256").update(address).digest("hex").slice(0, 13);
  return branch(
    "vip",
    leaf("mode", "ipalias"),
    leaf("interface", id),
    leaf("uniqid", uniqid),
    prose("descr", `${mark}next hop of a host`),
    leaf("type", "single"),
    leaf("subnet_bits", bits),
    leaf("subnet", subnet),
  );
}

export type Hop = { readonly device: string; readonly via: string };

function hopsOf(routes: readonly RouteDesired[]): readonly Hop[] {
  const found = new Map<string, Hop>();
  for (const route of routes) if (route.kind !== "unreachable") found.set(hopText(route), route);
  return [...found.values()];
}

export function hopText({ device, via }: Hop): string {
  return `${device} ${via}`;
}

/** As the driver names it, or as somebody else did. */
export function gatewayNameOf(hop: Hop, { gateways }: Existing = nothing): string {
  return gateways.get(hopText(hop)) ?? `sg_${hashOf(hopText(hop))}`;
}

function gatewayElement(hop: Hop, ids: InterfaceIds): Written {
  return branch(
    "gateway_item",
    leaf("interface", idOf(ids, hop.device)),
    leaf("gateway", hop.via),
    leaf("name", gatewayNameOf(hop)),
    leaf("weight", "1"),
    leaf("ipprotocol", hop.via.includes(":") ? "inet6" : "inet"),
    prose("descr", `${mark}next hop ${hop.via}`),
    leaf("monitor_disable"),
    leaf("action_disable"),
    leaf("nonlocalgateway"),
  );
}

function isStatic(route: RouteDesired): boolean {
  return !["::/0", "0.0.0.0/0"].includes(route.to);
}

function routeElement(route: RouteDesired, existing: Existing): Written {
  const nowhere = route.kind === "unreachable";
  const gateway = nowhere ? "Null6" : gatewayNameOf(route, existing);
  return branch(
    "route",
    leaf("network", route.to),
    leaf("gateway", gateway),
    prose("descr", `${mark}${nowhere ? "unused space" : "block of a host"}`),
  );
}

function mappingElement({ from, uplink }: NonNullable<GatewayDesired["nat4"]>, ids: InterfaceIds): Written {
  const id = idOf(ids, uplink);
  return branch(
    "rule",
    leaf("interface", id),
    branch("source", leaf("network", from)),
    branch("destination", leaf("any")),
    leaf("target", `${id}ip`),
    leaf("target_subnet"),
    prose("descr", `${mark}${from}`),
  );
}

/** What an interface should have, as children of its element; next hops by the names of their gateways. */
export function interfaceChildren(
  link: LinkDesired,
  routes: readonly RouteDesired[],
  existing: Existing = nothing,
): readonly Written[] {
  const own = ownAddress(link, routes);
  const [four] = link.addresses4;
  const hop = (to: string): readonly string[] =>
    routes.flatMap((route) =>
      String(route.to) === to && route.kind !== "unreachable" && route.device === link.name
        ? [gatewayNameOf(route, existing)]
        : [],
    );
  return [
    leaf("enable"),
    leaf("if", link.name),
    ...(link.mac === undefined ? [] : [leaf("spoofmac", link.mac)]),
    ...addressElements(four, "ipaddr", "subnet"),
    ...hop("0.0.0.0/0").map((name) => leaf("gateway", name)),
    ...addressElements(own, "ipaddrv6", "subnetv6"),
    ...hop("::/0").map((name) => leaf("gatewayv6", name)),
  ];
}

function addressElements(address: string | undefined, name: string, length: string): readonly Written[] {
  if (address === undefined) return [];
  const [text = "", bits = ""] = address.split("/");
  return [leaf(name, text), leaf(length, bits)];
}
