/** A case of a file: its title, the labels, and what is said about them. */
export type LabelCase = {
  readonly title: string;
  /** The input as it stands in the file, to be written back. */
  readonly input: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

export type CaseFile = { readonly head: readonly string[]; readonly cases: readonly LabelCase[] };

/**
 * A file of cases: words about the rule, then for each case a line `== title`, labels as `key=value`, a line `--`, and
 * the outcome. A value in double quotes is JSON; `*4096` behind it repeats it so often.
 */
export function parseCaseFile(text: string): CaseFile {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, i) => (line.startsWith("== ") ? [i] : []));
  return {
    head: lines.slice(0, starts[0] ?? lines.length).filter((line) => line !== ""),
    cases: starts.map((start, i) => parseCase(lines.slice(start, starts[i + 1] ?? lines.length))),
  };
}

function parseCase([title = "", ...lines]: readonly string[]): LabelCase {
  const end = lines.indexOf("--");
  const input = lines.slice(0, end < 0 ? lines.length : end).filter((line) => line !== "");
  return { title: title.slice(3), input, labels: Object.fromEntries(input.map(parseLabel)) };
}

function parseLabel(line: string): readonly [string, string] {
  const match = /^("(?:[^"\\]|\\.)*"(?:\*[0-9]+)?|[^="]+)=(.*)$/.exec(line);
  if (match === null) throw new Error(`Not key=value: ${line}`);
  return [value(match[1] ?? ""), value(match[2] ?? "")];
}

function value(text: string): string {
  const match = /^(".*")(?:\*([0-9]+))?$/.exec(text);
  return match === null ? text : String(JSON.parse(match[1] ?? "")).repeat(Number(match[2] ?? 1));
}

/** The file with the outcomes that `say` gives. */
export function formatCaseFile({ head, cases }: CaseFile, say: (each: LabelCase) => readonly string[]): string {
  const parts = cases.map((each) => [`== ${each.title}`, ...each.input, "--", ...say(each), ""].join("\n"));
  return [...head, "", ...parts].join("\n");
}
