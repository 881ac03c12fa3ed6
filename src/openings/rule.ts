import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Wrong, wrong } from "../base/wrong.ts";
import type { Transport } from "../net/transport.ts";
import { type ListOf, readCommaList } from "./comma-list.ts";
import { readComment } from "./comment.ts";
import { labelLimits } from "./label-limits.ts";
import type { Slip } from "./label-problem.ts";
import { type Lease, readFor, readUntil } from "./lease.ts";
import type { Service } from "./opening.ts";
import { type Ports, readPorts } from "./ports.ts";
import { mergeServices } from "./services.ts";
import { anywhere, readSource, type Source } from "./source.ts";
import { type Token, tokensOf, trimBlanks } from "./token.ts";

/** What a rule of a label asks for, before anything is looked up. */
export type Rule = {
  /** Merged and sorted; empty where only `published` is asked for. */
  readonly services: readonly Service[];
  readonly published: boolean;
  /** Never empty: anywhere where the rule doesn't say. */
  readonly from: readonly Source[];
  readonly lease?: Lease;
  readonly comment?: string;
};

/** A rule, or all that is wrong with it. There is no third: what can't be read in part is refused whole. */
export type RuleReading =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly slips: readonly Slip[] };

export function portsList(proto?: readonly Transport[]): ListOf<Ports> {
  return { one: "a port", most: labelLimits.ports, read: (word) => readPorts(word, proto) };
}
export const sourceList: ListOf<Source> = { one: "a source", most: labelLimits.sources, read: readSource };
export const forList: ListOf<Lease> = { one: "a length of time", most: 1, read: readFor };
export const untilList: ListOf<Lease> = { one: "a time", most: 1, read: readUntil };

const keywords = ["from", "for", "until"];

/**
 * `rule = ports ["from" sources] ["for" duration / "until" time] ["#" comment]`, clauses in any order. `text` is one
 * rule of a list, without blanks at its ends, not empty.
 */
export function parseRule(text: string): RuleReading {
  const hash = text.indexOf("#");
  const tokens = tokensOf(hash < 0 ? text : text.slice(0, hash));
  const slips: Slip[] = [];
  const said = trimBlanks(hash < 0 ? "" : text.slice(hash + 1));
  const comment = readComment(said);
  if (!("value" in comment)) slips.push({ ...comment, column: hash + 1 });
  const first = tokens[0];
  if (first !== undefined && keywords.includes(first.text)) {
    const slip = wrong("E904", `Expected a port before ${quote(first.text)}`, "write what is to be opened first");
    return { ok: false, slips: [...slips, { ...slip, column: 1 }] };
  }
  const ports = readCommaList(tokens, 0, portsList());
  const clauses = readClauses(tokens, ports.next);
  slips.push(...ports.slips, ...clauses.slips);
  if (slips.length > 0) return { ok: false, slips };
  return { ok: true, rule: ruleOf(ports.values, clauses.from, clauses.lease, said) };
}

/** `from` undefined is anywhere; an empty comment is none. */
export function ruleOf(
  ports: readonly Ports[],
  from: readonly Source[] | undefined,
  lease: Lease | undefined,
  comment: string,
): Rule {
  return {
    services: mergeServices(ports.flatMap((each) => (each.kind === "services" ? each.services : []))),
    published: ports.some((each) => each.kind === "published"),
    from: from ?? [{ kind: "prefix", prefix: anywhere }],
    ...(lease === undefined ? {} : { lease }),
    ...(comment === "" ? {} : { comment }),
  };
}

type Clauses = { readonly from?: readonly Source[]; readonly lease?: Lease; readonly slips: readonly Slip[] };

function readClauses(tokens: readonly Token[], start: number): Clauses {
  const slips: Slip[] = [];
  let from: readonly Source[] | undefined;
  let lease: Lease | undefined;
  const seen = new Set<string>();
  for (let at = start; at < tokens.length; ) {
    const { text, column } = tokens[at] as Token;
    const kind = text === "from" ? text : "lease";
    if (!keywords.includes(text))
      return { slips: [...slips, { ...strayWord(text, tokens[at - 1]?.text ?? ""), column }] };
    if (seen.has(kind)) return { slips: [...slips, { ...twice(kind), column }] };
    seen.add(kind);
    if (kind === "from") {
      const list = readCommaList(tokens, at + 1, sourceList);
      from = list.values;
      slips.push(...list.slips);
      at = list.next;
    } else {
      const list = readCommaList(tokens, at + 1, text === "for" ? forList : untilList);
      lease = list.values[0];
      slips.push(...list.slips);
      at = list.next;
    }
  }
  return { slips, ...(from === undefined ? {} : { from }), ...(lease === undefined ? {} : { lease }) };
}

function twice(kind: "from" | "lease"): ReturnType<typeof wrong> {
  return kind === "from"
    ? wrong("E904", "from is there twice", "name all sources in one list, with commas")
    : wrong("E904", "More than one of for and until", "keep the one that is meant");
}

/** What stands where a clause or the end should be. */
function strayWord(word: string, before: string): Wrong {
  if (/^[-/]/.test(word)) return wrong("E904", `Blank before ${quote(word)}`, "take the blank away");
  const alike = [readPorts, readSource].some((read) => "value" in read(word) && "value" in read(before));
  if (alike)
    return wrong(
      "E904",
      `Comma missing before ${quote(word)}`,
      "write a comma, or ; or a new line before another rule",
    );
  const text = `Expected from, for, until or the end, found ${quote(word)}${didYouMean(word, keywords)}`;
  return wrong("E904", text, "a rule is ports, then from, for or until, then # and a comment");
}
