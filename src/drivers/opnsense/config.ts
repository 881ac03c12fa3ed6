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
import { networkOf, ruleItem, tunables } from "../pf/items.ts";
import type { PfAlias, PfRule } from "../pf/model.ts";
import { mark } from "../pf/names.ts";
import { modelOf } from "../pf/policy.ts";
import type { Section } from "../pf/section.ts";
import { leaf, type Written } from "../pf/xml-write.ts";
import { ruleBody } from "./convert.ts";
import { contentOf } from "./filter.ts";

// The objects of a gateway as elements of OPNsense's config.xml: each with a uuid, a switch is 1 or 0.

/** Versions of the models, as 26.7 has them: later ones convert, older ones leave out fields that they don't know. */
export const modelVersions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  virtualip: { version: "1.0.1" },
  staticroutes: { version: "1.0.1" },
  Gateways: { version: "1.0.0" },
  Alias: { version: "1.0.1" },
  Filter: { version: "1.0.5" },
};

type Layout = {
  readonly ids: InterfaceIds;
  readonly existing?: Existing;
  /** The field by which the file's version switches a route. */
  readonly routeSwitch: "enabled" | "disabled";
};

export function sectionsOf(
  desired: GatewayDesired,
  { ids, existing = nothing, routeSwitch }: Layout,
): readonly Section[] {
  const { aliases, rules } = modelOf(desired);
  const { links, routes } = networkOf(desired);
  const hops = hopsOf(routes).filter((hop) => !existing.gateways.has(hopText(hop)));
  return [
    {
      path: ["virtualip"],
      name: "vip",
      written: links.flatMap((link) =>
        vipsOf(link, ownAddress(link, routes))
          .filter((address) => !existing.addresses.has(address))
          .map((address) => vipElement(address, idOf(ids, link.name))),
      ),
    },
    {
      path: ["OPNsense", "Gateways"],
      name: "gateway_item",
      written: hops.map((hop) => gatewayElement(hop, ids, routes)),
    },
    {
      path: ["staticroutes"],
      name: "route",
      written: routes
        .filter((route) => isStatic(route) && !existing.routes.has(route.to))
        .map((route) => routeElement(route, existing, routeSwitch)),
    },
    { path: ["OPNsense", "Firewall", "Alias", "aliases"], name: "alias", written: aliases.map(aliasElement) },
    {
      path: ["OPNsense", "Firewall", "Filter", "rules"],
      name: "rule",
      written: rules.map((rule) => ruleElement(rule, ids)),
    },
    {
      path: ["OPNsense", "Firewall", "Filter", "snatrules"],
      name: "rule",
      written: desired.nat4 === undefined ? [] : [snatElement(desired.nat4, ids)],
    },
    {
      path: ["sysctl"],
      name: "item",
      written: Object.entries(tunables).map(([tunable, value]) =>
        made("item", tunable, { tunable, value, descr: `${mark}no neighbour moves a route` }),
      ),
    },
  ];
}

/** An object with a uuid that is always the same: of its kind and what names it. */
function made(element: string, named: string, fields: Readonly<Record<string, string>>): Written {
  return {
    name: element,
    attributes: { uuid: uuidOf(`${element} ${named}`) },
    children: Object.entries(fields).map(([name, text]) => leaf(name, text)),
  };
}

/** In the form of RFC 9562, version 8: of a hash of our own. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(`sixgate ${text}`).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function aliasElement({ name, type, entries, about }: PfAlias): Written {
  const content = contentOf(type, entries);
  return made("alias", name, { enabled: "1", name, type, content, description: `${mark}${about}` });
}

function ruleElement(rule: PfRule, ids: InterfaceIds): Written {
  const body = ruleBody(rule.name, ruleItem(rule).value, idOf(ids, rule.on)) ?? {};
  const fields = Object.entries(body).map(([name, value]) => [name, typeof value === "string" ? value : ""] as const);
  return made("rule", rule.name, { ...Object.fromEntries(fields), statetype: "keep" });
}

function vipElement(address: string, id: string): Written {
  const [subnet = "", bits = ""] = address.split("/");
  return made("vip", address, {
    interface: id,
    mode: "ipalias",
    subnet,
    subnet_bits: bits,
    descr: `${mark}next hop of a host`,
    noexpand: "0",
    nobind: "0",
    advbase: "1",
    advskew: "0",
  });
}

function gatewayElement(hop: Hop, ids: InterfaceIds, routes: readonly RouteDesired[]): Written {
  const { device, via } = hop;
  const isDefault = routes.some(
    (route) => !isStatic(route) && route.kind !== "unreachable" && hopText(route) === hopText(hop),
  );
  return made("gateway_item", hopText(hop), {
    disabled: "0",
    name: gatewayNameOf(hop),
    descr: `${mark}next hop ${via}`,
    interface: idOf(ids, device),
    ipprotocol: via.includes(":") ? "inet6" : "inet",
    gateway: via,
    defaultgw: isDefault ? "1" : "0",
    monitor_disable: "1",
    priority: isDefault ? "10" : "255",
    weight: "1",
  });
}

function routeElement(route: RouteDesired, existing: Existing, routeSwitch: Layout["routeSwitch"]): Written {
  const nowhere = route.kind === "unreachable";
  return made("route", route.to, {
    network: route.to,
    gateway: nowhere ? "Null6" : gatewayNameOf(route, existing),
    descr: `${mark}${nowhere ? "unused space" : "block of a host"}`,
    [routeSwitch]: routeSwitch === "enabled" ? "1" : "0",
  });
}

function snatElement({ from, uplink }: NonNullable<GatewayDesired["nat4"]>, ids: InterfaceIds): Written {
  const id = idOf(ids, uplink);
  return made("rule", `nat ${from}`, {
    enabled: "1",
    nonat: "0",
    sequence: "1",
    interface: id,
    ipprotocol: "inet",
    protocol: "any",
    source_net: from,
    source_not: "0",
    destination_net: "any",
    destination_not: "0",
    target: `${id}ip`,
    description: `${mark}${from}`,
  });
}
