import { compareKeys } from "../../change/diff.ts";
import type { Item, Value } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { bootFiles } from "./boot.ts";
import { chains } from "./chains.ts";
import { staticElements, structuralElements } from "./elements.ts";
import { type Chain, commentOf, type Element, type Ruleset, type SetShape, table } from "./ruleset.ts";
import { roleOf, setShapes } from "./set-shapes.ts";

/** The whole table for a gateway. Pure: the same desired state gives the same bytes. */
export function rulesetOf(desired: GatewayDesired): Ruleset {
  return {
    sets: setShapes(desired),
    chains: chains(desired),
    elements: [...structuralElements(desired), ...staticElements(desired)],
  };
}

/** The files that bring the table back at boot, before any interface is up. */
export function render(desired: GatewayDesired): readonly RenderedFile[] {
  return bootFiles(desired, rulesetOf(desired));
}

/** The form that `observe` reports, sorted by key. */
export function normalize(desired: GatewayDesired): readonly Item[] {
  const ruleset = rulesetOf(desired);
  return sorted([
    tableItem([]),
    ...ruleset.sets.map(setItem),
    ...ruleset.chains.map(chainItem),
    ...ruleset.elements.map(elementItem),
    ...bootFiles(desired, ruleset).map((file) => fileItem(file.path, file.text)),
  ]);
}

export function sorted(items: readonly Item[]): readonly Item[] {
  return items.toSorted((a, b) => compareKeys(a.key, b.key));
}

/** `flags` is empty; a table that somebody put to sleep (`dormant`) filters nothing. */
export function tableItem(flags: readonly string[]): Item {
  return { key: `table ${table}`, value: { flags }, lane: "structure" };
}

export function setItem({
  name,
  kind,
  type,
  flags,
}: Pick<SetShape, "name" | "kind" | "type"> & { readonly flags: readonly string[] }): Item {
  // nft 1.0.6 does not list `dynamic`; which sets have it is known by their names.
  return {
    key: `${kind} ${name}`,
    value: { type, flags: flags.filter((each) => each !== "dynamic") },
    lane: "structure",
  };
}

/** A chain is known by the marks of its rules, in order: the text that the kernel gives back differs between versions. */
export function chainItem({ name, hook, rules }: Chain): Item {
  return chainItemOf(name, hook === undefined ? {} : { ...hook }, rules.map(commentOf));
}

/** `hook` is empty for a chain without; `marks` one per rule, from its comment. */
export function chainItemOf(name: string, hook: { readonly [key: string]: Value }, marks: readonly string[]): Item {
  return { key: `chain ${name}`, value: { ...hook, rules: marks }, lane: "structure" };
}

/** `element static_open 2001:db8::80 . tcp . 443`; the value is a map's verdict in nft's syntax, else true. */
export function elementItem({ set, key, target, lane }: Element): Item {
  return { key: `element ${set} ${key}`, value: target === undefined ? true : `goto ${target}`, lane };
}

/** Which lane a set's elements are in: those of the fleet file's own openings are members. */
export function laneOf(set: string): Item["lane"] {
  return roleOf(set) === "static" ? "members" : "structure";
}

export function fileItem(path: string, text: string): Item {
  return { key: `file ${path}`, value: text, lane: "structure" };
}
