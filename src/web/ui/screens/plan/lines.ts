import type { ReviewView } from "../../../planner/schema.ts";

export type Mark = { readonly tone: "bad" | "change" | "good"; readonly text: string };
/** A line of the fleet file, numbered from 1, with what is said of it. */
export type Line = { readonly number: number; readonly text: string; readonly marks: readonly Mark[] };

/** The line in `fleet.yaml:60:5 tests[0]`; undefined where none is named. */
export function lineIn(at: string): number | undefined {
  const found = /:(\d{1,7}):\d+(?:\s|$)/.exec(at)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Findings and failed tests stand at their lines, and tests that pass too: so it shows that they were asked. */
export function linesOf(review: ReviewView): readonly Line[] {
  const marks = new Map<number, Mark[]>();
  const put = (at: string, mark: Mark): void => {
    const line = lineIn(at);
    if (line === undefined) return;
    const list = marks.get(line);
    if (list === undefined) marks.set(line, [mark]);
    else list.push(mark);
  };
  for (const { at, code, severity, text } of review.findings)
    put(at, { tone: severity === "error" ? "bad" : "change", text: `${code} ${text}` });
  for (const { at, name, what, want, passed } of review.tests)
    put(at, { tone: passed ? "good" : "bad", text: `${name} ${what} ${passed ? "is" : "is not"} ${want}` });
  return review.text
    .replace(/\n$/, "")
    .split("\n")
    .map((text, at) => ({ number: at + 1, text, marks: marks.get(at + 1) ?? [] }));
}

/** The worst of them, for the dot beside the line. */
export function worstOf(marks: readonly Mark[]): Mark["tone"] | undefined {
  for (const tone of ["bad", "change", "good"] as const) if (marks.some((mark) => mark.tone === tone)) return tone;
  return undefined;
}

/** What a line of a change says: by its sign, after the two spaces that patches are set in by. */
export function signOf(line: string): "add" | "remove" | "change" | "place" | "same" {
  const bare = line.trimStart();
  if (bare.startsWith("@@")) return "place";
  if (bare.startsWith("+")) return "add";
  if (bare.startsWith("-")) return "remove";
  return bare.startsWith("~") ? "change" : "same";
}

/** Whole seconds until a moment, never less than none. */
export function secondsLeft(deadline: number, now: number): number {
  return Math.max(0, Math.ceil((deadline - now) / 1000));
}
