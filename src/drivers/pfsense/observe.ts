import { Failure } from "../../base/failure.ts";
import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { canonicalAddress, canonicalPrefix, withLength } from "../pf/canonical.ts";
import { entryItem, type InForce, inForceItem, natItem, networkOf, sorted, structure, tunables } from "../pf/items.ts";
import { isAliasOfLane, isLaneAlias, isLaneRule, isMarked, mark } from "../pf/names.ts";
import type { Pfctl } from "../pf/pfctl.ts";
import { normalize, parseRule } from "./convert.ts";
import {
  type AliasRow,
  deviceOf,
  entriesOf,
  type GatewayRow,
  interfaceOn,
  type MappingRow,
  macOf,
  ownAddresses,
  type Reading,
  type RuleRow,
} from "./reading.ts";

/**
 * What the device holds of ours, as items. Ours is what carries our mark; the settings of the two interfaces that the
 * fleet file names; and what somebody else made that is exactly as wanted, which is left to them. Rejects with E555
 * where something of somebody else stands in the way: it is never changed.
 */
export function itemsIn(reading: Reading, desired: GatewayDesired, inForce: InForce): readonly Item[] {
  const wanted = new Set(normalize(desired).map(({ key }) => key));
  const items = [
    ...interfaceItems(reading, desired),
    ...addressItems(reading, desired, wanted),
    ...gatewayItems(reading, wanted),
    ...routeItems(reading, desired, wanted),
    ...ownAliases(reading, wanted).flatMap(aliasItemsOf),
    ...ruleItems(reading),
    ...natItems(reading),
    ...tunableItems(reading, wanted),
    inForceItem(inForce),
  ];
  return sorted(items);
}

function inTheWay(at: string, text: string): Failure {
  return new Failure(
    "E555",
    at,
    text,
    "remove it, or make it as the plan has it; sixgate changes nothing that is not its own",
  );
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

function addressItems(reading: Reading, desired: GatewayDesired, wanted: ReadonlySet<string>): readonly Item[] {
  const { links } = networkOf(desired);
  const items = new Map<string, Item>();
  for (const { name, addresses4 } of links) {
    const row = interfaceOn(reading, name);
    const { four, six } = row === undefined ? {} : ownAddresses(row);
    for (const found of [six, addresses4.length > 0 ? four : undefined]) {
      if (found !== undefined) put(items, structure(`address ${name} ${found}`, true));
    }
  }
  const byAddress = new Map([...wanted].filter((key) => key.startsWith("address ")).map((key) => [bareOf(key), key]));
  for (const vip of reading.vips) {
    const key = `address ${deviceOf(reading, vip.interface)} ${withLength(vip.subnet, vip.subnet_bits)}`;
    if (isMarked(vip.descr ?? "") || (wanted.has(key) && vip.mode === "ipalias")) {
      put(items, structure(key, true));
      continue;
    }
    const other = byAddress.get(canonicalAddress(vip.subnet));
    if (other !== undefined)
      throw inTheWay(
        desired.device,
        `Virtual IP ${vip.subnet}/${vip.subnet_bits} ("${vip.descr ?? ""}") is not ours, and we need "${other}"`,
      );
  }
  return [...items.values()];
}

function put(items: Map<string, Item>, item: Item): void {
  items.set(item.key, item);
}

/** `address vtnet2 2001:db8::1/80` → `2001:db8::1`. */
function bareOf(key: string): string {
  return key.slice(key.lastIndexOf(" ") + 1).replace(/\/\d+$/, "");
}

function gatewayKey(reading: Reading, row: GatewayRow): string {
  return `gateway ${deviceOf(reading, row.interface)} ${canonicalAddress(row.gateway ?? "dynamic")}`;
}

function gatewayItems(reading: Reading, wanted: ReadonlySet<string>): readonly Item[] {
  const items = new Map<string, Item>();
  for (const row of reading.gateways) {
    const key = gatewayKey(reading, row);
    if (isMarked(row.descr ?? "") || wanted.has(key)) put(items, structure(key, row.disabled ? "disabled" : true));
  }
  return [...items.values()];
}

function routeItems(reading: Reading, desired: GatewayDesired, wanted: ReadonlySet<string>): readonly Item[] {
  const items = [...defaultRoutes(reading, desired)];
  const values = new Map(normalize(desired).map((item) => [item.key, JSON.stringify(item.value)]));
  for (const row of reading.routes) {
    const key = `route ${canonicalPrefix(row.network)}`;
    const value = row.disabled ? "disabled" : hopValue(reading, row.gateway);
    if (isMarked(row.descr ?? "")) items.push(structure(key, value));
    else if (values.get(key) === JSON.stringify(value)) items.push(structure(key, value));
    else if (wanted.has(key))
      throw inTheWay(
        desired.device,
        `Static route ${row.network} via ${row.gateway ?? "nothing"} is not ours, and leads elsewhere than planned`,
      );
  }
  // The same destination twice: the second would be a key twice; pf's own table has one.
  return [...new Map(items.map((item) => [item.key, item])).values()];
}

function hopValue(reading: Reading, name: string | undefined): Value {
  if (name === "Null6" || name === "Null4") return "unreachable";
  const row = reading.gateways.find((each) => each.name === name);
  if (row?.gateway === undefined) return `via ${name ?? "nothing"}`;
  return { via: canonicalAddress(row.gateway), device: deviceOf(reading, row.interface) };
}

function defaultRoutes({ defaults, ...reading }: Reading, desired: GatewayDesired): readonly Item[] {
  const { routes } = networkOf(desired);
  const ways = [
    { to: "::/0", name: defaults.defaultgw6 },
    { to: "0.0.0.0/0", name: defaults.defaultgw4 },
  ];
  return ways
    .filter(({ to }) => routes.some((route) => String(route.to) === to))
    .map(({ to, name }) =>
      structure(
        `route ${to}`,
        name === undefined ? "automatic" : name === "-" ? "none" : hopValue({ ...reading, defaults }, name),
      ),
    );
}

/** Ours by name and mark. An alias of our name without our mark is somebody's. */
export function ownAliases(reading: Pick<Reading, "aliases">, wanted: ReadonlySet<string>): readonly AliasRow[] {
  return reading.aliases.filter((row) => {
    if (isMarked(row.descr ?? "")) return !isLaneAlias(row.name);
    if (!wanted.has(`alias ${row.name}`)) return false;
    throw inTheWay(row.name, `Alias ${row.name} is there and does not carry the mark "${mark}"`);
  });
}

function aliasItemsOf(row: AliasRow): readonly Item[] {
  const { name, type } = row;
  const entries = entriesOf(row);
  if (!isAliasOfLane(name, "f")) return [structure(`alias ${name}`, { type, entries })];
  return [structure(`alias ${name}`, { type }), ...entries.map((each) => entryItem(name, each))];
}

/** Ours by their descriptions; a copy of one, made by hand, is a second item, which no plan has. */
function ruleItems(reading: Reading): readonly Item[] {
  const seen = new Map<string, number>();
  const own = ownRules(reading.rules);
  const items = own.map((row) => {
    const name = nameOf(row);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    const item = parseRule(reading, row, name);
    return times === 1 ? item : { ...item, key: `${item.key} (copy ${times})` };
  });
  return [...items, structure("rule trackers", sharedTrackers(reading.rules) === 0 ? "unique" : "shared")];
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

function tunableItems(reading: Reading, wanted: ReadonlySet<string>): readonly Item[] {
  return reading.tunables.flatMap(({ tunable, value, descr }) => {
    const key = `tunable ${tunable}`;
    if (isMarked(descr ?? "") || (wanted.has(key) && tunables[tunable] === value)) return [structure(key, value)];
    if (wanted.has(key)) throw inTheWay(tunable, `Tunable ${tunable} is set to ${value}, and not by us`);
    return [];
  });
}

/** What runs is compared with what is configured, as far as the device can be asked. */
export async function inForceOf(
  reading: Reading,
  desired: GatewayDesired,
  kernel: Kernel,
  signal?: AbortSignal,
): Promise<InForce> {
  const { applied } = reading;
  const aliases = reading.aliases.filter(({ name, descr }) => isMarked(descr ?? "") && !isLaneAlias(name));
  const tables = await kernel.tables(
    aliases.map(({ name }) => name),
    signal,
  );
  const sameTables = aliases.every((row) => {
    const there = tables.get(row.name);
    return there !== undefined && there.join(" ") === entriesOf(row).join(" ");
  });
  const { pfctl } = kernel;
  if (pfctl === undefined)
    return { addresses: applied.addresses, routes: applied.routes, rules: applied.filter, tables: sameTables };
  return {
    addresses: applied.addresses && (await sameAddresses(reading, desired, pfctl, signal)),
    routes: applied.routes && (await sameRoutes(reading, pfctl, signal)),
    rules: await sameRules(reading, pfctl, signal),
    tables: sameTables,
  };
}

export type Kernel = {
  tables(names: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Undefined without a shell. */
  readonly pfctl?: Pfctl;
};

async function sameAddresses(
  reading: Reading,
  desired: GatewayDesired,
  pfctl: Pfctl,
  signal?: AbortSignal,
): Promise<boolean> {
  for (const { name } of networkOf(desired).links) {
    const there = new Set(await pfctl.addresses(name, signal));
    const vips = reading.vips.filter((vip) => isMarked(vip.descr ?? "") && deviceOf(reading, vip.interface) === name);
    const row = interfaceOn(reading, name);
    const { six, four } = row === undefined || !row.enable ? {} : ownAddresses(row);
    const all = [...vips.map((vip) => withLength(vip.subnet, vip.subnet_bits)), six, four];
    if (all.some((each) => each?.includes("/") === true && !there.has(each))) return false;
  }
  return true;
}

async function sameRoutes(reading: Reading, pfctl: Pfctl, signal?: AbortSignal): Promise<boolean> {
  const there = await pfctl.routes(signal);
  return reading.routes
    .filter((row) => isMarked(row.descr ?? "") && !row.disabled)
    .every((row) => {
      const hop = there.get(canonicalPrefix(row.network));
      const value = hopValue(reading, row.gateway);
      if (value === "unreachable") return hop !== undefined;
      const via = reading.gateways.find((each) => each.name === row.gateway)?.gateway;
      return hop !== undefined && hop === canonicalAddress(via ?? "");
    });
}

/** By their trackers, which pf prints with each rule: our rules are all there, and no rule of ours is there any more. */
async function sameRules(reading: Reading, pfctl: Pfctl, signal?: AbortSignal): Promise<boolean> {
  const lines = await pfctl.rules(signal);
  const loaded = new Set(
    lines.flatMap((line) => /ridentifier (\d+)/.exec(line)?.[1] ?? /label "id[:=](\d+)"/.exec(line)?.[1] ?? []),
  );
  const marked = reading.rules.filter((row) => isMarked(row.descr ?? ""));
  const configured = new Set(marked.map((row) => String(row.tracker)));
  const ours = lines.filter((line) => line.includes(mark));
  const stale = ours.some(
    (line) => !configured.has(/ridentifier (\d+)/.exec(line)?.[1] ?? /label "id[:=](\d+)"/.exec(line)?.[1] ?? ""),
  );
  return !stale && marked.every((row) => row.disabled || loaded.has(String(row.tracker)));
}
