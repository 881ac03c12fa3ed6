import type { FilterRule, Match, Step } from "./filter-rules.ts";

/**
 * A rule as pf has it (pf.conf(5)): the last one that matches decides, unless one with `quick` does before. `matches`
 * is all of its criteria; a rule inside an anchor comes with the anchor's criteria too, at the anchor's place.
 */
export type LastMatchRule = {
  readonly quick: boolean;
  readonly matches: readonly Match[];
  /** `rewrite`: what it matches goes on as another packet, or on another way, and is not followed. */
  readonly verdict: Extract<Step, { readonly kind: "accept" | "drop" | "reject" | "unknown" | "rewrite" }>;
  readonly place: FilterRule["place"];
};

/**
 * The same decisions with the first match deciding: rules with `quick` in their order, then the others from the last to
 * the first. A rule that is not quick decides only where no quick one does, wherever those stand. What no rule matches
 * falls through; pf passes it.
 *
 * For a gateway with pf this makes one chain for packets that come in (hook `prerouting`) and one for those that leave
 * (hook `postrouting`): a state that the first makes does not cover the second. `on` is an `interface` match, tables are
 * sets, `flags S/SA` is a `field` match, `(self)` a `local` one; of `match` rules and tags say `opaque`.
 */
export function firstMatchOrder(rules: readonly LastMatchRule[]): readonly FilterRule[] {
  const quick = rules.filter((rule) => rule.quick);
  const others = rules.filter((rule) => !rule.quick).reverse();
  return [...quick, ...others].map(({ matches, verdict, place }) => ({
    steps: [...matches.filter(isCertain), ...matches.filter((each) => !isCertain(each)), verdict],
    place,
  }));
}

/** Criteria hold all or none, in any order: those that are known are asked first, so that a doubt counts only where it decides. */
function isCertain(match: Match): boolean {
  if (match.kind === "not") return isCertain(match.of);
  if (match.kind === "every" || match.kind === "some") return match.of.every(isCertain);
  return match.kind !== "opaque";
}
