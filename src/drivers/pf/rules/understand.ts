import type { FilterRule, FilterRules, Hook, Match, Place } from "../../../proof/filter-rules.ts";
import { isMatch } from "../../../proof/match-sets.ts";
import type { Around } from "./around.ts";
import { filterChain, type IsOurs } from "./filter-chain.ts";
import { allLines, type RuleLine } from "./lines.ts";
import { translationChain } from "./translation.ts";
import { unquoted } from "./words.ts";

export type Understood = {
  readonly filter: readonly RuleLine[];
  readonly translation: readonly RuleLine[];
  readonly around: Omit<Around, "tags">;
  readonly isOurs: IsOurs;
};

const policy: Place = { table: "pf", chain: "rules", text: "no rule matches: pf lets it through", ours: false };

/**
 * pf's rules in the form of the proof. What comes in is asked before it is routed, what leaves is asked once more: with
 * states bound to interfaces or not, a state of the first does not answer for the second.
 */
export function understand({ filter, translation, around: found, isOurs }: Understood): FilterRules {
  const around: Around = { ...found, tags: tagsIn(filter) };
  const chains = [
    translationChain("translation in", translation, { direction: "in", around, isOurs }),
    filterChain("in", filter, { direction: "in", around, isOurs }),
    translationChain("translation out", translation, { direction: "out", around, isOurs }),
    filterChain("out", filter, { direction: "out", around, isOurs }),
  ];
  const hook = (stage: Hook["stage"], chain: string, priority: number): Hook => ({
    stage,
    priority,
    asks: "packets",
    chain,
    policy: "accept",
    place: policy,
  });
  return {
    hooks: [
      hook("prerouting", "translation in", -1),
      hook("prerouting", "in", 0),
      hook("postrouting", "translation out", -1),
      hook("postrouting", "out", 0),
    ],
    chains: new Map(chains.map(({ name, rules }) => [name, { name, rules: rules.map(withOwnKeys) }])),
    sets: around.tables,
    aside: [],
  };
}

/** Criteria of an anchor are those of many rules; a key of a set belongs to one place in the rules. */
function withOwnKeys({ steps, place }: FilterRule): FilterRule {
  return { steps: steps.map((step) => (isMatch(step) ? withOwnKey(step) : step)), place };
}

function withOwnKey(match: Match): Match {
  if (match.kind === "elements") return { ...match, key: [...match.key] };
  if (match.kind === "not") return { kind: "not", of: withOwnKey(match.of) };
  return match.kind === "every" || match.kind === "some" ? { ...match, of: match.of.map(withOwnKey) } : match;
}

/** pf that is switched off lets everything through. */
export function switchedOff(): FilterRules {
  return { hooks: [], chains: new Map(), sets: new Map(), aside: ["pf is switched off: nothing is filtered"] };
}

/** Anchor and name of each table that a rule names. */
export function tablesIn(lines: readonly RuleLine[]): readonly { readonly anchor: string; readonly table: string }[] {
  const found = new Map<string, { anchor: string; table: string }>();
  for (const { anchor, words } of allLines(lines))
    for (const word of words)
      for (const [, table = ""] of word.startsWith('"') ? [] : word.matchAll(/<([^<>]+?)(?::[\d*]+)?>/g))
        found.set(`${anchor} ${table}`, { anchor, table });
  return [...found.values()];
}

function tagsIn(lines: readonly RuleLine[]): ReadonlySet<string> {
  return new Set(
    allLines(lines).flatMap(({ words }) =>
      words.flatMap((word, at) => (word === "tag" ? [unquoted(words[at + 1])] : [])),
    ),
  );
}
