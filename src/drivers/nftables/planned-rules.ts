import type { GatewayDesired } from "../../desired/desired.ts";
import type { FilterRules } from "../../proof/filter-rules.ts";
import { rulesetOf } from "./convert.ts";
import { parseElement, parseRule } from "./reading/parse-rule.ts";
import { nothingElse, rulesIn } from "./rules.ts";
import { type Chain, commentOf, type Element, type Ruleset, table } from "./ruleset.ts";

/**
 * What a gateway would decide by that has our table and nothing else, in the form that its listing is read into. Our own
 * rules are read as any others: one that is not understood is opaque.
 */
export function plannedRules(desired: GatewayDesired): FilterRules {
  return rulesIn(listingOf(rulesetOf(desired)), nothingElse);
}

/** A ruleset as nft's JSON lists it, without handles. */
export function listingOf({ sets, chains, elements }: Ruleset): readonly object[] {
  const [family = "", name = ""] = table.split(" ");
  const at = { family, table: name };
  const bySet = Map.groupBy(elements, (each) => each.set);
  return [
    { table: { family, name } },
    ...chains.map((chain) => ({ chain: { ...at, name: chain.name, ...hookOf(chain) } })),
    ...sets.map((set) => ({
      [set.kind]: {
        ...at,
        name: set.name,
        type: set.type,
        ...(set.kind === "map" ? { map: "verdict" } : {}),
        elem: (bySet.get(set.name) ?? []).map(elementIn),
      },
    })),
    ...chains.flatMap((chain) =>
      chain.rules.map((rule) => ({
        rule: { ...at, chain: chain.name, comment: commentOf(rule), expr: statementsIn(rule.text) },
      })),
    ),
  ];
}

function hookOf({ hook }: Chain): object {
  return hook === undefined ? {} : { type: hook.type, hook: hook.hook, prio: hook.priority, policy: hook.policy };
}

function elementIn({ key, target }: Element): unknown {
  return target === undefined ? parseElement(key) : [parseElement(key), { goto: { target } }];
}

function statementsIn(text: string): readonly unknown[] {
  try {
    return parseRule(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) return [{ [`"${text}"`]: null }];
    throw cause;
  }
}
