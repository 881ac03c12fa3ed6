import { compareKeys } from "../../change/diff.ts";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { RouteDesired } from "../../desired/network.ts";
import type { RenderedFile } from "../driver.ts";
import { sysctlsOf, sysctlValue } from "./sysctl.ts";

/** What files or a plan speak for on a machine: the things that a read looks for, whoever made them. */
export type Claims = {
  readonly addresses: readonly { readonly link: string; readonly address: string }[];
  /** Destinations as prefixes. */
  readonly routes: readonly string[];
  readonly proxies: readonly string[];
};

/** An address in use; anything else than this word is what is wrong with it. */
export const addressInUse = "in use";

export function addressKey(link: string, address: string): string {
  return `address ${link} ${address}`;
}

export function routeKey(to: string): string {
  return `route ${to}`;
}

export function proxyKey(address: string): string {
  return `proxy ${address}`;
}

export function sysctlKey(key: string): string {
  return `sysctl ${key}`;
}

export function fileKey(path: string): string {
  return `file ${path}`;
}

/** A route as a read shows it, `onlink` left out: with a gateway on the link it changes nothing. */
export function routeValue(route: RouteDesired): string {
  return route.kind === "unreachable" ? "unreachable" : `via ${route.via} dev ${route.device}`;
}

/** The text that a guest's item has for its value; other plain data as JSON. */
export function textOf(value: Item["value"]): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function structure(key: string, value: Item["value"]): Item {
  return { key, value, lane: "structure" };
}

export function inOrder(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => compareKeys(a.key, b.key));
}

export function claimsOf(desired: GuestDesired): Claims {
  return {
    addresses: desired.links.flatMap((link) =>
      [...link.addresses, ...link.addresses4].map((address) => ({ link: link.name, address })),
    ),
    routes: desired.routes.map(({ to }) => to),
    proxies: desired.links.flatMap(({ proxies }) => proxies),
  };
}

/** What a machine shows when files and kernel are as planned: files first made by the tool's own conversion. */
export function guestItems(desired: GuestDesired, files: readonly RenderedFile[]): readonly Item[] {
  return inOrder([
    ...files.map(({ path, text }) => structure(fileKey(path), text)),
    ...claimsOf(desired).addresses.map(({ link, address }) => structure(addressKey(link, address), addressInUse)),
    ...desired.routes.map((route) => structure(routeKey(route.to), routeValue(route))),
    ...desired.links.flatMap(({ name, proxies }) => proxies.map((proxy) => structure(proxyKey(proxy), `dev ${name}`))),
    ...sysctlsOf(desired).map(({ key, value }) => structure(sysctlKey(key), sysctlValue(value))),
  ]);
}
