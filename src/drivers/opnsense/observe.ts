import { Failure } from "../../base/failure.ts";
import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalAddress, canonicalPrefix } from "../pf/canonical.ts";
import { entryItem, type InForce, inForceItem, natItem, networkOf, sorted, structure, tunables } from "../pf/items.ts";
import { isAliasOfLane, isLaneAlias, isLaneRule, isMarked, mark } from "../pf/names.ts";
import type { Target } from "../pf/target.ts";
import { normalize, parseRule, sequences } from "./convert.ts";
import {
  type AliasRow,
  deviceOf,
  entriesOf,
  gatewayOn,
  interfaceOn,
  isOn,
  macOf,
  ownAddresses,
  type Reading,
  type RuleRow,
  type SnatRow,
  type TunableRow,
  vipAddress,
} from "./reading.ts";

/**
 * What the device holds of ours, as items. Ours is what carries our mark; the settings of the two interfaces that the
 * fleet file names; and what somebody else made that is exactly as wanted, which is left to them. Rejects with E555
 * where something of somebody else stands in the way: it is never changed.
 */
export function itemsIn(reading: Reading, desired: GatewayDesired, inForce: InForce): readonly Item[] {
  const wanted = new Map(normalize(desired).map(({ key, value }) => [key, value]));
  refuseForerunners(reading, desired);
  return sorted([
    ...interfaceItems(reading, desired),
    ...addressItems(reading, desired, wanted),
    ...gatewayItems(reading, wanted),
    ...routeItems(reading, desired, wanted),
    ...ownAliases(reading, wanted).flatMap(aliasItemsOf),
    ...ruleItems(reading),
    ...natItems(reading),
    ...tunableItems(reading, wanted),
    inForceItem(inForce),
  ]);
}

type Wanted = ReadonlyMap<string, Value>;

function inTheWay(at: string, text: string): Failure {
  return new Failure(
    "E555",
    at,
    text,
    "remove it, or make it as the plan has it; sixgate changes nothing that is not its own",
  );
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

function addressItems(reading: Reading, desired: GatewayDesired, wanted: Wanted): readonly Item[] {
  const items = new Map<string, Item>();
  const put = (key: string): void => void items.set(key, structure(key, true));
  for (const { name, addresses4 } of networkOf(desired).links) {
    const row = interfaceOn(reading, name);
    const { four, six } = row === undefined ? {} : ownAddresses(row);
    for (const found of [six, addresses4.length > 0 ? four : undefined])
      if (found !== undefined) put(`address ${name} ${found}`);
  }
  const byAddress = new Map(
    [...wanted.keys()].filter((key) => key.startsWith("address ")).map((key) => [bare(key), key]),
  );
  for (const vip of reading.vips) {
    const key = `address ${deviceOf(reading, vip.interface)} ${vipAddress(vip)}`;
    const other = byAddress.get(canonicalAddress(vip.subnet));
    if (isMarked(vip.descr ?? "") || (wanted.has(key) && vip.mode === "ipalias")) put(key);
    else if (other !== undefined)
      throw inTheWay(
        desired.device,
        `Virtual IP ${vip.subnet}/${vip.subnet_bits} ("${vip.descr ?? ""}") is not ours, and we need "${other}"`,
      );
  }
  return [...items.values()];
}

/** `address vtnet2 2001:db8::1/80` → `2001:db8::1`. */
function bare(key: string): string {
  return key.slice(key.lastIndexOf(" ") + 1).replace(/\/\d+$/, "");
}

function gatewayItems(reading: Reading, wanted: Wanted): readonly Item[] {
  const items = reading.gateways.flatMap((row) => {
    const key = `gateway ${deviceOf(reading, row.interface)} ${canonicalAddress(row.gateway ?? "dynamic")}`;
    const ours = isMarked(row.descr ?? "");
    return ours || wanted.has(key) ? [structure(key, row.disabled ? "disabled" : true)] : [];
  });
  return [...new Map(items.map((item) => [item.key, item])).values()];
}

function routeItems(reading: Reading, desired: GatewayDesired, wanted: Wanted): readonly Item[] {
  const items = [...defaultRoutes(reading, desired)];
  for (const row of reading.routes) {
    const key = `route ${canonicalPrefix(row.network)}`;
    const value = isOn(row) ? hopValue(reading, row.gateway) : "disabled";
    const same = JSON.stringify(wanted.get(key)) === JSON.stringify(value);
    if (isMarked(row.descr ?? "") || same) items.push(structure(key, value));
    else if (wanted.has(key))
      throw inTheWay(
        desired.device,
        `Route ${row.network} via ${row.gateway ?? "nothing"} is not ours, and leads elsewhere than planned`,
      );
  }
  return [...new Map(items.map((item) => [item.key, item])).values()];
}

export function hopValue(reading: Pick<Reading, "interfaces" | "gateways">, name: string | undefined): Value {
  if (name === "Null6" || name === "Null4") return "unreachable";
  const row = reading.gateways.find((each) => each.name === name);
  if (row?.gateway === undefined) return `via ${name ?? "nothing"}`;
  return { via: canonicalAddress(row.gateway), device: deviceOf(reading, row.interface) };
}

/**
 * The default route is whichever gateway the device prefers. One that nobody called upstream is a guess of the product's,
 * and may be a host.
 */
function defaultRoutes(reading: Reading, desired: GatewayDesired): readonly Item[] {
  const { routes } = networkOf(desired);
  return (["::/0", "0.0.0.0/0"] as const)
    .filter((to) => routes.some((route) => String(route.to) === to))
    .map((to) => {
      const family = to === "::/0" ? "inet6" : "inet";
      const row = reading.gateways.find((each) => each.ipprotocol === family && each.defaultgw);
      const value = row === undefined ? "none" : row.upstream ? hopValue(reading, row.name) : "automatic";
      return structure(`route ${to}`, value);
    });
}

/** Ours by name and mark. An alias of our name without our mark is somebody's. */
export function ownAliases(reading: Pick<Reading, "aliases">, wanted: Wanted): readonly AliasRow[] {
  return reading.aliases.filter((row) => {
    if (isMarked(row.description ?? "")) return !isLaneAlias(row.name);
    if (!wanted.has(`alias ${row.name}`)) return false;
    throw inTheWay(row.name, `Alias ${row.name} is there and does not carry the mark "${mark}"`);
  });
}

function aliasItemsOf(row: AliasRow): readonly Item[] {
  const { name, type, enabled } = row;
  const entries = entriesOf(row);
  const kind = { type, ...(enabled ? {} : { enabled }) };
  if (!isAliasOfLane(name, "f")) return [structure(`alias ${name}`, { ...kind, entries })];
  return [structure(`alias ${name}`, kind), ...entries.map((each) => entryItem(name, each))];
}

/** Ours by their descriptions; a copy of one, made by hand, is a second item, which no plan has. */
function ruleItems(reading: Reading): readonly Item[] {
  const seen = new Map<string, number>();
  return ownRules(reading.rules).map((row) => {
    const name = nameOf(row);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const item = parseRule(reading, row, name);
    return times === 1 ? item : { ...item, key: `${item.key} (copy ${times})` };
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

function tunableItems(reading: Reading, wanted: Wanted): readonly Item[] {
  return reading.tunables.filter(isSet).flatMap(({ tunable, value, descr }) => {
    const key = `tunable ${tunable}`;
    const found = value ?? "default";
    if (isMarked(descr ?? "") || (wanted.has(key) && tunables[tunable] === found)) return [structure(key, found)];
    if (wanted.has(key)) throw inTheWay(tunable, `Tunable ${tunable} is set to ${found}, and not by us`);
    return [];
  });
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
