import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { LinkDesired, RouteDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import { type Claims, guestItems } from "../linux/guest-items.ts";
import { networkdSettings } from "../linux/networkctl.ts";
import { sysctlFile } from "../linux/sysctl.ts";

export const networkFolder = "/etc/systemd/network";

/** 50: before Debian's and cloud-init's catch-alls (80-, 99-); the first file that matches a link is the only one it gets. */
const fileName = /^50-sixgate-(?<link>.+)\.network$/;

export function networkPath(link: string): string {
  return `${networkFolder}/50-sixgate-${link}.network`;
}

/** The link that a file of ours in /etc/systemd/network is for; undefined for files of others. */
export function linkOfFile(name: string): string | undefined {
  return fileName.exec(name)?.groups?.["link"];
}

/**
 * Files for systemd-networkd, the same for 252 (Debian 12) and 257 (Debian 13). Forwarding is left to sysctl.d:
 * `IPForward=` lost its effect in 256, `IPv6Forwarding=` is an unknown key before it.
 */
export function render(desired: GuestDesired): readonly RenderedFile[] {
  return [
    ...desired.links.map((link, place) => ({
      path: networkPath(link.name),
      text: networkText(link, place === 0, desired.routes),
    })),
    networkdSettings,
    sysctlFile(desired),
  ];
}

export function normalize(desired: GuestDesired): readonly Item[] {
  return guestItems(desired, render(desired));
}

type Section = readonly [name: string, ...lines: string[]];

function networkText(link: LinkDesired, first: boolean, routes: readonly RouteDesired[]): string {
  const sections: Section[] = [
    // Type=ether: a VLAN or bridge on top of the link has its MAC as well.
    ["Match", ...(link.mac === undefined ? [`Name=${link.name}`] : [`MACAddress=${link.mac}`, "Type=ether"])],
    ["Link", `RequiredForOnline=${hasAddress(link) ? "routable" : "carrier"}`],
    ["Network", ...networkLines(link)],
    // An unreachable route is nobody's: it stands with the first link.
    ...routes.filter((route) => (route.kind === "unreachable" ? first : route.device === link.name)).map(routeSection),
  ];
  const head = `# ${printable(link.purpose)}. Written by sixgate; changes made here are taken back.\n`;
  return head + sections.map(([name, ...lines]) => [`[${name}]`, ...lines, ""].join("\n")).join("\n");
}

function hasAddress(link: LinkDesired): boolean {
  return link.addresses.length + link.addresses4.length > 0;
}

function networkLines(link: LinkDesired): readonly string[] {
  return [
    "LinkLocalAddressing=ipv6",
    "IPv6LinkLocalAddressGenerationMode=eui64",
    "IPv6AcceptRA=no",
    "DHCP=no",
    ...[...link.addresses, ...link.addresses4].map((address) => `Address=${address}`),
    ...link.proxies.map((proxy) => `IPv6ProxyNDPAddress=${proxy}`),
  ];
}

function routeSection(route: RouteDesired): Section {
  if (route.kind === "unreachable") return ["Route", `Destination=${route.to}`, "Type=unreachable"];
  // Without GatewayOnLink= a gateway outside the link's prefix gives no route and no error.
  return ["Route", `Destination=${route.to}`, `Gateway=${route.via}`, ...(route.onlink ? ["GatewayOnLink=yes"] : [])];
}

/** What a file of ours speaks for, whatever version of us wrote it. */
export function claimsOfFile(link: string, text: string): Claims {
  const values = (key: string): readonly string[] =>
    text.split("\n").flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1).trim()] : []));
  return {
    addresses: values("Address").map((address) => ({ link, address })),
    routes: values("Destination"),
    proxies: values("IPv6ProxyNDPAddress"),
  };
}
