import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { showTables } from "../kernel.ts";
import { type Config, type Entry, isOurs as isMarked, listNames, places } from "./config.ts";
import type { FakeDevice } from "./device.ts";
import { configureRoutes, configureTunables, configureVips, refreshAliases, reloadFilter } from "./kernel.ts";

// What the product's PHP program does on OPNsense, done here in its place: the same verbs, the same files. A test holds
// both against each other where a real PHP is at hand.

type KeptEntry = { readonly at: number; readonly uuid: string; readonly fields: Entry["fields"] };
export type Kept = { readonly lists: { readonly [place: string]: readonly KeptEntry[] } };

/** Of structure: what is of the members lane is left as it is. */
const isOurs = (each: Entry): boolean =>
  isMarked(each) &&
  !/^sg[lts]_/.test(each.fields["name"] ?? "") &&
  !/^sixgate: pass \S+ sg[lt]_/.test(each.fields["description"] ?? "");

const placeOf = (name: (typeof listNames)[number]): string => {
  const { path, element } = places[name];
  return `${path.join("/")}/${element}`;
};

export function snapshotOf(config: Config): Kept {
  const lists = listNames.flatMap((name) => {
    const kept = config.lists[name].flatMap((each, at) =>
      isOurs(each) ? [{ at, uuid: each.uuid, fields: { ...each.fields } }] : [],
    );
    return kept.length === 0 ? [] : [[placeOf(name), kept] as const];
  });
  return { lists: Object.fromEntries(lists) };
}

/** Gives what was removed: addresses and networks by their uuids. */
export function restoreInto(config: Config, kept: Kept): { vips: Map<string, string>; routes: Map<string, string> } {
  const gone = (name: "vip" | "route", field: string): Map<string, string> => {
    const still = new Set((kept.lists[placeOf(name)] ?? []).map(({ fields }) => fields[field]));
    return new Map(
      config.lists[name]
        .filter((each) => isOurs(each) && !still.has(each.fields[field]))
        .map(({ uuid, fields }) => [uuid, fields[field] ?? ""]),
    );
  };
  const removed = { vips: gone("vip", "subnet"), routes: gone("route", "network") };
  for (const name of listNames) {
    const list = config.lists[name];
    const others = list.filter((each) => !isOurs(each));
    for (const { at, uuid, fields } of kept.lists[placeOf(name)] ?? [])
      others.splice(Math.min(at, others.length), 0, { uuid, fields: { ...fields } });
    list.splice(0, list.length, ...others);
  }
  return removed;
}

/** `php sixgate.php VERB FILE` on the device. Throws an Error with what PHP would print on standard error. */
export function runPhp(device: FakeDevice, verb: string, file: string): unknown {
  const { config, kernel } = device;
  switch (verb) {
    case "snapshot":
      writeFileSync(file, JSON.stringify(snapshotOf(config)));
      return { bytes: 1 };
    case "restore": {
      if (!existsSync(file)) throw new Error(`${file} can't be read`);
      const removed = restoreInto(config, JSON.parse(readFileSync(file, "utf8")) as Kept);
      for (const [uuid, address] of removed.vips) device.removedVips.set(uuid, address);
      for (const [uuid, network] of removed.routes) device.removedRoutes.set(uuid, network);
      configureVips(kernel, config, device.removedVips);
      configureRoutes(kernel, config, device.removedRoutes);
      reloadFilter(kernel, config);
      refreshAliases(kernel, config);
      configureTunables(kernel, config);
      showTables(kernel, device.root);
      return { said: {} };
    }
    default:
      throw new Error(`no verb ${verb}`);
  }
}
