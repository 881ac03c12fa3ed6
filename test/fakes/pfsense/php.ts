import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { LaneWish } from "../../../src/drivers/pfsense/lane-wish.ts";
import { type Config, type Fields, textOf, words } from "./config.ts";
import { applyFilter, type FakeDevice } from "./device.ts";
import { bringDownVip, bringUpVip, configureInterface, configureRouting, configureSysctls } from "./kernel.ts";

// What the product's PHP program does on pfSense, done here in its place: the same verbs, the same input, the same files.
// A test holds both against each other where a real PHP is at hand.

const mark = "sixgate: ";
const marked = (item: Fields): boolean => (textOf(item, "descr") ?? "").startsWith(mark);
/** Of structure: what is of the members lane is left as it is. */
export const ours = (item: Fields): boolean =>
  marked(item) &&
  !/^sg[lts]_/.test(textOf(item, "name") ?? "") &&
  !/^sixgate: pass \S+ sg[lt]_/.test(textOf(item, "descr") ?? "");

type Kept = {
  readonly lists: { readonly [path: string]: readonly { readonly at: number; readonly item: Fields }[] };
  readonly values: { readonly [path: string]: string | null };
  readonly interfaces: { readonly [id: string]: { readonly [key: string]: string } | null };
};

const lists: { readonly [path: string]: (config: Config) => Fields[] } = {
  "aliases/alias": (config) => config.aliases.alias,
  "filter/rule": (config) => config.filter.rule,
  "virtualip/vip": (config) => config.virtualip.vip,
  "gateways/gateway_item": (config) => config.gateways.gateway_item,
  "staticroutes/route": (config) => config.staticroutes.route,
  "nat/outbound/rule": (config) => config.nat.outbound.rule,
  "sysctl/item": (config) => config.sysctl.item,
};

export function snapshotOf(config: Config, interfaces: readonly string[]): Kept {
  return {
    lists: Object.fromEntries(
      Object.entries(lists).map(([path, of]) => [
        path,
        of(config).flatMap((item, at) => (ours(item) ? [{ at, item: structuredClone(item) }] : [])),
      ]),
    ),
    values: {
      "gateways/defaultgw4": config.gateways.defaultgw4 ?? null,
      "gateways/defaultgw6": config.gateways.defaultgw6 ?? null,
      "nat/outbound/mode": config.nat.outbound.mode ?? null,
    },
    interfaces: Object.fromEntries(interfaces.map((id) => [id, structuredClone(config.interfaces[id]) ?? null])),
  };
}

/** Gives the ids of the interfaces that it changed. */
export function restoreInto(config: Config, kept: Kept): readonly string[] {
  const changed: string[] = [];
  for (const [id, before] of Object.entries(kept.interfaces)) {
    if (JSON.stringify(sortedKeys(config.interfaces[id])) === JSON.stringify(sortedKeys(before ?? undefined))) continue;
    changed.push(id);
    if (before === null) delete config.interfaces[id];
    else config.interfaces[id] = { ...before };
  }
  for (const [path, items] of Object.entries(kept.lists)) {
    const list = lists[path]?.(config) ?? [];
    const others = list.filter((item) => !ours(item));
    for (const { at, item } of items) others.splice(Math.min(at, others.length), 0, structuredClone(item));
    list.splice(0, list.length, ...others);
  }
  const value = (path: string): string | undefined => kept.values[path] ?? undefined;
  set(config.gateways, "defaultgw4", value("gateways/defaultgw4"));
  set(config.gateways, "defaultgw6", value("gateways/defaultgw6"));
  set(config.nat.outbound, "mode", value("nat/outbound/mode"));
  return changed;
}

function set<K extends string>(of: { [key in K]?: string }, key: K, value: string | undefined): void {
  if (value === undefined) delete of[key];
  else of[key] = value;
}

function sortedKeys(of: { readonly [key: string]: string } | undefined): unknown {
  return of === undefined
    ? null
    : Object.entries(of)
        .map((each) => each.join("="))
        .sort();
}

export function tidyIn(
  config: Config,
  wish: { readonly known: readonly string[] },
  kept: Kept | undefined,
  now: number,
): { trackers: number; keys: number } {
  const done = { trackers: 0, keys: 0 };
  const seen = new Set(config.filter.rule.filter((each) => !ours(each)).map((each) => textOf(each, "tracker") ?? ""));
  for (const rule of config.filter.rule.filter(ours)) {
    let tracker = Number(textOf(rule, "tracker") ?? 0);
    if (tracker > 0 && !seen.has(String(tracker))) {
      seen.add(String(tracker));
      continue;
    }
    do tracker = tracker > 0 ? tracker + 1 : now;
    while (seen.has(String(tracker)));
    rule["tracker"] = String(tracker);
    seen.add(String(tracker));
    done.trackers++;
  }
  for (const [id, before] of Object.entries(kept?.interfaces ?? {})) {
    const current = config.interfaces[id];
    for (const [key, value] of Object.entries(before ?? {})) {
      if (current === undefined || wish.known.includes(key) || current[key] !== undefined) continue;
      current[key] = value;
      done.keys++;
    }
  }
  return done;
}

export function membersIn(
  config: Config,
  wish: { readonly [name: string]: { readonly add: readonly string[]; readonly remove: readonly string[] } },
): readonly string[] {
  const found: string[] = [];
  for (const alias of config.aliases.alias) {
    const change = wish[textOf(alias, "name") ?? ""];
    if (change === undefined || !ours(alias)) continue;
    found.push(textOf(alias, "name") ?? "");
    const entries = words(textOf(alias, "address"), / +/).filter((each) => !change.remove.includes(each));
    alias["address"] = [...new Set([...entries, ...change.add])].join(" ");
    alias["detail"] = "";
  }
  return Object.keys(wish).filter((name) => !found.includes(name));
}

/** Gives how many were made. Throws an Error where an alias holds something else. */
export function laneIn(config: Config, wish: LaneWish, now: number): number {
  let made = 0;
  const place = (name: string): Fields => (name === "" ? { any: "" } : { address: name });
  for (const { name, type, address, about } of wish.aliases) {
    const there = config.aliases.alias.find((each) => textOf(each, "name") === name);
    if (there === undefined) {
      config.aliases.alias.push({ name, type, address, descr: `${mark}${about}`, detail: "" });
      made++;
    } else if (!marked(there) || textOf(there, "address") !== address)
      throw new Error(`alias ${name} is there and holds something else`);
  }
  for (const { name, on, protocol, port, from, to } of wish.rules) {
    if (config.filter.rule.some((each) => textOf(each, "descr") === `${mark}${name}`)) continue;
    const id = Object.keys(config.interfaces).find((each) => config.interfaces[each]?.["if"] === on);
    if (id === undefined) throw new Error(`no interface on ${on}`);
    let tracker = now;
    while (config.filter.rule.some((each) => textOf(each, "tracker") === String(tracker))) tracker++;
    config.filter.rule.push({
      id: "",
      tracker: String(tracker),
      type: "pass",
      interface: id,
      ipprotocol: "inet6",
      statetype: "keep state",
      protocol,
      source: place(from),
      destination: port === "" ? place(to) : { ...place(to), port },
      descr: `${mark}${name}`,
      ...(protocol === "icmp" ? { icmptype: "echoreq" } : {}),
    });
    made++;
  }
  return made;
}

/** Gives how many tables went. `isEmpty`: as pf has them. */
export function dropLaneIn(config: Config, tables: readonly string[], isEmpty: (table: string) => boolean): number {
  const ofLane = (item: Fields): boolean => marked(item) && !ours(item);
  const names = (text: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);
  const others = [config.aliases.alias, config.filter.rule].map((all) => all.filter((each) => !ofLane(each)));
  const foreign = JSON.stringify([...others, config.nat]);
  const gone = new Set(
    tables.filter((each) => /^sg[lt]_[a-z0-9_]+$/.test(each) && !names(foreign, each) && isEmpty(each)),
  );
  if (gone.size === 0) return 0;
  config.filter.rule = config.filter.rule.filter(
    (rule) => !(ofLane(rule) && gone.has(/^sixgate: pass \S+ (\S+)$/.exec(textOf(rule, "descr") ?? "")?.[1] ?? "")),
  );
  const asked = foreign + JSON.stringify(config.filter.rule);
  config.aliases.alias = config.aliases.alias.filter((alias) => {
    const name = textOf(alias, "name") ?? "";
    if (!ofLane(alias) || name === "sgs_none") return true;
    return name.startsWith("sgs_") ? names(asked, name) : !gone.has(name);
  });
  return gone.size;
}

/** `php sixgate.php VERB [FILE]` on the device. Throws an Error with what PHP would print on standard error. */
export function runPhp(device: FakeDevice, verb: string, file: string, input: string): unknown {
  const { config, kernel } = device;
  const wish = (input === "" ? {} : JSON.parse(input)) as { [key: string]: unknown };
  const keptIn = (path: string): Kept => {
    if (!existsSync(path)) throw new Error(`${path} can't be read`);
    return JSON.parse(readFileSync(path, "utf8")) as Kept;
  };
  switch (verb) {
    case "snapshot": {
      writeFileSync(file, JSON.stringify(snapshotOf(config, wish["interfaces"] as string[])));
      return { bytes: 1 };
    }
    case "restore": {
      const kept = keptIn(file);
      const [vips, routes] = [config.virtualip.vip.filter(ours), config.staticroutes.route.filter(ours)];
      const changed = restoreInto(config, kept);
      const same = (a: Fields, b: Fields): boolean =>
        ["subnet", "subnet_bits", "interface"].every((key) => a[key] === b[key]);
      for (const vip of vips)
        if (!config.virtualip.vip.some((each) => same(each, vip))) bringDownVip(kernel, config, vip);
      for (const id of changed) configureInterface(kernel, config, id);
      for (const vip of config.virtualip.vip.filter(ours))
        if (!vips.some((each) => same(each, vip))) bringUpVip(kernel, config, vip);
      for (const route of routes)
        if (!config.staticroutes.route.some((each) => each["network"] === route["network"]))
          kernel.routes.delete(textOf(route, "network") ?? "");
      configureRouting(kernel, config);
      configureSysctls(kernel, config);
      applyFilter(device);
      device.dirty.clear();
      device.pendingVips.clear();
      device.pendingInterfaces.clear();
      return { interfaces: changed };
    }
    case "tidy": {
      const path = typeof wish["snapshot"] === "string" ? wish["snapshot"] : "";
      return tidyIn(
        config,
        { known: wish["known"] as string[] },
        path === "" ? undefined : keptIn(`${device.root}${path}`),
        device.now(),
      );
    }
    case "nowhere": {
      const network = String(wish["network"]);
      const kept = config.staticroutes.route.filter(
        (each) => !(ours(each) && each["network"] === network && each["gateway"] === "Null6"),
      );
      if (wish["present"] === true) kept.push({ network, gateway: "Null6", descr: `${mark}unused space` });
      else kernel.routes.delete(network);
      config.staticroutes.route = kept;
      configureRouting(kernel, config);
      return { routes: kept.length };
    }
    case "members": {
      const missing = membersIn(config, wish as Parameters<typeof membersIn>[1]);
      if (missing.length > 0) throw new Error(`no such alias of ours: ${missing.join(", ")}`);
      return { aliases: Object.keys(wish).length };
    }
    case "lane": {
      const made = laneIn(config, wish as LaneWish, device.now());
      applyFilter(device);
      return { made };
    }
    case "unlane": {
      const isEmpty = (table: string): boolean => kernel.tables.get(table)?.size === 0;
      const gone = dropLaneIn(config, wish["tables"] as string[], isEmpty);
      if (gone > 0) applyFilter(device);
      return { gone };
    }
    default:
      throw new Error(`no verb ${verb}`);
  }
}
