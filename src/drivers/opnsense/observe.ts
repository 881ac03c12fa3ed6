import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalPrefix } from "../pf/canonical.ts";
import { aliasItemsOf, inTheWay, isOwnAlias, numberCopies, tunableItems } from "../pf/held.ts";
import { addressItems, gatewayItems, type HeldNetwork, hopValue, routeItems } from "../pf/held-network.ts";
import { type InForce, inForceItem, natItem, networkOf, sorted, structure } from "../pf/items.ts";
import { isLaneRule, isMarked, mark } from "../pf/names.ts";
import type { Target } from "../pf/target.ts";
import { normalize, parseRule, sequences } from "./convert.ts";
import {
  deviceOf,
  entriesOf,
  gatewayOn,
  interfaceOn,
  macOf,
  networkIn,
  type Reading,
  type RuleRow,
  type SnatRow,
  type TunableRow,
} from "./reading.ts";

/**
 * What the device holds of ours, as items. Ours is what carries our mark; the settings of the two interfaces that the
 * fleet file names; and what somebody else made that is exactly as wanted, which is left to them. Rejects with E555
 * where something of somebody else stands in the way: it is never changed.
 */
export function itemsIn(reading: Reading, desired: GatewayDesired, inForce: InForce): readonly Item[] {
  const wanted = new Map(normalize(desired).map(({ key, value }) => [key, value]));
  const held = networkIn(reading);
  const asked = { device: desired.device, links: networkOf(desired).links, wanted };
  refuseForerunners(reading, desired);
  return sorted([
    ...interfaceItems(reading, desired),
    ...addressItems(held, asked),
    ...gatewayItems(held, wanted),
    ...routeItems(held, asked, defaultRoutes(reading, held, desired)),
    ...reading.aliases
      .filter((row) => isOwnAlias(row.name, row.description, wanted))
      .flatMap(({ name, type, enabled, ...row }) =>
        aliasItemsOf(name, { type, ...(enabled ? {} : { enabled }) }, entriesOf(row)),
      ),
    ...numberCopies(ownRules(reading.rules).map((row) => parseRule(reading, row, nameOf(row)))),
    ...natItems(reading),
    ...tunableItems(
      reading.tunables.filter(isSet).map((row) => ({ ...row, value: row.value ?? "default" })),
      wanted,
    ),
    inForceItem(inForce),
  ]);
}

/** A rule of somebody else that lets packets pass before our blocks are asked. */
function refuseForerunners({ rules, ...reading }: Reading, desired: GatewayDesired): void {
  const links = new Set(networkOf(desired).links.map(({ name }) => name));
  const found = rules.find(
    (row) =>
      row.uuid !== undefined &&
      row.enabled &&
      row.action === "pass" &&
      !isMarked(row.description ?? "") &&
      row.sequence <= sequences.first &&
      links.has(deviceOf(reading, row.interface ?? "")),
  );
  if (found === undefined) return;
  throw inTheWay(
    desired.device,
    `Rule "${found.description ?? found.uuid}" on ${found.interface} has sequence ${found.sequence}, and so is asked before our blocks: give it one above ${sequences.first}`,
  );
}

/** Whether there is an interface at all shows in that there is an item. */
function interfaceItems(reading: Reading, desired: GatewayDesired): readonly Item[] {
  return networkOf(desired).links.flatMap(({ name, mac }) => {
    const row = interfaceOn(reading, name);
    if (row === undefined) return [];
    const found = macOf(row);
    return [
      structure(`interface ${name}`, { enabled: row.enabled }),
      ...(mac === undefined || found === undefined ? [] : [structure(`mac ${name}`, found)]),
    ];
  });
}

/**
 * The default route is whichever gateway the device prefers. One that nobody called upstream is a guess of the product's,
 * and may be a host.
 */
function defaultRoutes(reading: Reading, held: HeldNetwork, desired: GatewayDesired): readonly Item[] {
  const { routes } = networkOf(desired);
  return (["::/0", "0.0.0.0/0"] as const)
    .filter((to) => routes.some((route) => String(route.to) === to))
    .map((to) => {
      const family = to === "::/0" ? "inet6" : "inet";
      const row = reading.gateways.find((each) => each.ipprotocol === family && each.defaultgw);
      const value = row === undefined ? "none" : row.upstream ? hopValue(held, row.name) : "automatic";
      return structure(`route ${to}`, value);
    });
}

export type OwnRule = RuleRow & { readonly uuid: string };

/** Of structure: not those of the members lane. */
export function ownRules(rules: readonly RuleRow[]): readonly OwnRule[] {
  return rules.flatMap(({ uuid, ...row }) =>
    uuid !== undefined && isMarked(row.description ?? "") && !isLaneRule(nameOf(row)) ? [{ ...row, uuid }] : [],
  );
}

export function nameOf(row: Pick<RuleRow, "description">): string {
  return (row.description ?? "").slice(mark.length);
}

function natItems(reading: Reading): readonly Item[] {
  return reading.snat
    .filter((row) => isMarked(row.description ?? ""))
    .map((row) => {
      const item = natItem(canonicalPrefix(row.source_net ?? "any"), deviceOf(reading, row.interface ?? ""));
      return isPlainSnat(row) ? item : { ...item, value: "changed" };
    });
}

/** Everything from its source, to the interface's own address. */
export function isPlainSnat(row: SnatRow): boolean {
  return (
    row.enabled &&
    !row.nonat &&
    !row.source_not &&
    !row.destination_not &&
    (row.protocol ?? "any") === "any" &&
    (row.destination_net ?? "any") === "any" &&
    row.target === `${row.interface}ip`
  );
}

/** Rows of tunables that nobody set have their names in place of uuids. */
export function isSet({ uuid, tunable }: TunableRow): boolean {
  return uuid !== tunable;
}

/** The name of the gateway by which a route is to lead somewhere. */
export function hopName(reading: Reading, value: Value | undefined): string | undefined {
  if (value === "unreachable") return "Null6";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { via, device } = value as { readonly [key: string]: Value };
  return typeof via === "string" && typeof device === "string" ? gatewayOn(reading, device, via)?.name : undefined;
}

/** Whether a next hop is to be that of a default route. */
export function isDefaultHop(target: Target, device: string, via: string): boolean {
  const wanted = JSON.stringify({ via, device });
  return ["route ::/0", "route 0.0.0.0/0"].some((key) => JSON.stringify(target.value(key)) === wanted);
}
