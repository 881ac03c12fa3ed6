import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { LinkDesired, RouteDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import { type Claims, guestItems } from "../linux/guest-items.ts";
import { procPath, sysctlFile, sysctlsOfLink } from "../linux/sysctl.ts";

export const interfacesFolder = "/etc/network/interfaces.d";
export const guestPath = `${interfacesFolder}/60-sixgate`;

/**
 * One file that ifupdown 0.8 and ifupdown2 3.0 both read. Routes and proxies are commands: neither tool has words for
 * unreachable routes, and `gateway` means different routes to them.
 */
export function render(desired: GuestDesired): readonly RenderedFile[] {
  const stanzas = desired.links.map((link, place) => stanzasOf(link, place === 0, desired.routes));
  const text = ["# Written by sixgate; changes made here are taken back.\n", ...stanzas].join("\n");
  return [{ path: guestPath, text }, sysctlFile(desired)];
}

export function normalize(desired: GuestDesired): readonly Item[] {
  return guestItems(desired, render(desired));
}

/** The commands stand in the link's last stanza, where all of its addresses are there. */
function stanzasOf(link: LinkDesired, first: boolean, routes: readonly RouteDesired[]): string {
  const addresses = [
    ...link.addresses.map((address) => [`iface ${link.name} inet6 static`, `address ${address}`]),
    ...link.addresses4.map((address) => [`iface ${link.name} inet static`, `address ${address}`]),
  ];
  const stanzas =
    addresses.length > 0 ? addresses : [[`iface ${link.name} inet6 manual`, `up ip link set dev ${link.name} up`]];
  const commands = commandsOf(link, first, routes);
  const lines = stanzas.flatMap(([head = "", ...options], place) => [
    head,
    ...[...options, ...(place === stanzas.length - 1 ? commands : [])].map((option) => `\t${option}`),
  ]);
  return [`# ${printable(link.purpose)}`, `auto ${link.name}`, ...lines, ""].join("\n");
}

function commandsOf(link: LinkDesired, first: boolean, routes: readonly RouteDesired[]): readonly string[] {
  return [
    // With slashes: a dot in the name of a VLAN stays a dot.
    ...sysctlsOfLink(link).map(
      ({ key, value }) => `post-up sysctl -q -w ${procPath(key).slice("/proc/sys/".length)}=${value}`,
    ),
    ...routes.flatMap((route) => {
      if (route.kind === "unreachable") return first ? unreachableLines(route.to) : [];
      return route.device === link.name ? [`post-up ${replaceRoute(route).join(" ")}`] : [];
    }),
    ...link.proxies.flatMap((proxy) => [
      `post-up ip -6 neigh replace proxy ${proxy} dev ${link.name}`,
      `pre-down ip -6 neigh del proxy ${proxy} dev ${link.name} || true`,
    ]),
  ];
}

function unreachableLines(to: string): readonly string[] {
  return [`post-up ip -6 route replace unreachable ${to}`, `pre-down ip -6 route del unreachable ${to} || true`];
}

/** The command that makes a route, or makes it right. */
export function replaceRoute(route: RouteDesired): readonly string[] {
  if (route.kind === "unreachable") return ["ip", "-6", "route", "replace", "unreachable", route.to];
  const family = route.kind === "unicast4" ? "-4" : "-6";
  const onlink = route.onlink ? ["onlink"] : [];
  return ["ip", family, "route", "replace", route.to, "via", route.via, "dev", route.device, ...onlink];
}

/** What a file of ours speaks for. */
export function claimsOfInterfaces(text: string): Claims {
  const addresses: { link: string; address: string }[] = [];
  const routes: string[] = [];
  const proxies: string[] = [];
  let link = "";
  for (const line of text.split("\n")) {
    const [word = "", ...rest] = line.trim().split(/\s+/);
    if (word === "iface") link = rest[0] ?? "";
    else if (word === "address" && rest[0] !== undefined) addresses.push({ link, address: rest[0] });
    else if (word === "post-up") {
      const route = /^ip -[46] route replace (?:unreachable )?(\S+)/.exec(rest.join(" "))?.[1];
      const proxy = /^ip -6 neigh replace proxy (\S+)/.exec(rest.join(" "))?.[1];
      if (route !== undefined) routes.push(route);
      if (proxy !== undefined) proxies.push(proxy);
    }
  }
  return { addresses, routes, proxies };
}
