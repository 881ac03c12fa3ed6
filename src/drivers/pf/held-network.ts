import { type Item, type Value } from "../../change/item.ts";
import type { LinkDesired } from "../../desired/network.ts";
import { canonicalAddress, canonicalPrefix, withLength } from "./canonical.ts";
import { inTheWay, type Wanted } from "./held.ts";
import { structure } from "./items.ts";
import { isMarked } from "./names.ts";

/** A virtual IP. */
export type VipRow = {
  readonly interface: string;
  readonly mode: string;
  readonly subnet: string;
  readonly subnet_bits?: string | number | undefined;
  readonly descr?: string | undefined;
};

/** An address that routes lead to; none where it comes by DHCP and the like. */
export type HopRow = {
  readonly name: string;
  readonly interface: string;
  readonly gateway?: string | undefined;
  readonly descr?: string | undefined;
  readonly disabled: boolean;
};

/** A static route, to a gateway by its name. */
export type RouteRow = {
  readonly network: string;
  readonly gateway?: string | undefined;
  readonly descr?: string | undefined;
  readonly on: boolean;
};

/** Addresses of an interface itself with their lengths; `dhcp` and the like as they are. */
export type OwnAddresses = { readonly six?: string; readonly four?: string };

/** What a device has of a gateway's network, by the names that both products give the fields. */
export type HeldNetwork = {
  readonly vips: readonly VipRow[];
  readonly hops: readonly HopRow[];
  readonly routes: readonly RouteRow[];
  /** The kernel's name of an interface that an object names. */
  readonly deviceOf: (named: string) => string;
  /** By the kernel's name. */
  readonly ownAddresses: (device: string) => OwnAddresses;
};

/** Who asks: the device's name and its links as they should be. */
export type Asked = { readonly device: string; readonly links: readonly LinkDesired[]; readonly wanted: Wanted };

/** Addresses of the links themselves and virtual IPs: ours, and somebody's that are just as wanted. */
export function addressItems(held: HeldNetwork, { device, links, wanted }: Asked): readonly Item[] {
  const items = new Map<string, Item>();
  const put = (key: string): void => void items.set(key, structure(key, true));
  for (const { name, addresses4 } of links) {
    const { four, six } = held.ownAddresses(name);
    for (const found of [six, addresses4.length > 0 ? four : undefined])
      if (found !== undefined) put(`address ${name} ${found}`);
  }
  const byAddress = new Map(
    [...wanted.keys()].filter((key) => key.startsWith("address ")).map((key) => [bareOf(key), key]),
  );
  for (const vip of held.vips) {
    const key = `address ${held.deviceOf(vip.interface)} ${vipAddress(vip)}`;
    const other = byAddress.get(canonicalAddress(vip.subnet));
    if (isMarked(vip.descr ?? "") || (wanted.has(key) && vip.mode === "ipalias")) put(key);
    else if (other !== undefined)
      throw inTheWay(
        device,
        `Virtual IP ${vip.subnet}/${vip.subnet_bits} ("${vip.descr ?? ""}") is not ours, and we need "${other}"`,
      );
  }
  return [...items.values()];
}

/** `address vtnet2 2001:db8::1/80` → `2001:db8::1`. */
function bareOf(key: string): string {
  return key.slice(key.lastIndexOf(" ") + 1).replace(/\/\d+$/, "");
}

export function vipAddress(vip: Pick<VipRow, "subnet" | "subnet_bits">): string {
  return withLength(vip.subnet, vip.subnet_bits);
}

/** Virtual IPs of ours on one interface, with their lengths. */
export function ownVips({ vips, deviceOf }: HeldNetwork, device: string): readonly string[] {
  return vips.filter((vip) => isMarked(vip.descr ?? "") && deviceOf(vip.interface) === device).map(vipAddress);
}

export function gatewayItems({ hops, deviceOf }: HeldNetwork, wanted: Wanted): readonly Item[] {
  const items = hops.flatMap((row) => {
    const key = `gateway ${deviceOf(row.interface)} ${canonicalAddress(row.gateway ?? "dynamic")}`;
    const ours = isMarked(row.descr ?? "");
    return ours || wanted.has(key) ? [structure(key, row.disabled ? "disabled" : true)] : [];
  });
  return onePerKey(items);
}

/** `defaults` are the default routes, which each product knows in a way of its own. */
export function routeItems(
  held: HeldNetwork,
  { device, wanted }: Pick<Asked, "device" | "wanted">,
  defaults: readonly Item[],
): readonly Item[] {
  const items = held.routes.flatMap((row) => {
    const key = `route ${canonicalPrefix(row.network)}`;
    const value = row.on ? hopValue(held, row.gateway) : "disabled";
    const same = JSON.stringify(wanted.get(key)) === JSON.stringify(value);
    if (isMarked(row.descr ?? "") || same) return [structure(key, value)];
    if (!wanted.has(key)) return [];
    throw inTheWay(
      device,
      `Route ${row.network} via ${row.gateway ?? "nothing"} is not ours, and leads elsewhere than planned`,
    );
  });
  return onePerKey([...defaults, ...items]);
}

/** The same twice, as a configuration may have it, would be a key twice: pf's own table has one. */
function onePerKey(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [item.key, item])).values()];
}

/** Where a route leads that names a gateway. */
export function hopValue({ hops, deviceOf }: HeldNetwork, name: string | undefined): Value {
  if (name === "Null6" || name === "Null4") return "unreachable";
  const row = hops.find((each) => each.name === name);
  if (row?.gateway === undefined) return `via ${name ?? "nothing"}`;
  return { via: canonicalAddress(row.gateway), device: deviceOf(row.interface) };
}

/** Whether the kernel has our routes. `there`: its destinations with their next hops. */
export function routesAreIn(held: HeldNetwork, there: ReadonlyMap<string, string>): boolean {
  return held.routes
    .filter((row) => isMarked(row.descr ?? "") && row.on)
    .every((row) => {
      const hop = there.get(canonicalPrefix(row.network));
      if (hopValue(held, row.gateway) === "unreachable") return hop !== undefined;
      const via = held.hops.find((each) => each.name === row.gateway)?.gateway;
      return hop !== undefined && hop === canonicalAddress(via ?? "");
    });
}
