import type { Item, Value } from "../../change/item.ts";

/** What the device should hold, asked by the kinds of its items. */
export type Target = {
  /** The value of an item; undefined where it should not be there. */
  value(key: string): Value | undefined;
  has(key: string): boolean;
  /** The rest of the keys that begin with a word, with their values, in order: `address` → `vtnet2 2001:db8::1/80`. */
  all(word: string): readonly (readonly [rest: string, value: Value])[];
};

export function targetOf(items: readonly Item[]): Target {
  const byKey = new Map(items.map(({ key, value }) => [key, value]));
  const byWord = Map.groupBy(items, ({ key }) => key.slice(0, key.indexOf(" ")));
  return {
    value: (key) => byKey.get(key),
    has: (key) => byKey.has(key),
    all: (word) => (byWord.get(word) ?? []).map(({ key, value }) => [key.slice(word.length + 1), value]),
  };
}

/** A field that holds text. */
export function textField(value: Value | undefined, name: string): string | undefined {
  const found = fieldOf(value, name);
  return typeof found === "string" ? found : undefined;
}

/** Field of a value that is a map; undefined where there is none. */
export function fieldOf(value: Value | undefined, name: string): Value | undefined {
  if (typeof value !== "object" || value === null || !(name in value)) return undefined;
  return (value as { readonly [key: string]: Value })[name];
}

export type WantedAlias = { readonly type: string; readonly entries: readonly string[] };

/** Type and entries of an alias that should be there; undefined where it should not. */
export function wantedAlias(target: Target, name: string): WantedAlias | undefined {
  const value = target.value(`alias ${name}`);
  const type = fieldOf(value, "type");
  if (typeof type !== "string") return undefined;
  const listed = fieldOf(value, "entries");
  const entries = Array.isArray(listed)
    ? listed.map(String)
    : target.all("entry").flatMap(([rest]) => (rest.startsWith(`${name} `) ? [rest.slice(name.length + 1)] : []));
  return { type, entries: entries.toSorted() };
}
