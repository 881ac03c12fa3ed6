import { isName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";

/** What keys of labels begin with. */
export const labelPrefix = "sixgate.";

export const ruleFields = ["ports", "proto", "from", "for", "until", "desc"] as const;
export type RuleField = (typeof ruleFields)[number];

export type LabelKey =
  | { readonly kind: "open" }
  | { readonly kind: "network" }
  | { readonly kind: "enable" }
  | { readonly kind: "rule"; readonly name: string; readonly field: RuleField };

const whole = ["open", "network", "enable"] as const;
/** Names that are kept for what is to come. */
const reserved = ["dns", "ptr", "egress", "address"];
const reservedFields = ["log", "rate"];

/**
 * `sixgate.open`, `.network`, `.enable`, `.rule.<name>.<field>`. E902 for a key that nothing knows, E903 for one that
 * is kept but not acted on.
 */
export function readLabelKey(key: string): Read<LabelKey> {
  const [word = "", ...rest] = key.slice(labelPrefix.length).split(".");
  if (word === "rule") return readRuleKey(key, rest);
  if (rest.length === 0 || reserved.includes(word)) {
    const kind = whole.find((each) => each === word);
    if (kind !== undefined) return { value: { kind } };
    if (reserved.includes(word)) return notYet(key);
  }
  const known = [...whole.map((each) => `${labelPrefix}${each}`), `${labelPrefix}rule`];
  return wrong("E902", `Unknown label ${quote(key)}${didYouMean(key, known)}`, `use ${known.join(", ")}.NAME.ports`);
}

function readRuleKey(key: string, [name = "", word = "", ...rest]: readonly string[]): Read<LabelKey> {
  const field = ruleFields.find((each) => each === word);
  if (isName(name) && rest.length === 0) {
    if (field !== undefined) return { value: { kind: "rule", name, field } };
    if (reservedFields.includes(word)) return notYet(key);
  }
  const fix = `write ${labelPrefix}rule.NAME. and one of ${ruleFields.join(", ")}; NAME is a-z, 0-9 and -`;
  const meant = field === undefined ? didYouMean(word, ruleFields) : "";
  return wrong("E902", `Unknown label ${quote(key)}${meant}`, fix);
}

function notYet(key: string): Read<LabelKey> {
  return wrong("E903", `Label ${quote(key)} is kept for later and does nothing`, "take it away");
}
