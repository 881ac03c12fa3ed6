import { didYouMean } from "../base/nearest.ts";
import { fault, readDuration, readInstant, readList, readSources, readWanted } from "./parts.ts";
import { isFault, quoted, type Read } from "./fault.ts";
import type { Lasting, Request, Source, Wanted } from "./request.ts";
import { type Token, tokensOf } from "./token.ts";

/** A rule before it is known where it stands. */
export type Rule = { readonly wanted: readonly Wanted[] } & Pick<Request, "from" | "lasting">;

const words = ["from", "for", "until"];

/**
 * Reads one rule, whole: `ports ["/" proto] ["from" src *("," src)] ["for" dur / "until" time]`. `column` is where
 * `text` starts in its line. Undefined for a text of blanks. Takes time in proportion to the text's length.
 */
export function parseRule(text: string, column: number): Read<Rule> | undefined {
  const tokens = tokensOf(text, column);
  if (tokens.length === 0) return undefined;
  const end = column + text.length;
  const head = readPorts(tokens, end);
  if (isFault(head)) return head;
  const sources = readFrom(tokens, head.value.next, end);
  if (isFault(sources)) return sources;
  const lasting = readLasting(tokens, sources.value.next, end);
  if (isFault(lasting)) return lasting;
  const rest = tokens[lasting.value.next];
  if (rest !== undefined) return unexpected(rest);
  return { value: { wanted: head.value.wanted, from: sources.value.from, lasting: lasting.value.lasting } };
}

type Next<T> = Read<T & { readonly next: number }>;

function readPorts(tokens: readonly Token[], end: number): Next<{ wanted: readonly Wanted[] }> {
  const list = readList(tokens, 0, end);
  if (isFault(list)) return list;
  const { words: listed, next } = list.value;
  const last = listed.at(-1);
  const slash = last?.text.indexOf("/") ?? -1;
  if (last === undefined || slash < 0) return withNext(readWanted(listed, undefined), next);
  const ports = [...listed.slice(0, -1), { text: last.text.slice(0, slash), column: last.column }];
  const proto = { text: last.text.slice(slash + 1), column: last.column + slash + 1 };
  return withNext(readWanted(ports, proto), next);
}

function withNext(wanted: Read<readonly Wanted[]>, next: number): Next<{ wanted: readonly Wanted[] }> {
  return isFault(wanted) ? wanted : { value: { wanted: wanted.value, next } };
}

const anywhere: readonly Source[] = [{ kind: "any" }];

function readFrom(tokens: readonly Token[], at: number, end: number): Next<{ from: readonly Source[] }> {
  if (tokens[at]?.text !== "from") return { value: { from: anywhere, next: at } };
  const list = readList(tokens, at + 1, end);
  if (isFault(list)) return list;
  const from = readSources(list.value.words);
  return isFault(from) ? from : { value: { from: from.value, next: list.value.next } };
}

function readLasting(tokens: readonly Token[], at: number, end: number): Next<{ lasting: Lasting }> {
  const word = tokens[at]?.text;
  if (word !== "for" && word !== "until") return { value: { lasting: { kind: "run" }, next: at } };
  const value = tokens[at + 1] ?? { text: "", column: end };
  const next = at + 2;
  if (word === "for") {
    const length = readDuration(value);
    return isFault(length) ? length : { value: { lasting: { kind: "for", seconds: length.value }, next } };
  }
  const time = readInstant(value);
  return isFault(time) ? time : { value: { lasting: { kind: "until", at: time.value }, next } };
}

function unexpected({ text, column }: Token): Read<never> {
  const fix = words.includes(text)
    ? "write each once, in this order: ports, from, then for or until"
    : "write ports[/transport] [from sources] [for 2h | until time], and a ; between rules";
  return fault("E903", column, `Not expected here: ${quoted(text)}${didYouMean(text, words)}`, fix);
}
