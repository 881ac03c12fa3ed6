import { parse, stringify } from "yaml";
import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { LinkDesired, RouteDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import { type Claims, guestItems } from "../linux/guest-items.ts";
import { networkdSettings } from "../linux/networkctl.ts";
import { sysctlFile } from "../linux/sysctl.ts";

export const netplanPath = "/etc/netplan/60-sixgate.yaml";
export const networkFolder = "/etc/systemd/network";
export const dropInName = "60-sixgate.conf";

const dropInFolder = /^10-netplan-(?<link>.+)\.network\.d$/;

/** networkd merges it into the file that netplan generates for the link; systemd.network(5), drop-in directories. */
export function dropInPath(link: string): string {
  return `${networkFolder}/10-netplan-${link}.network.d/${dropInName}`;
}

/** The link of a drop-in folder; undefined for other names. */
export function linkOfDropIn(name: string): string | undefined {
  return dropInFolder.exec(name)?.groups?.["link"];
}

/**
 * netplan's own file, and what netplan (up to 1.1 at least) has no key for: how the link-local address is made
 * (`ipv6-address-generation: eui64` leaves no line behind), proxied addresses, forwarding.
 */
export function render(desired: GuestDesired): readonly RenderedFile[] {
  return [
    { path: netplanPath, text: netplanText(desired), mode: 0o600 },
    ...desired.links.map((link) => ({ path: dropInPath(link.name), text: dropInText(link) })),
    networkdSettings,
    sysctlFile(desired),
  ];
}

export function normalize(desired: GuestDesired): readonly Item[] {
  return guestItems(desired, render(desired));
}

function netplanText(desired: GuestDesired): string {
  const ethernets = desired.links.map(
    (link, place) => [link.name, ethernet(link, place === 0, desired.routes)] as const,
  );
  const network = { version: 2, renderer: "networkd", ethernets: Object.fromEntries(ethernets) };
  const purposes = desired.links.map(({ name, purpose }) => `# ${name}: ${printable(purpose)}\n`);
  const head = "# Written by sixgate; changes made here are taken back.\n";
  return head + purposes.join("") + stringify({ network }, { lineWidth: 0 });
}

/** No `match:`: netplan 1.1 turns a MAC into PermanentMACAddress=, which links without hardware do not have. */
function ethernet(link: LinkDesired, first: boolean, routes: readonly RouteDesired[]): object {
  const here = routes.filter((route) => (route.kind === "unreachable" ? first : route.device === link.name));
  const addresses = [...link.addresses, ...link.addresses4];
  return {
    dhcp4: false,
    dhcp6: false,
    "accept-ra": false,
    "link-local": ["ipv6"],
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(here.length === 0 ? {} : { routes: here.map(routeEntry) }),
  };
}

/** An unreachable route has no `via`: with `::` netplan would write a gateway. Default routes as `::/0`: gateway6 is deprecated. */
function routeEntry(route: RouteDesired): object {
  if (route.kind === "unreachable") return { to: route.to, type: "unreachable" };
  return { to: route.to, via: route.via, ...(route.onlink ? { "on-link": true } : {}) };
}

function dropInText(link: LinkDesired): string {
  const lines = [
    "# What netplan has no key for. Written by sixgate; changes made here are taken back.",
    "[Network]",
    "IPv6LinkLocalAddressGenerationMode=eui64",
    ...link.proxies.map((proxy) => `IPv6ProxyNDPAddress=${proxy}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** What a netplan file of ours speaks for; nothing where it can't be understood (it is replaced then). */
export function claimsOfNetplan(text: string): Claims {
  const ethernets = Object.entries(record(record(record(read(text))["network"])["ethernets"]));
  return {
    addresses: ethernets.flatMap(([link, entry]) =>
      texts(record(entry)["addresses"]).map((address) => ({ link, address })),
    ),
    routes: ethernets.flatMap(([, entry]) =>
      list(record(entry)["routes"]).flatMap((route) => texts([record(route)["to"]])),
    ),
    proxies: [],
  };
}

export function proxiesOfDropIn(text: string): readonly string[] {
  return [...text.matchAll(/^IPv6ProxyNDPAddress=(\S+)$/gm)].flatMap(([, address]) =>
    address === undefined ? [] : [address],
  );
}

function read(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): readonly string[] {
  return list(value).filter((each) => typeof each === "string");
}
