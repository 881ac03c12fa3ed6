import { compareKeys } from "../../base/order.ts";
import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired, GatewayNetwork } from "../../desired/desired.ts";
import type { RouteDesired } from "../../desired/network.ts";
import type { PfAlias, PfPlace, PfRule } from "./model.ts";
import { modelOf } from "./policy.ts";

/** The settings of the kernel that keep neighbours from moving routes. */
export const tunables: Readonly<Record<string, string>> = {
  "net.inet6.icmp6.rediraccept": "0",
  "net.inet6.ip6.redirect": "0",
};

/** What runs as it is configured: pf's rules, its tables, routes, addresses. A device without a shell can't say it all. */
export type InForce = Readonly<Record<"addresses" | "routes" | "rules" | "tables", boolean>>;

export const allInForce: InForce = { addresses: true, routes: true, rules: true, tables: true };

/**
 * Everything that both products hold for a gateway, in the form that both drivers observe. Sorted by key. `nowhere`:
 * whether a route to nowhere can be set. Where it can't, the filter alone drops what it would have caught.
 */
export function itemsOf(desired: GatewayDesired, { nowhere }: { readonly nowhere: boolean }): readonly Item[] {
  const { aliases, rules } = modelOf(desired);
  return sorted([
    ...aliases.flatMap(aliasItems),
    ...rules.map(ruleItem),
    ...networkItems(networkOf(desired), nowhere),
    ...(desired.nat4 === undefined
      ? []
      : [natItem(desired.nat4.from, desired.nat4.uplink), structure("nat4 mode", "in use")]),
    ...Object.entries(tunables).map(([name, value]) => structure(`tunable ${name}`, value)),
    inForceItem(allInForce),
  ]);
}

/** Throws a RangeError for a gateway of another kind: `derive` gives links and routes to these. */
export function networkOf({ device, network }: GatewayDesired): GatewayNetwork {
  if (network === undefined) throw new RangeError(`${device} has its links and routes elsewhere`);
  return network;
}

export function structure(key: string, value: Value): Item {
  return { key, value, lane: "structure" };
}

export function sorted(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => compareKeys(a.key, b.key));
}

export function aliasItems({ name, type, entries, lane }: PfAlias): readonly Item[] {
  if (lane === "structure")
    return [structure(`alias ${name}`, { type, entries: entries.map(withoutFullLength).sort(compareKeys) })];
  return [structure(`alias ${name}`, { type }), ...entries.map((each) => entryItem(name, each))];
}

/** As pf shows it: a prefix of one address is that address. */
function withoutFullLength(entry: string): string {
  return entry.replace(/\/128$/, "");
}

export function entryItem(alias: string, address: string): Item {
  return { key: `entry ${alias} ${address}`, value: true, lane: "members" };
}

export function ruleItem({ name, action, first, on, match, from, to }: PfRule): Item {
  return structure(`rule ${name}`, {
    action,
    on,
    from: placeText(from),
    to: placeText(to),
    match: matchText(match),
    ...(first ? { first } : {}),
  });
}

export function placeText({ not, is }: PfPlace): string {
  return `${not ? "!" : ""}${is}`;
}

export function matchText(match: PfRule["match"]): string {
  switch (match.kind) {
    case "any":
      return "any";
    case "echo":
      return "echo";
    case "transports":
      return "tcp udp";
    case "ports": {
      const { transport, first, last } = match;
      return `${transport} ${first === last ? first : `${first}-${last}`}`;
    }
  }
}

/** Where a route leads, as a value. */
export function routeValue(route: RouteDesired): Value {
  return route.kind === "unreachable" ? "unreachable" : { via: route.via, device: route.device };
}

export function natItem(from: string, device: string): Item {
  return structure(`nat4 ${from}`, { device });
}

export function inForceItem(state: InForce): Item {
  return structure("in force", { ...state });
}

function networkItems({ links, routes }: GatewayNetwork, nowhere: boolean): readonly Item[] {
  const gateways = new Map<string, Item>();
  for (const route of routes) {
    if (route.kind === "unreachable") continue;
    const key = `gateway ${route.device} ${route.via}`;
    gateways.set(key, structure(key, true));
  }
  return [
    ...links.flatMap(({ name, mac, addresses, addresses4 }) => [
      ...(mac === undefined ? [] : [structure(`mac ${name}`, mac)]),
      ...[...addresses, ...addresses4].map((each) => structure(`address ${name} ${each}`, true)),
    ]),
    ...gateways.values(),
    ...routes
      .filter((route) => nowhere || route.kind !== "unreachable")
      .map((route) => structure(`route ${route.to}`, routeValue(route))),
  ];
}
