import { compareKeys } from "../base/order.ts";

/** What gets a number: a host its slot, a network its index. */
export type Wish<Name extends string> = { readonly name: Name; readonly pinned?: number };

export type Numbers<Name extends string> = {
  /** For each wish, by name. Without those that are in `clashes` or `unplaced`. */
  readonly given: ReadonlyMap<Name, number>;
  readonly clashes: readonly Clash<Name>[];
  /** Those for which no number is left. */
  readonly unplaced: readonly Name[];
};

/**
 * A number that can't be had: `kept` is the wish's own one in the ledger, `holder` who has the pinned one, `beyond` is
 * higher than the last, after the prefix or the blocks became smaller.
 */
export type Clash<Name extends string> =
  | { readonly kind: "beyond"; readonly name: Name; readonly number: number; readonly last: number }
  | { readonly kind: "moved"; readonly name: Name; readonly pinned: number; readonly kept: number }
  | { readonly kind: "taken"; readonly name: Name; readonly pinned: number; readonly holder: Name };

/** 0 and 1 are taken everywhere: infrastructure and uplink; link and default bridge. */
const first = 2;

/**
 * Gives each wish a number from 2 to `last`. What the ledger has stays, also for names that nobody wishes now; pins
 * are next; the rest get the lowest free numbers in order of their names. The order of `wishes` doesn't matter.
 */
export function giveNumbers<Name extends string>(
  wishes: readonly Wish<Name>[],
  ledger: ReadonlyMap<Name, number>,
  last: number,
): Numbers<Name> {
  const given = new Map<Name, number>();
  const clashes: Clash<Name>[] = [];
  const holders = new Map<number, Name>();
  for (const [name, number] of ledger) holders.set(number, name);
  const fresh: Name[] = [];
  for (const { name, pinned } of wishes) {
    const kept = ledger.get(name);
    const holder = pinned === undefined ? undefined : holders.get(pinned);
    const number = kept ?? pinned;
    if (number !== undefined && number > last) clashes.push({ kind: "beyond", name, number, last });
    else if (pinned !== undefined && kept !== undefined && kept !== pinned)
      clashes.push({ kind: "moved", name, pinned, kept });
    else if (pinned !== undefined && holder !== undefined && holder !== name)
      clashes.push({ kind: "taken", name, pinned, holder });
    else if (number === undefined) fresh.push(name);
    else {
      given.set(name, number);
      holders.set(number, name);
    }
  }
  return { given, clashes, unplaced: giveLowest(fresh.sort(compareKeys), holders, last, given) };
}

function giveLowest<Name extends string>(
  names: readonly Name[],
  holders: ReadonlyMap<number, Name>,
  last: number,
  given: Map<Name, number>,
): readonly Name[] {
  let next = first;
  for (const [i, name] of names.entries()) {
    while (holders.has(next)) next++;
    if (next > last) return names.slice(i);
    given.set(name, next++);
  }
  return [];
}
