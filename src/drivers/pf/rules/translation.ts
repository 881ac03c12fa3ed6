import type { FilterChain, FilterRule, Match } from "../../../proof/filter-rules.ts";
import type { Around } from "./around.ts";
import { criteriaOf } from "./criteria.ts";
import { type Direction, devicesOf, type IsOurs, placeOf } from "./filter-chain.ts";
import type { RuleLine } from "./lines.ts";
import { placeOf as endOf } from "./places.ts";
import { Words } from "./words.ts";

type Context = { readonly direction: Direction; readonly around: Around; readonly isOurs: IsOurs };

/**
 * Rules of address translation, of which the first match decides. What is translated is judged under another address,
 * which is not followed: nothing more is said of it. Those of IPv4 are left out.
 */
export function translationChain(name: string, lines: readonly RuleLine[], context: Context): FilterChain {
  return { name, rules: rulesOf(lines, context, []) };
}

function rulesOf(lines: readonly RuleLine[], context: Context, around: readonly Match[]): readonly FilterRule[] {
  return lines.flatMap((line) => ruleOf(line, context, around));
}

function ruleOf(line: RuleLine, context: Context, before: readonly Match[]): readonly FilterRule[] {
  const [head, target = []] = halves(line.words);
  const words = new Words(head);
  const isExempt = words.take("no") !== undefined;
  const kind = words.next() ?? "";
  words.take("pass");
  if (kind.endsWith("anchor")) {
    words.take(/^"/);
    const criteria = criteriaOf(words, line.anchor, context.around);
    if (criteria.isNever || line.inner?.length === 0) return [];
    const matches = [...before, ...devicesOf(criteria, context.direction), ...criteria.matches];
    if (line.inner !== undefined) return rulesOf(line.inner, context, matches);
    const place = placeOf(line, criteria, context.isOurs);
    return [{ steps: [...matches, { kind: "rewrite", why: "what is in the anchor was not read" }], place }];
  }
  const criteria = criteriaOf(words, line.anchor, context.around);
  if (criteria.isNever || isOfIpv4(target) || !asksIn(kind, context.direction)) return [];
  const matches = kind === "binat" && context.direction === "in" ? incoming(target, line, context) : criteria.matches;
  const place = placeOf(line, criteria, context.isOurs);
  const all = [...before, ...devicesOf(criteria, context.direction), ...matches];
  return [
    { steps: [...all, isExempt ? { kind: "accept" } : { kind: "rewrite", why: `${kind} changes its address` }], place },
  ];
}

function halves(words: readonly string[]): readonly [readonly string[], (readonly string[])?] {
  const at = words.indexOf("->");
  return at < 0 ? [words] : [words.slice(0, at), words.slice(at + 1)];
}

function isOfIpv4([first = ""]: readonly string[]): boolean {
  return /^\d+\.\d+\.\d+\.\d+/.test(first);
}

/** Redirection comes before the rules of what comes in, translation of sources before those of what leaves; `binat` is both. */
function asksIn(kind: string, direction: Direction): boolean {
  if (kind === "rdr") return direction === "in";
  if (kind === "nat") return direction === "out";
  return true;
}

/** What comes in for the outer addresses of a two-way translation. */
function incoming(target: readonly string[], line: RuleLine, { around }: Context): readonly Match[] {
  const found = endOf(new Words(target), "to", line.anchor, around);
  return found === "never" ? [{ kind: "some", of: [] }] : found;
}
