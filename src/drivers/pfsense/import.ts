import { aliasIn, gatewayIn, interfacesIn, placesIn, routesIn, virtualIn } from "../pf/config-reading.ts";
import type { FirewallConfig, FirewallRule } from "../pf/firewall-config.ts";
import { fleetFrom, type ImportedFleet } from "../pf/fleet-from.ts";
import { type ConfigElement, child, childrenOf, readConfig, textOf } from "../pf/xml.ts";

/** A fleet file from pfSense's config.xml. Throws an Error that says why it can't be. */
export function importPfsense(text: string): ImportedFleet {
  const { root } = readConfig(text);
  if (root.name !== "pfsense") throw new Error(`its root is <${root.name}>, not <pfsense>`);
  return fleetFrom(configIn(root), "pfsense");
}

function configIn(root: ConfigElement): FirewallConfig {
  const text = (name: string, ...path: readonly string[]): string | undefined =>
    textOf(root, ...path, name) || undefined;
  const gateways = child(root, "gateways");
  const [hostname, default4, default6] = [
    text("hostname", "system"),
    textOf(gateways, "defaultgw4"),
    textOf(gateways, "defaultgw6"),
  ];
  return {
    ...(hostname === undefined ? {} : { hostname }),
    ...(default4 === undefined ? {} : { default4 }),
    ...(default6 === undefined ? {} : { default6 }),
    interfaces: interfacesIn(root, (each) => child(each, "enable") !== undefined),
    virtual: virtualIn(root),
    gateways: childrenOf(gateways, "gateway_item").map(gatewayIn),
    routes: routesIn(root, (each) => child(each, "disabled") === undefined),
    aliases: childrenOf(child(root, "aliases"), "alias").map((each) => aliasIn(each, "address")),
    rules: childrenOf(child(root, "filter"), "rule").flatMap(ruleIn),
  };
}

function ruleIn(element: ConfigElement): readonly FirewallRule[] {
  if (textOf(element, "type") !== "pass" || child(element, "disabled") !== undefined) return [];
  if (child(element, "floating") !== undefined && textOf(element, "direction") === "out") return [];
  const protocol = textOf(element, "protocol")?.toLowerCase();
  const icmp = textOf(element, "icmptype")?.split(",") ?? [];
  const ports = textOf(element, "destination", "port");
  return [
    {
      ...placesIn(element),
      six: textOf(element, "ipprotocol")?.startsWith("inet6") === true || textOf(element, "ipprotocol") === "inet46",
      ...(protocol === undefined ? {} : { protocol }),
      echo: protocol === "icmp" && icmp.length === 1 && icmp[0] === "echoreq",
      ...(ports === undefined ? {} : { ports }),
    },
  ];
}
