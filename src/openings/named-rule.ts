import { quote } from "../base/quote.ts";
import { type Wrong, wrong } from "../base/wrong.ts";
import { type ListOf, readCommaList } from "./comma-list.ts";
import { readComment } from "./comment.ts";
import { labelPrefix, type RuleField, ruleFields } from "./label-key.ts";
import { type LabelProblem, shown } from "./label-problem.ts";
import { readProtocol } from "./protocol.ts";
import { forList, portsList, type Rule, ruleOf, sourceList, untilList } from "./rule.ts";
import { tokensOf, trimBlanks } from "./token.ts";

/** The labels of one rule by field, as they were written. */
export type NamedFields = ReadonlyMap<RuleField, string>;

/**
 * A rule that is written as labels of its own, `sixgate.rule.<name>.ports` and so on, for tools that fill in templates.
 * Each value is what stands at that place of a rule in a list. What is wrong in one of them refuses the rule.
 */
export function parseNamedRule(name: string, fields: NamedFields): Rule | readonly LabelProblem[] {
  const problems: LabelProblem[] = [];
  const complain = (field: RuleField, what: Wrong, column?: number): void => {
    const key = `${labelPrefix}rule.${name}.${field}`;
    problems.push({ ...what, key, ...(column === undefined ? {} : { column }), shown: shown(fields.get(field) ?? "") });
  };
  function list<T>(field: RuleField, of: ListOf<T>): readonly T[] | undefined {
    const value = fields.get(field);
    if (value === undefined) return undefined;
    const tokens = tokensOf(value);
    const { values, slips, next } = readCommaList(tokens, 0, of);
    const rest = tokens[next];
    for (const { column, ...what } of slips) complain(field, what, column);
    if (rest !== undefined) complain(field, notTheEnd(rest.text), rest.column);
    return values;
  }
  const proto = fields.get("proto");
  const transports = proto === undefined ? undefined : readProtocol(trimBlanks(proto));
  if (transports !== undefined && !("value" in transports)) complain("proto", transports, 1);
  const ports = list(
    "ports",
    portsList(transports !== undefined && "value" in transports ? transports.value : undefined),
  );
  const from = list("from", sourceList);
  const leases = [list("for", forList), list("until", untilList)].flatMap((each) => each ?? []);
  const comment = readComment(trimBlanks(fields.get("desc") ?? ""));
  if (!("value" in comment)) complain("desc", comment, 1);
  if (fields.has("for") && fields.has("until"))
    complain("until", wrong("E904", "More than one of for and until", "keep the one that is meant"));
  if (ports === undefined)
    complain("ports", wrong("E908", `Rule ${quote(name)} opens nothing`, `add ${labelPrefix}rule.${name}.ports`));
  if (problems.length > 0 || ports === undefined || !("value" in comment)) return problems;
  return ruleOf(ports, from, leases[0], comment.value);
}

function notTheEnd(word: string): Wrong {
  const fix = "write commas in a list; clauses and comments have labels of their own, another rule has another name";
  return wrong("E904", `Expected a comma or the end, found ${quote(word)}`, fix);
}

/** `ports=80 from=@office`: for people, encoded. */
export function showFields(fields: NamedFields): string {
  const said = ruleFields.filter((field) => fields.has(field)).map((field) => `${field}=${fields.get(field) ?? ""}`);
  return shown(said.join(" "));
}
