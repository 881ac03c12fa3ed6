import { parseAddress } from "../../../net/address.ts";
import { baseBits, lengthOf, type Prefix, parsePrefix, sizeOf } from "../../../net/prefix.ts";
import { PrefixSet } from "../../../net/prefix-set.ts";
import type { Elements, Part } from "../../../proof/filter-rules.ts";

/**
 * A table of pf from what `pfctl -T show` prints. The longest entry that has an address says whether it is in (pf.conf(5),
 * TABLES); `!` turns one round. Entries of IPv4 are left out. Throws a RangeError for what is no entry.
 */
export function tableElements(name: string, entries: readonly string[]): Elements {
  const six = entries.map(entryOf).filter((each) => each !== undefined);
  const isPlain = six.every(({ negated }) => !negated);
  const prefixes = isPlain ? six.map((each) => each.prefix) : withTurns(six);
  return { name, columns: [disjoint(prefixes).map(partOf)], isLive: false };
}

type Entry = { readonly prefix: Prefix; readonly negated: boolean };

function entryOf(text: string): Entry | undefined {
  const negated = text.startsWith("!");
  const bare = text.replace(/^!\s*/, "").replace(/%[\w.]+/, "");
  const one = parseAddress(bare);
  const found = one === undefined ? parsePrefix(bare) : (`${one}/128` as Prefix);
  if (found !== undefined) return { prefix: found, negated };
  if (/^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(bare)) return undefined;
  throw new RangeError(`no entry of a table: ${JSON.stringify(text.slice(0, 80))}`);
}

function withTurns(entries: readonly Entry[]): readonly Prefix[] {
  let all = PrefixSet.empty;
  for (const { prefix, negated } of entries.toSorted((a, b) => lengthOf(a.prefix) - lengthOf(b.prefix))) {
    const one = PrefixSet.of([prefix]);
    all = negated ? all.subtract(one) : all.union(one);
  }
  return all.prefixes();
}

/** Single addresses stay what they are, by text: that is how most tables are, and what changes come as. */
function disjoint(prefixes: readonly Prefix[]): readonly Prefix[] {
  return prefixes.every((each) => lengthOf(each) === 128) ? [...new Set(prefixes)] : PrefixSet.of(prefixes).prefixes();
}

function partOf(each: Prefix): Part {
  if (lengthOf(each) === 128) return each.replace(/\/128$/, "");
  return { first: baseBits(each), last: baseBits(each) + sizeOf(each) - 1n };
}
