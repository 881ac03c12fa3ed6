import type { GatewayDesired } from "../../desired/desired.ts";
import type { LinkDesired, RouteDesired } from "../../desired/network.ts";
import { addressOf, linkOf, parseInterfaceAddress } from "../../net/interface-address.ts";
import { baseOf, contains } from "../../net/prefix.ts";
import { canonicalAddress, canonicalPrefix, withLength } from "./canonical.ts";
import { hashOf, isMarked } from "./names.ts";
import { type ConfigElement, textOf } from "./xml.ts";
import { leaf, type Written } from "./xml-write.ts";

// What both products' configuration files have of a gateway's network: who is called what, and which address is whose.

/** The product's own names of the interfaces, by device. */
export type InterfaceIds = ReadonlyMap<string, string>;

/** By a fleet's roles, as a fresh device numbers them. */
export function usualIds({ uplink, inside, management }: GatewayDesired): InterfaceIds {
  return new Map([
    [uplink, "wan"],
    ...(management === undefined ? [] : [[management.device, "lan"] as const]),
    [inside, "opt1"],
  ]);
}

/** What a configuration has already, made by somebody else: names of gateways by `device via`, addresses, destinations. */
export type Existing = {
  readonly gateways: ReadonlyMap<string, string>;
  readonly addresses: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
};

export const nothing: Existing = { gateways: new Map(), addresses: new Set(), routes: new Set() };

export function idOf(ids: InterfaceIds, device: string): string {
  const id = ids.get(device);
  if (id === undefined) throw new RangeError(`The configuration has no interface ${device}`);
  return id;
}

/**
 * The address that the interface has by itself: one that does not go with a host, and whose network does not begin where
 * a static route begins, which the API would refuse.
 */
export function ownAddress({ addresses }: LinkDesired, routes: readonly RouteDesired[]): string | undefined {
  const targets = routes.filter(isStatic).flatMap((route) => (route.kind === "unicast" ? [route.to] : []));
  const free = (text: string, alone: boolean): boolean => {
    const parsed = parseInterfaceAddress(text);
    if (parsed === undefined) return false;
    return !targets.some((to) => baseOf(to) === baseOf(linkOf(parsed)) || (alone && contains(to, addressOf(parsed))));
  };
  return addresses.find((each) => free(each, true)) ?? addresses.find((each) => free(each, false)) ?? addresses[0];
}

export function vipsOf({ addresses }: LinkDesired, own: string | undefined): readonly string[] {
  return addresses.filter((each) => each !== own);
}

export type Hop = { readonly device: string; readonly via: string };

export function hopsOf(routes: readonly RouteDesired[]): readonly Hop[] {
  const found = new Map<string, Hop>();
  for (const route of routes) if (route.kind !== "unreachable") found.set(hopText(route), route);
  return [...found.values()];
}

export function hopText({ device, via }: Hop): string {
  return `${device} ${via}`;
}

/** As the driver names it, or as somebody else did. */
export function gatewayNameOf(hop: Hop, { gateways }: Existing = nothing): string {
  return gateways.get(hopText(hop)) ?? `sg_${hashOf(hopText(hop))}`;
}

export function isStatic(route: RouteDesired): boolean {
  return !["::/0", "0.0.0.0/0"].includes(route.to);
}

/**
 * What an interface should have, as children of its element; next hops by the names of their gateways. `on` is the text
 * that switches it on: empty on pfSense, 1 on OPNsense.
 */
export function interfaceChildren(
  link: LinkDesired,
  routes: readonly RouteDesired[],
  on: string,
  existing: Existing = nothing,
): readonly Written[] {
  const own = ownAddress(link, routes);
  const [four] = link.addresses4;
  const hop = (to: string): readonly string[] =>
    routes.flatMap((route) =>
      String(route.to) === to && route.kind !== "unreachable" && route.device === link.name
        ? [gatewayNameOf(route, existing)]
        : [],
    );
  return [
    leaf("enable", on),
    leaf("if", link.name),
    ...(link.mac === undefined ? [] : [leaf("spoofmac", link.mac)]),
    ...addressElements(four, "ipaddr", "subnet"),
    ...hop("0.0.0.0/0").map((name) => leaf("gateway", name)),
    ...addressElements(own, "ipaddrv6", "subnetv6"),
    ...hop("::/0").map((name) => leaf("gatewayv6", name)),
  ];
}

function addressElements(address: string | undefined, name: string, length: string): readonly Written[] {
  if (address === undefined) return [];
  const [text = "", bits = ""] = address.split("/");
  return [leaf(name, text), leaf(length, bits)];
}

/** The elements of a configuration that {@link Existing} is made of. */
export type Elements = {
  readonly gateways: readonly ConfigElement[];
  readonly vips: readonly ConfigElement[];
  readonly routes: readonly ConfigElement[];
};

/** What others made that is just what we would make: it stays theirs. */
export function existingAmong({ gateways, vips, routes }: Elements, ids: InterfaceIds): Existing {
  const theirs = (all: readonly ConfigElement[]): readonly ConfigElement[] =>
    all.filter((each) => !isMarked(textOf(each, "descr") ?? ""));
  const devices = new Map([...ids].map(([device, id]) => [id, device]));
  return {
    gateways: new Map(
      theirs(gateways).map((each) => [
        `${devices.get(textOf(each, "interface") ?? "") ?? ""} ${canonicalAddress(textOf(each, "gateway") ?? "")}`,
        textOf(each, "name") ?? "",
      ]),
    ),
    addresses: new Set(theirs(vips).map((each) => withLength(textOf(each, "subnet"), textOf(each, "subnet_bits")))),
    routes: new Set(theirs(routes).map((each) => canonicalPrefix(textOf(each, "network") ?? ""))),
  };
}
