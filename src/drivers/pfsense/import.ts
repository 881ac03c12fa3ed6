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
    interfaces: (child(root, "interfaces")?.children ?? []).flatMap(interfaceIn),
    virtual: childrenOf(child(root, "virtualip"), "vip").map((each) => ({
      interface: textOf(each, "interface") ?? "",
      address: `${textOf(each, "subnet")}/${textOf(each, "subnet_bits")}`,
    })),
    gateways: childrenOf(gateways, "gateway_item").map((each) => ({
      name: textOf(each, "name") ?? "",
      interface: textOf(each, "interface") ?? "",
      address: textOf(each, "gateway") ?? "",
    })),
    routes: childrenOf(child(root, "staticroutes"), "route")
      .filter((each) => child(each, "disabled") === undefined)
      .map((each) => ({
        network: textOf(each, "network") ?? "",
        gateway: textOf(each, "gateway") ?? "",
        label: textOf(each, "descr") ?? "",
      })),
    aliases: childrenOf(child(root, "aliases"), "alias").map((each) => ({
      name: textOf(each, "name") ?? "",
      type: textOf(each, "type") ?? "",
      entries: (textOf(each, "address") ?? "").split(/\s+/).filter((entry) => entry !== ""),
    })),
    rules: childrenOf(child(root, "filter"), "rule").flatMap(ruleIn),
  };
}

function interfaceIn(element: ConfigElement): FirewallConfig["interfaces"] {
  const device = textOf(element, "if");
  if (device === undefined || child(element, "enable") === undefined) return [];
  const withLength = (address: string, length: string): string | undefined => {
    const [text, bits] = [textOf(element, address), textOf(element, length)];
    return text === undefined || bits === undefined || bits === "" || !/^[0-9a-f.:]+$/i.test(text)
      ? undefined
      : `${text}/${bits}`;
  };
  const [six, four, mac] = [
    withLength("ipaddrv6", "subnetv6"),
    withLength("ipaddr", "subnet"),
    textOf(element, "spoofmac"),
  ];
  return [
    {
      id: element.name,
      device,
      label: textOf(element, "descr") ?? element.name,
      ...(six === undefined ? {} : { six }),
      ...(four === undefined ? {} : { four }),
      ...(mac === undefined || mac === "" ? {} : { mac }),
    },
  ];
}

function ruleIn(element: ConfigElement): readonly FirewallRule[] {
  if (textOf(element, "type") !== "pass" || child(element, "disabled") !== undefined) return [];
  if (child(element, "floating") !== undefined && textOf(element, "direction") === "out") return [];
  const protocol = textOf(element, "protocol")?.toLowerCase();
  const icmp = textOf(element, "icmptype")?.split(",") ?? [];
  const ports = textOf(element, "destination", "port");
  return [
    {
      interfaces: (textOf(element, "interface") ?? "").split(","),
      six: textOf(element, "ipprotocol")?.startsWith("inet6") === true || textOf(element, "ipprotocol") === "inet46",
      ...(protocol === undefined ? {} : { protocol }),
      echo: protocol === "icmp" && icmp.length === 1 && icmp[0] === "echoreq",
      from: placeIn(child(element, "source")),
      to: placeIn(child(element, "destination")),
      notTo: child(element, "destination", "not") !== undefined,
      ...(ports === undefined ? {} : { ports }),
      label: textOf(element, "descr") ?? "",
    },
  ];
}

/** `any`, or what is named; a source that is turned round is none that an opening could have. */
function placeIn(place: ConfigElement | undefined): string {
  if (place === undefined || child(place, "any") !== undefined) return "any";
  const named = textOf(place, "address") ?? textOf(place, "network") ?? "unknown";
  return place.name === "source" && child(place, "not") !== undefined ? `not ${named}` : named;
}
