import type { Value } from "./item.ts";

/** The same plain data: lists in their order, objects whatever the order of their keys. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a)) return isList(b) && equalLists(a, b);
  return !isList(b) && equalObjects(a, b);
}

type Fields = { readonly [key: string]: Value };

/** `Array.isArray` does not narrow readonly lists. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function equalLists(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((each, i) => equalValues(each, b[i] ?? null));
}

function equalObjects(a: Fields, b: Fields): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const inA = a[key];
    const inB = b[key];
    return Object.hasOwn(b, key) && inA !== undefined && inB !== undefined && equalValues(inA, inB);
  });
}
