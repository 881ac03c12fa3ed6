import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import type { Slip } from "./label-problem.ts";
import type { Token } from "./token.ts";

/** What a list is of: for messages `a port`, the most there may be, and how one word is read. */
export type ListOf<T> = {
  readonly one: string;
  readonly most: number;
  readonly read: (word: string) => Read<T>;
};

/** `next` is the first token behind the list; where the list itself is broken, the end of the text. */
export type CommaList<T> = { readonly values: readonly T[]; readonly slips: readonly Slip[]; readonly next: number };

/** `list = word *("," word)`, from the token at `start` on. Every word that can't be read is named. */
export function readCommaList<T>(tokens: readonly Token[], start: number, list: ListOf<T>): CommaList<T> {
  const values: T[] = [];
  const slips: Slip[] = [];
  const broken = (slip: Slip): CommaList<T> => ({ values, slips: [...slips, slip], next: tokens.length });
  for (let at = start; ; at += 2) {
    const token = tokens[at];
    if (token === undefined || token.text === ",") return broken(nothing(tokens, at, list.one));
    if ((at - start) / 2 >= list.most) return broken(tooMany(token, list));
    const read = list.read(token.text);
    if ("value" in read) values.push(read.value);
    else slips.push({ ...read, column: token.column });
    if (tokens[at + 1]?.text !== ",") return { values, slips, next: at + 1 };
  }
}

function nothing(tokens: readonly Token[], at: number, one: string): Slip {
  const [token, before] = [tokens[at], tokens[at - 1]];
  const column = token?.column ?? (before === undefined ? 1 : before.column + before.text.length);
  const found = token === undefined ? "the end" : "a comma";
  const behind = before === undefined ? "" : ` behind ${quote(before.text)}`;
  const fix = before?.text === "," || token !== undefined ? "take the comma away, or complete the list" : "complete it";
  return { ...wrong("E904", `Expected ${one}${behind}, found ${found}`, fix), column };
}

function tooMany<T>(token: Token, { one, most }: ListOf<T>): Slip {
  return most === 1
    ? { ...wrong("E904", `Expected only ${one}, found more: ${quote(token.text)}`, "write one"), column: token.column }
    : { ...wrong("E901", `More than ${most} in one list`, "make it two rules"), column: token.column };
}
