import type { Item } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { aliasItemsOf, isOwnAlias, numberCopies, tunableItems } from "../pf/held.ts";
import { addressItems, gatewayItems, type HeldNetwork, hopValue, routeItems } from "../pf/held-network.ts";
import { type InForce, inForceItem, natItem, networkOf, sorted, structure } from "../pf/items.ts";
import { isLaneRule, isMarked, mark } from "../pf/names.ts";
import { normalize, parseRule } from "./convert.ts";
import {
  deviceOf,
  entriesOf,
  interfaceOn,
  type MappingRow,
  macOf,
  networkIn,
  type Reading,
  type RuleRow,
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
  return sorted([
    ...interfaceItems(reading, desired),
    ...addressItems(held, asked),
    ...gatewayItems(held, wanted),
    ...routeItems(held, asked, defaultRoutes(reading, held, desired)),
    ...reading.aliases
      .filter((row) => isOwnAlias(row.name, row.descr, wanted))
      .flatMap((row) => aliasItemsOf(row.name, { type: row.type }, entriesOf(row))),
    ...ruleItems(reading),
    ...natItems(reading),
    ...tunableItems(reading.tunables, wanted),
    inForceItem(inForce),
  ]);
}

/** Settings that an interface has once; whether it is there at all shows in `assigned`. */
function interfaceItems(reading: Reading, desired: GatewayDesired): readonly Item[] {
  return networkOf(desired).links.flatMap(({ name, mac }) => {
    const row = interfaceOn(reading, name);
    if (row === undefined) return [];
    const found = macOf(reading, row);
    return [
      structure(`interface ${name}`, {
        enabled: row.enable,
        gateway4: hopNamed(reading, row.gateway),
        gateway6: hopNamed(reading, row.gatewayv6),
      }),
      ...(mac === undefined || found === undefined ? [] : [structure(`mac ${name}`, found)]),
    ];
  });
}

/** The address of a gateway by its name, as an interface or a route has it. */
function hopNamed(reading: Reading, name: string | undefined): string | null {
  if (name === undefined || name === "none") return null;
  const found = reading.gateways.find((each) => each.name === name);
  return found?.gateway === undefined ? `? ${name}` : canonicalAddress(found.gateway);
}

function defaultRoutes({ defaults }: Reading, held: HeldNetwork, desired: GatewayDesired): readonly Item[] {
  const { routes } = networkOf(desired);
  const ways = [
    { to: "::/0", name: defaults.defaultgw6 },
    { to: "0.0.0.0/0", name: defaults.defaultgw4 },
  ];
  return ways
    .filter(({ to }) => routes.some((route) => String(route.to) === to))
    .map(({ to, name }) =>
      structure(`route ${to}`, name === undefined ? "automatic" : name === "-" ? "none" : hopValue(held, name)),
    );
}

/** Ours by their descriptions. */
function ruleItems(reading: Reading): readonly Item[] {
  return [
    ...numberCopies(ownRules(reading.rules).map((row) => parseRule(reading, row, nameOf(row)))),
    structure("rule trackers", sharedTrackers(reading.rules) === 0 ? "unique" : "shared"),
  ];
}

export function ownRules(rules: readonly RuleRow[]): readonly RuleRow[] {
  return rules.filter((row) => isMarked(row.descr ?? "") && !isLaneRule(nameOf(row)));
}

export function nameOf(row: Pick<RuleRow, "descr">): string {
  return (row.descr ?? "").slice(mark.length);
}

/** How many of our rules have a tracker that another rule has too, or none. */
function sharedTrackers(rules: readonly RuleRow[]): number {
  const count = new Map<number, number>();
  for (const { tracker } of rules) if (tracker !== undefined) count.set(tracker, (count.get(tracker) ?? 0) + 1);
  return rules.filter(
    (row) => isMarked(row.descr ?? "") && (row.tracker === undefined || (count.get(row.tracker) ?? 0) > 1),
  ).length;
}

function natItems(reading: Reading): readonly Item[] {
  return [
    ...reading.mappings
      .filter((row) => isMarked(row.descr ?? ""))
      .map((row) => {
        const item = natItem(canonicalPrefix(row.source), deviceOf(reading, row.interface));
        return isPlainMapping(reading, row) ? item : { ...item, value: "changed" };
      }),
    // Both let mappings of ours work; the others don't.
    structure("nat4 mode", reading.natMode === "hybrid" || reading.natMode === "advanced" ? "in use" : reading.natMode),
  ];
}

/** Everything from its source, to the interface's own address. */
export function isPlainMapping(reading: Pick<Reading, "interfaces">, row: MappingRow): boolean {
  const target = row.target?.replace(/:ip$/, "");
  return (
    !row.disabled &&
    !row.nonat &&
    row.protocol === undefined &&
    (row.destination ?? "any") === "any" &&
    (target === undefined || deviceOf(reading, target) === deviceOf(reading, row.interface))
  );
}
