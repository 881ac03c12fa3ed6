import type { Change } from "../../change/change-set.ts";
import type { Item, Value } from "../../change/item.ts";
import { table } from "./ruleset.ts";
import { declarationOf } from "./set-shapes.ts";

/** The rules of a chain as nft reads them, without the chain's name; what the change set has is only their marks. */
export type RulesOf = (chain: string) => readonly string[];

/** How many elements one command carries. */
const batch = 500;

/**
 * The change set as one nft transaction: all of it or nothing, with no moment between. Chains and hooks that stay
 * are kept, their rules replaced (measured: no packet slips through, where deleting and loading a table leaks).
 * Only a set whose type changes, or a hook that moves, needs the table rebuilt; see `needsRebuild`.
 * Empty where nothing live changes (files are not nft's).
 */
export function transactionOf(changes: readonly Change[], rulesOf: RulesOf): string {
  if (changes.some((each) => each.kind === "delete" && each.before.key === `table ${table}`))
    return `delete table ${table}\n`;
  const lines = [
    ...flushed(changes),
    ...removedElements(changes),
    ...removedObjects(changes),
    ...addedObjects(changes),
    ...addedElements(changes),
    ...newRules(changes, rulesOf),
  ];
  const wakes = changes.some((each) => each.kind !== "delete" && each.after.key === `table ${table}`);
  // With braces it sets the table's flags, to none.
  return lines.length === 0 && !wakes ? "" : `${[`add table ${table} { }`, ...lines].join("\n")}\n`;
}

/** The whole table anew, in one transaction: only where `needsRebuild`, for it may let single packets pass. */
export function rebuildOf(target: readonly Item[], rulesOf: RulesOf): string {
  const creates = target.filter((each) => !isForeign(each)).map((after): Change => ({ kind: "create", after }));
  return `add table ${table}\ndelete table ${table}\n${transactionOf(creates, rulesOf)}`;
}

/** A thing in our table that isn't ours, and whose form we don't know well enough to make it. */
export function isForeign(item: Item): boolean {
  return fieldOf(item, "foreign") !== undefined;
}

/** True where kept objects can't be changed in place: the type of a set, the hook or priority of a chain. */
export function needsRebuild(changes: readonly Change[]): boolean {
  return changes.some((change) => {
    if (change.kind !== "update") return false;
    const { kind } = partsOf(change.before);
    if (kind === "set" || kind === "map") return true;
    return (
      kind === "chain" &&
      ["type", "hook", "priority"].some((field) => fieldOf(change.before, field) !== fieldOf(change.after, field))
    );
  });
}

/** The change set that leads back, to what was ours. */
export function inverseOf(changes: readonly Change[]): readonly Change[] {
  const known = changes.filter((each) => each.kind === "create" || !isForeign(each.before));
  return known.map((change): Change => {
    switch (change.kind) {
      case "create":
        return { kind: "delete", before: change.after };
      case "update":
        return { kind: "update", before: change.after, after: change.before };
      case "delete":
        return { kind: "create", after: change.before };
    }
  });
}

/** Whatever refers to something that goes: first. */
function flushed(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind === "create") return [];
    const { kind, name } = partsOf(change.before);
    return kind === "chain" ? [`flush chain ${table} ${name}`] : [];
  });
}

/**
 * A member is added before it is deleted: one that is gone already, closed by somebody else meanwhile, does not stop
 * the transaction. Elements of sets that go as a whole are not named.
 */
function removedElements(changes: readonly Change[]): readonly string[] {
  const sets = new Set(
    changes
      .flatMap((each) => (each.kind === "delete" ? [partsOf(each.before)] : []))
      .filter(isSet)
      .map((each) => each.name),
  );
  const gone = changes.flatMap((each) =>
    each.kind === "create" || sets.has(partsOf(each.before).name) ? [] : [each.before],
  );
  return [
    ...commands(
      "add element",
      elementsBySet(
        gone.filter((each) => each.lane === "members"),
        elementOf,
      ),
    ),
    ...commands(
      "delete element",
      elementsBySet(gone, (each) => partsOf(each).rest),
    ),
  ];
}

function isSet({ kind }: Parts): boolean {
  return kind === "set" || kind === "map";
}

function addedElements(changes: readonly Change[]): readonly string[] {
  const after = changes.flatMap((each) => (each.kind === "delete" ? [] : [each.after]));
  return commands("add element", elementsBySet(after, elementOf));
}

/** With its verdict, where it has one. */
function elementOf(item: Item): string {
  const { rest } = partsOf(item);
  return typeof item.value === "string" ? `${rest} : ${item.value}` : rest;
}

function elementsBySet(items: readonly Item[], textOf: (item: Item) => string): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const item of items) {
    const { kind, name } = partsOf(item);
    if (kind !== "element") continue;
    const there = groups.get(name);
    if (there === undefined) groups.set(name, [textOf(item)]);
    else there.push(textOf(item));
  }
  return groups;
}

function commands(verb: string, groups: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const lines: string[] = [];
  for (const [set, elements] of groups) {
    for (let at = 0; at < elements.length; at += batch) {
      lines.push(`${verb} ${table} ${set} { ${elements.slice(at, at + batch).join(", ")} }`);
    }
  }
  return lines;
}

/** Maps and sets after the rules that use them, chains after the maps that lead to them. */
function removedObjects(changes: readonly Change[]): readonly string[] {
  const gone = changes.flatMap((each) => (each.kind === "delete" ? [partsOf(each.before)] : []));
  const ofKind = (kind: string): readonly Parts[] => gone.filter((each) => each.kind === kind);
  const others = gone.filter(({ kind }) => !["map", "set", "chain", "element", "file"].includes(kind));
  return [...ofKind("map"), ...ofKind("set"), ...ofKind("chain"), ...others].map(
    ({ kind, name }) => `delete ${kind.replaceAll("-", " ")} ${table} ${name}`,
  );
}

function addedObjects(changes: readonly Change[]): readonly string[] {
  const there = changes.flatMap((each) => (each.kind === "delete" ? [] : [each.after]));
  const ofKind = (kind: string): readonly Item[] => there.filter((each) => partsOf(each).kind === kind);
  return [
    ...ofKind("set").map((each) => `add set ${table} ${partsOf(each).name} { ${shapeText(each, "set")} }`),
    ...ofKind("map").map((each) => `add map ${table} ${partsOf(each).name} { ${shapeText(each, "map")} }`),
    ...ofKind("chain").map((each) => `add chain ${table} ${partsOf(each).name}${hookOf(each)}`),
  ];
}

function shapeText(item: Item, kind: "set" | "map"): string {
  const [type, flags] = [wordsOf(fieldOf(item, "type")), wordsOf(fieldOf(item, "flags"))];
  return `${declarationOf({ name: partsOf(item).name, kind, type, flags }).join("; ")};`;
}

function hookOf(item: Item): string {
  if (fieldOf(item, "hook") === undefined) return "";
  const [type, hook, priority, policy] = ["type", "hook", "priority", "policy"].map((field) =>
    plainText(fieldOf(item, field)),
  );
  return ` { type ${type} hook ${hook} priority ${priority}; policy ${policy}; }`;
}

/** Throws a RangeError for a value that is no word and no number. */
function plainText(value: Value | undefined): string {
  if (typeof value === "number" || (typeof value === "string" && /^\w+$/.test(value))) return `${value}`;
  throw new RangeError(`Not a word of nft: ${JSON.stringify(value)}`);
}

function newRules(changes: readonly Change[], rulesOf: RulesOf): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind === "delete") return [];
    const { kind, name } = partsOf(change.after);
    return kind === "chain" ? rulesOf(name).map((text) => `add rule ${table} ${name} ${text}`) : [];
  });
}

export type Parts = { readonly kind: string; readonly name: string; readonly rest: string };

const namePattern = /^[A-Za-z_][A-Za-z0-9_./\\-]*$/;

/** `element open_vm1 2001:db8::80 . tcp . 443` in three. Throws a RangeError where a name could be more than a name. */
export function partsOf({ key }: Item): Parts {
  const [kind = "", name = "", ...rest] = key.split(" ");
  if (kind !== "file" && kind !== "table" && !(namePattern.test(name) && /^[a-z-]+$/.test(kind))) {
    throw new RangeError(`Not a name in nft: ${JSON.stringify(key)}`);
  }
  return { kind, name, rest: rest.join(" ") };
}

export function fieldOf({ value }: Item, field: string): Value | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as { readonly [key: string]: Value })[field];
}

function wordsOf(value: Value | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(plainText) : [];
}
