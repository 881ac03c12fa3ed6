import { createHash } from "node:crypto";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { RouteDesired } from "../../desired/network.ts";
import {
  type Existing,
  gatewayNameOf,
  type Hop,
  hopsOf,
  hopText,
  type InterfaceIds,
  idOf,
  isStatic,
  nothing,
  ownAddress,
  vipsOf,
} from "../pf/config-parts.ts";
import { networkOf, tunables } from "../pf/items.ts";
import type { PfAlias, PfPlace, PfRule } from "../pf/model.ts";
import { hashOf, mark } from "../pf/names.ts";
import { modelOf } from "../pf/policy.ts";
import { branch, leaf, prose, type Written } from "../pf/xml-write.ts";

// The objects of a gateway as elements of pfSense's config.xml: lists are repeated elements, a boolean is there or not,
// what people read is CDATA.

export type ConfigSections = {
  readonly aliases: readonly Written[];
  readonly rules: readonly Written[];
  readonly vips: readonly Written[];
  readonly gateways: readonly Written[];
  readonly routes: readonly Written[];
  readonly mappings: readonly Written[];
  readonly tunables: readonly Written[];
};

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
