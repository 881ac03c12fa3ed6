import { compareKeys } from "../base/order.ts";
import { quote } from "../base/quote.ts";
import { type Read, type Wrong, wrong } from "../base/wrong.ts";
import { type ListOf, readCommaList } from "./comma-list.ts";
import { labelPrefix, type RuleField, readLabelKey } from "./label-key.ts";
import { labelLimits } from "./label-limits.ts";
import { type LabelProblem, shown } from "./label-problem.ts";
import { parseNamedRule, showFields } from "./named-rule.ts";
import { parseRule, type Rule } from "./rule.ts";
import { splitRules } from "./rule-list.ts";
import { tokensOf, trimBlanks } from "./token.ts";

/** A rule and where it stands. */
export type LabelRule = Rule & {
  /** `sixgate.open`, or `sixgate.rule.web`. */
  readonly key: string;
  /** In a list: which rule it is, from 1. */
  readonly number?: number;
  /** As it was written, encoded and cut: for people. */
  readonly shown: string;
};

/** All that a container's labels say. */
export type LabelReading = {
  /** Those of `sixgate.open` in their order, then the named ones by name. */
  readonly rules: readonly LabelRule[];
  /** Networks whose addresses count; absent: all of them. */
  readonly networks?: readonly string[];
  readonly problems: readonly LabelProblem[];
};

type Entry = readonly [key: string, value: string];
type Builder = {
  readonly rules: LabelRule[];
  readonly problems: LabelProblem[];
  readonly named: Map<string, Map<RuleField, string>>;
  readonly brokenNames: Set<string>;
  networks?: readonly string[];
  closed: boolean;
};

/**
 * Reads a container's labels; those of others are passed over. Total: any text gives rules or problems.
 *
 * A rule that can't be read is refused whole, and the others stand. What may have been meant to narrow closes all of
 * them: an unknown key (`sixgate.netwrok`), a `network` or `enable` that can't be read, labels beyond `labelLimits`.
 * With `enable=false` there are no rules.
 */
export function parseLabels(labels: Readonly<Record<string, string>>): LabelReading {
  const entries = Object.entries(labels)
    .filter(([key]) => key.startsWith(labelPrefix))
    .sort(([a], [b]) => compareKeys(a, b));
  const excess = excessOf(entries);
  if (excess !== undefined) return { rules: [], problems: [excess] };
  const built: Builder = { rules: [], problems: [], named: new Map(), brokenNames: new Set(), closed: false };
  for (const entry of entries) readEntry(built, entry);
  for (const [name, fields] of built.named) addNamed(built, name, fields);
  const { problems, networks } = built;
  return { rules: built.closed ? [] : built.rules, problems, ...(networks === undefined ? {} : { networks }) };
}

function readEntry(built: Builder, [key, value]: Entry): void {
  const read = readLabelKey(key);
  if (!("value" in read)) {
    built.problems.push(problem(read, key, value));
    if (read.code === "E902") built.closed = true;
    else if (key.startsWith(`${labelPrefix}rule.`)) built.brokenNames.add(key.split(".")[2] ?? "");
    return;
  }
  const label = read.value;
  switch (label.kind) {
    case "open":
      return addList(built, key, value);
    case "enable":
      return readEnable(built, key, value);
    case "network":
      return readNetworks(built, key, value);
    case "rule": {
      const fields = built.named.get(label.name) ?? new Map<RuleField, string>();
      built.named.set(label.name, fields.set(label.field, value));
    }
  }
}

function addList(built: Builder, key: string, value: string): void {
  const listed = splitRules(value);
  if (listed.length > labelLimits.rules) {
    const text = `${listed.length} rules in one label`;
    built.problems.push(problem(wrong("E901", text, `keep it to ${labelLimits.rules}; ranges say more`), key, value));
    return;
  }
  if (listed.length === 0)
    built.problems.push(problem(wrong("E904", "Label has no rule in it", "write ports, or take it away"), key, value));
  for (const { number, text } of listed) {
    const read = parseRule(text);
    if (read.ok) built.rules.push({ ...read.rule, key, number, shown: shown(text) });
    else for (const slip of read.slips) built.problems.push({ ...slip, key, rule: number, shown: shown(text) });
  }
}

/** A rule with a label that is kept for later (`rate`) is not opened without it. */
function addNamed(built: Builder, name: string, fields: ReadonlyMap<RuleField, string>): void {
  const rule = parseNamedRule(name, fields);
  if (!("services" in rule)) built.problems.push(...rule);
  else if (!built.brokenNames.has(name))
    built.rules.push({ ...rule, key: `${labelPrefix}rule.${name}`, shown: showFields(fields) });
}

function readEnable(built: Builder, key: string, value: string): void {
  if (value === "true") return;
  built.closed = true;
  if (value === "false") return;
  const what = wrong("E908", `Not true or false: ${quote(value)}`, "write true or false; until then nothing is opened");
  built.problems.push(problem(what, key, value));
}

const networkList: ListOf<string> = { one: "a network", most: 16, read: readNetwork };

function readNetworks(built: Builder, key: string, value: string): void {
  const tokens = tokensOf(value);
  const { values, slips, next } = readCommaList(tokens, 0, networkList);
  const rest = tokens[next];
  if (slips.length === 0 && rest === undefined) {
    built.networks = values;
    return;
  }
  built.closed = true;
  const stray = wrong("E908", `Comma missing before ${quote(rest?.text ?? "")}`, "write commas between networks");
  const all = rest === undefined ? slips : [...slips, { ...stray, column: rest.column }];
  for (const slip of all) built.problems.push({ ...slip, key, shown: shown(trimBlanks(value)) });
}

function readNetwork(word: string): Read<string> {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(word)
    ? { value: word }
    : wrong(
        "E908",
        `Not a name of a network: ${quote(word)}`,
        "write a network's name as `docker network ls` shows it",
      );
}

/** Before anything is read: so that no label costs more than its share of time. */
function excessOf(entries: readonly Entry[]): LabelProblem | undefined {
  const [first = ["", ""]] = entries;
  if (entries.length > labelLimits.labels)
    return problem(wrong("E901", `${entries.length} labels`, `keep it to ${labelLimits.labels}`), first[0], "");
  let total = 0;
  for (const [key, value] of entries) {
    total += key.length + value.length;
    const [what, length, most] =
      key.length > labelLimits.key ? ["Key", key.length, labelLimits.key] : ["Value", value.length, labelLimits.value];
    if (length > most)
      return problem(wrong("E901", `${what} of ${length} characters`, `keep it to ${most}`), key, value);
  }
  return total <= labelLimits.total
    ? undefined
    : problem(wrong("E901", `Labels of ${total} characters`, `keep all of them to ${labelLimits.total}`), first[0], "");
}

function problem(what: Wrong, key: string, value: string): LabelProblem {
  return { ...what, key: shown(key), shown: shown(value) };
}
