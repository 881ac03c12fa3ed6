import { unquoted, wordsOf } from "./words.ts";

export type Counter = { readonly packets: number; readonly bytes: number };

/** A line of `pfctl -vvsr` or `-vvsn`. A line that opens an anchor has what is in it as `inner`. */
export type RuleLine = {
  readonly text: string;
  readonly words: readonly string[];
  readonly number?: number;
  readonly counter?: Counter;
  readonly inner?: readonly RuleLine[];
  /** Names of the anchors around it, joined by `/`; "" in the main rules. */
  readonly anchor: string;
};

type Open = {
  text: string;
  words: readonly string[];
  number?: number;
  counter?: Counter;
  inner?: Open[];
  anchor: string;
};

/**
 * Reads what `pfctl -a '*' -vvsr` prints (FreeBSD 12 to 15): a rule a line, `@N` before it, counters in brackets below,
 * the rules of an anchor in braces. Throws a RangeError where braces do not close.
 */
export function parseLines(text: string): readonly RuleLine[] {
  const top: Open[] = [];
  const open: { lines: Open[]; anchor: string }[] = [{ lines: top, anchor: "" }];
  let last: Open | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const level = open.at(-1);
    if (line === "" || level === undefined) continue;
    const counted = /^\[ Evaluations: .*Packets: (\d+) +Bytes: (\d+)/.exec(line);
    if (counted !== null) {
      if (last !== undefined) last.counter = { packets: Number(counted[1]), bytes: Number(counted[2]) };
    } else if (line.startsWith("[")) continue;
    else if (line === "}") open.pop();
    else {
      last = lineOf(line, level.anchor);
      level.lines.push(last);
      if (last.inner !== undefined) open.push({ lines: last.inner, anchor: innerName(level.anchor, last.words) });
    }
  }
  if (open.length !== 1) throw new RangeError("Braces of anchors do not close");
  return top;
}

function lineOf(line: string, anchor: string): Open {
  const [, number, rest = line] = /^@(\d+)(?:\(\d+\))? (.*)$/.exec(line) ?? [];
  const opens = rest.endsWith("{");
  const text = opens ? rest.replace(/\s*\{$/, "") : rest;
  return {
    text,
    words: wordsOf(text),
    ...(number === undefined ? {} : { number: Number(number) }),
    ...(opens ? { inner: [] } : {}),
    anchor,
  };
}

/** `anchor "userrules/*"` is the place of all that are below it, which come as anchors of their own. */
function innerName(around: string, words: readonly string[]): string {
  const name = words[1]?.startsWith('"') === true ? unquoted(words[1]).replace(/\/?\*$/, "") : "";
  if (name === "") return around;
  return around === "" || name.startsWith("/") ? name.replace(/^\//, "") : `${around}/${name}`;
}

/** Every line, those in anchors too. */
export function allLines(lines: readonly RuleLine[]): readonly RuleLine[] {
  return lines.flatMap((line) => [line, ...allLines(line.inner ?? [])]);
}
