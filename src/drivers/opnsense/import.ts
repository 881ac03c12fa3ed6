import { aliasIn, gatewayIn, interfacesIn, placesIn, routesIn, virtualIn } from "../pf/config-reading.ts";
import type { FirewallConfig, FirewallRule } from "../pf/firewall-config.ts";
import { fleetFrom, type ImportedFleet } from "../pf/fleet-from.ts";
import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../pf/xml.ts";

/** A fleet file from OPNsense's config.xml. Throws an Error that says why it can't be. */
export function importOpnsense(text: string): ImportedFleet {
  const { root } = readConfig(text);
  if (root.name !== "opnsense") throw new Error(`its root is <${root.name}>, not <opnsense>`);
  return fleetFrom(configIn(root), "opnsense");
}

function configIn(root: ConfigElement): FirewallConfig {
  const hostname = textOf(root, "system", "hostname") || undefined;
  const gateways = [
    ...childrenOf(child(root, "OPNsense", "Gateways"), "gateway_item"),
    // Until 24.1, and where nobody has saved one since.
    ...childrenOf(child(root, "gateways"), "gateway_item"),
  ].filter((each) => textOf(each, "disabled") !== "1");
  const [default4, default6] = ["inet", "inet6"].map((family) => defaultOf(gateways, family));
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(default4 === undefined ? {} : { default4 }),
    ...(default6 === undefined ? {} : { default6 }),
    interfaces: interfacesIn(root, (each) => textOf(each, "enable") === "1"),
    virtual: virtualIn(root),
    gateways: gateways.map(gatewayIn),
    routes: routesIn(root, (each) => textOf(each, "disabled") !== "1" && textOf(each, "enabled") !== "0"),
    aliases: childrenOf(child(root, "OPNsense", "Firewall", "Alias", "aliases"), "alias").map((each) =>
      aliasIn(each, "content"),
    ),
    rules: [
      ...childrenOf(child(root, "OPNsense", "Firewall", "Filter", "rules"), "rule").flatMap(ruleIn),
      ...childrenOf(child(root, "filter"), "rule").flatMap(oldRuleIn),
    ],
  };
}

/** One that is marked as upstream, the lowest priority first. */
function defaultOf(gateways: readonly ConfigElement[], family: string): string | undefined {
  const priority = (each: ConfigElement): number => Number(textOf(each, "priority") ?? 255);
  const [first] = gateways
    .filter((each) => textOf(each, "ipprotocol") === family && textOf(each, "defaultgw") === "1")
    .toSorted((a, b) => priority(a) - priority(b));
  return textOf(first, "name");
}

function ruleIn(element: ConfigElement): readonly FirewallRule[] {
  const text = (name: string): string | undefined => textOf(element, name) || undefined;
  if (text("enabled") === "0" || text("action") !== "pass" || text("direction") === "out") return [];
  const named = text("protocol")?.toLowerCase();
  const protocol = named === "any" || named === undefined ? undefined : named;
  const ports = text("destination_port");
  const from = text("source_net") ?? "any";
  return [
    {
      interfaces: (text("interface") ?? "").split(","),
      six: ["inet6", "inet46"].includes(text("ipprotocol") ?? ""),
      ...(protocol === undefined ? {} : { protocol }),
      echo: protocol === "ipv6-icmp" && text("icmp6type") === "128",
      from: text("source_not") === "1" ? `not ${from}` : from,
      to: text("destination_net") ?? "any",
      notTo: text("destination_not") === "1",
      ...(ports === undefined ? {} : { ports }),
      label: text("description") ?? "",
    },
  ];
}

/** Rules of the page that 26.1 calls old: as pfSense has them. */
function oldRuleIn(element: ConfigElement): readonly FirewallRule[] {
  const text = (...path: readonly string[]): string | undefined => textOf(element, ...path) || undefined;
  if (text("type") !== "pass" || text("disabled") === "1" || text("direction") === "out") return [];
  const protocol = text("protocol")?.toLowerCase();
  const ports = text("destination", "port");
  return [
    {
      ...placesIn(element),
      six: ["inet6", "inet46"].includes(text("ipprotocol") ?? ""),
      ...(protocol === undefined ? {} : { protocol }),
      echo: ["icmp", "ipv6-icmp"].includes(protocol ?? "") && text("icmp6-type") === "echoreq",
      ...(ports === undefined ? {} : { ports }),
    },
  ];
}
