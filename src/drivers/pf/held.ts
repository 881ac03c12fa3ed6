import { Failure } from "../../base/failure.ts";
import type { Item, Value } from "../../change/item.ts";
import { entryItem, structure, tunables } from "./items.ts";
import { isAliasOfLane, isLaneAlias, isMarked, mark } from "./names.ts";

// What a device holds of ours, as items. Ours is what carries our mark; what somebody else made that is exactly as wanted
// is left to them; and what of theirs stands in the way is never changed.

/** What a gateway should hold: values by key. */
export type Wanted = ReadonlyMap<string, Value>;

/** E555: something of somebody else is where something of ours should be. */
export function inTheWay(at: string, text: string): Failure {
  return new Failure(
    "E555",
    at,
    text,
    "remove it, or make it as the plan has it; sixgate changes nothing that is not its own",
  );
}

/** Whether an alias is ours, of structure. One of our name without our mark is somebody's: rejects with E555. */
export function isOwnAlias(name: string, about: string | undefined, wanted: Wanted): boolean {
  if (isMarked(about ?? "")) return !isLaneAlias(name);
  if (!wanted.has(`alias ${name}`)) return false;
  throw inTheWay(name, `Alias ${name} is there and does not carry the mark "${mark}"`);
}

/** An alias with what it is; its entries are items of their own where the members lane moves them. */
export function aliasItemsOf(
  name: string,
  kind: { readonly [key: string]: Value },
  entries: readonly string[],
): readonly Item[] {
  if (!isAliasOfLane(name, "f")) return [structure(`alias ${name}`, { ...kind, entries })];
  return [structure(`alias ${name}`, kind), ...entries.map((each) => entryItem(name, each))];
}

/** A copy of one of our rules, made by hand, is a second item, which no plan has. */
export function numberCopies(items: readonly Item[]): readonly Item[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const times = (seen.get(item.key) ?? 0) + 1;
    seen.set(item.key, times);
    return times === 1 ? item : { ...item, key: `${item.key} (copy ${times})` };
  });
}

/** A kernel setting that the configuration has. */
export type TunableRow = { readonly tunable: string; readonly value: string; readonly descr?: string | undefined };

export function tunableItems(rows: readonly TunableRow[], wanted: Wanted): readonly Item[] {
  return rows.flatMap(({ tunable, value, descr }) => {
    const key = `tunable ${tunable}`;
    if (isMarked(descr ?? "") || (wanted.has(key) && tunables[tunable] === value)) return [structure(key, value)];
    if (wanted.has(key)) throw inTheWay(tunable, `Tunable ${tunable} is set to ${value}, and not by us`);
    return [];
  });
}
