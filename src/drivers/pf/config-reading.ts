import type { FirewallConfig, FirewallInterface, FirewallRule } from "./firewall-config.ts";
import { type ConfigElement, child, childrenOf, textOf } from "./xml.ts";

// What the elements say that both products' configuration files have alike. How an object is switched on or off is not
// among them: pfSense has an element there or not, OPNsense a 1 or a 0.

/** The text of an object's field: empty where there is none. */
function said(element: ConfigElement, name: string): string {
  return textOf(element, name) ?? "";
}

export function virtualIn(root: ConfigElement): FirewallConfig["virtual"] {
  return childrenOf(child(root, "virtualip"), "vip").map((each) => ({
    interface: said(each, "interface"),
    address: `${textOf(each, "subnet")}/${textOf(each, "subnet_bits")}`,
  }));
}

export function gatewayIn(element: ConfigElement): FirewallConfig["gateways"][number] {
  return { name: said(element, "name"), interface: said(element, "interface"), address: said(element, "gateway") };
}

export function routesIn(root: ConfigElement, isOn: (route: ConfigElement) => boolean): FirewallConfig["routes"] {
  return childrenOf(child(root, "staticroutes"), "route")
    .filter(isOn)
    .map((each) => ({ network: said(each, "network"), gateway: said(each, "gateway") }));
}

/** `entries` is the product's name of the element that lists them. */
export function aliasIn(element: ConfigElement, entries: "address" | "content"): FirewallConfig["aliases"][number] {
  return {
    name: said(element, "name"),
    type: said(element, "type"),
    entries: said(element, entries)
      .split(/\s+/)
      .filter((entry) => entry !== ""),
  };
}

/** Interfaces that are switched on and have a device. */
export function interfacesIn(
  root: ConfigElement,
  isOn: (element: ConfigElement) => boolean,
): readonly FirewallInterface[] {
  return (child(root, "interfaces")?.children ?? []).flatMap((element) => {
    const device = textOf(element, "if");
    if (device === undefined || !isOn(element)) return [];
    const six = fixedAddress(element, "ipaddrv6", "subnetv6");
    const four = fixedAddress(element, "ipaddr", "subnet");
    const mac = textOf(element, "spoofmac") || undefined;
    return [
      {
        id: element.name,
        device,
        ...(six === undefined ? {} : { six }),
        ...(four === undefined ? {} : { four }),
        ...(mac === undefined ? {} : { mac }),
      },
    ];
  });
}

/** With its length; undefined for `dhcp` and the like. */
function fixedAddress(element: ConfigElement, address: string, length: string): string | undefined {
  const [text, bits] = [textOf(element, address), textOf(element, length)];
  return text === undefined || bits === undefined || bits === "" || !/^[0-9a-f.:]+$/i.test(text)
    ? undefined
    : `${text}/${bits}`;
}

/** A rule of the older kind, with a `<source>` and a `<destination>`: what OPNsense kept of the common past. */
export function placesIn(element: ConfigElement): Pick<FirewallRule, "interfaces" | "from" | "to" | "notTo" | "label"> {
  return {
    interfaces: said(element, "interface").split(","),
    from: placeIn(child(element, "source")),
    to: placeIn(child(element, "destination")),
    notTo: child(element, "destination", "not") !== undefined,
    label: said(element, "descr"),
  };
}

/** `any`, or what is named; a source that is turned round is none that an opening could have. */
function placeIn(place: ConfigElement | undefined): string {
  if (place === undefined || child(place, "any") !== undefined) return "any";
  const named = textOf(place, "address") ?? textOf(place, "network") ?? "unknown";
  return place.name === "source" && child(place, "not") !== undefined ? `not ${named}` : named;
}
