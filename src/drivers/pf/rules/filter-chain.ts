import { printable } from "../../../base/printable.ts";
import type { FilterChain, Match, Place, Verdict } from "../../../proof/filter-rules.ts";
import { firstMatchOrder, type LastMatchRule } from "../../../proof/last-match.ts";
import type { Around } from "./around.ts";
import { type Criteria, criteriaOf } from "./criteria.ts";
import type { RuleLine } from "./lines.ts";
import { Words } from "./words.ts";

export type Direction = "in" | "out";

/** Whether a rule with these labels carries our mark. */
export type IsOurs = (labels: readonly string[]) => boolean;

type Context = {
  readonly direction: Direction;
  readonly around: Around;
  readonly isOurs: IsOurs;
  /** Criteria of the anchors around. */
  readonly matches: readonly Match[];
  /** An anchor that is quick: with a match in it everything ends at its end. */
  readonly quick: boolean;
};

/**
 * The rules that are asked of packets of one direction, in an order in which the first match decides. pf asks them twice
 * of what it forwards: when it comes in, and when it leaves.
 */
export function filterChain(
  name: string,
  lines: readonly RuleLine[],
  { direction, around, isOurs }: Pick<Context, "direction" | "around" | "isOurs">,
): FilterChain {
  const skips: LastMatchRule[] = around.skipped.map((device) => ({
    quick: true,
    matches: [{ kind: "interface", side: direction, names: [device], negated: false }],
    verdict: { kind: "accept" },
    place: { table: "pf", chain: "options", text: `set skip on ${device}`, ours: false },
  }));
  const rules = rulesOf(lines, { direction, around, isOurs, matches: [], quick: false });
  return { name, rules: firstMatchOrder([...skips, ...rules]) };
}

function rulesOf(lines: readonly RuleLine[], context: Context): readonly LastMatchRule[] {
  const rules = lines.flatMap((line) => ruleOf(line, context));
  if (!context.quick) return rules;
  // Inside, the last match still decides; after it nothing else is asked.
  return firstMatchOrder(rules).map(({ steps, place }) => ({
    quick: true,
    matches: steps.slice(0, -1) as readonly Match[],
    verdict: steps.at(-1) as LastMatchRule["verdict"],
    place,
  }));
}

function ruleOf(line: RuleLine, context: Context): readonly LastMatchRule[] {
  const words = new Words(line.words);
  const action = words.next() ?? "";
  if (action === "scrub" || (action === "no" && words.peek === "scrub")) return [];
  if (action === "anchor") return anchorOf(line, words, context);
  const verdict = verdictOf(action, words);
  const criteria = criteriaOf(words, line.anchor, context.around);
  if (!isOf(criteria, context.direction)) return [];
  const rule = (matches: readonly Match[], does: LastMatchRule["verdict"]): LastMatchRule => ({
    quick: criteria.quick,
    matches: [...context.matches, ...devicesOf(criteria, context.direction), ...criteria.matches, ...matches],
    verdict: does,
    place: placeOf(line, criteria, context.isOurs),
  });
  if (action === "match")
    return criteria.changes === undefined ? [] : [{ ...rule([], astray(criteria.changes)), quick: true }];
  if (verdict.kind !== "accept") return [rule([], verdict)];
  if (criteria.changes !== undefined) return [rule([], astray(criteria.changes))];
  if (criteria.routeTo === undefined) return [rule([], verdict)];
  // Out by the interface that it would have left by anyway: nothing but the next hop is another.
  const elsewhere = astray(`route-to ${criteria.routeTo}`);
  if (context.direction === "in") return [rule([], elsewhere)];
  const same: Match = { kind: "interface", side: "out", names: [criteria.routeTo], negated: false };
  return [rule([same], verdict), rule([{ ...same, negated: true }], elsewhere)];
}

function anchorOf(line: RuleLine, words: Words, context: Context): readonly LastMatchRule[] {
  words.take(/^"/);
  const criteria = criteriaOf(words, line.anchor, context.around);
  if (!isOf(criteria, context.direction)) return [];
  const matches = [...context.matches, ...devicesOf(criteria, context.direction), ...criteria.matches];
  if (line.inner === undefined) {
    const place = placeOf(line, criteria, context.isOurs);
    return [{ quick: true, matches, verdict: astray("what is in the anchor was not read"), place }];
  }
  return rulesOf(line.inner, { ...context, matches, quick: criteria.quick });
}

function isOf(criteria: Criteria, direction: Direction): boolean {
  return !criteria.isNever && (criteria.direction === undefined || criteria.direction === direction);
}

/** The interfaces of a rule, by the side on which it is asked. */
export function devicesOf({ devices }: Criteria, side: Direction): readonly Match[] {
  return devices.map(({ names, negated }) => ({ kind: "interface", side, names, negated }));
}

function verdictOf(action: string, words: Words): LastMatchRule["verdict"] {
  if (action === "pass" || action === "match") return { kind: "accept" };
  if (action !== "block") return unknown(`"${printable(action)}" is no action that is known`);
  if (words.take("drop") !== undefined) return { kind: "drop" };
  const returns = words.take(/^return/);
  if (returns === undefined) return { kind: "drop" };
  // `return-rst(ttl 1)`, `return-icmp(host-unr, 1)`.
  words.take(/^\(/);
  return { kind: "reject" };
}

/** What goes on in another form, or on another way, may get out where the packet as it was would not. */
function astray(why: string): LastMatchRule["verdict"] {
  return { kind: "rewrite", why };
}

function unknown(why: string): Verdict & { readonly kind: "unknown" } {
  return { kind: "unknown", why };
}

export function placeOf(
  line: RuleLine,
  { labels, tracker }: Pick<Criteria, "labels" | "tracker">,
  isOurs: IsOurs,
): Place {
  const number = tracker ?? line.number;
  const comment = labels.find((each) => each.startsWith("descr="))?.slice("descr=".length) ?? labels[0];
  return {
    table: "pf",
    chain: line.anchor === "" ? "rules" : printable(line.anchor),
    text: printable(line.text),
    ...(number === undefined || Number.isNaN(number) ? {} : { handle: number }),
    ...(comment === undefined ? {} : { comment: printable(comment) }),
    ...(line.counter === undefined ? {} : { counter: line.counter }),
    ours: isOurs(labels),
  };
}
