import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import { printable } from "../base/printable.ts";
import { quote } from "../base/quote.ts";
import { failed, ok, type Result } from "../base/result.ts";
import { type Places, placesIn } from "./places.ts";

export type YamlFile = { readonly value: unknown; readonly places: Places };

/** UTF-16 units. 4,094 hosts with 14 networks each take about 2 million. */
const longestFile = 16_000_000;
/** How often nodes may be repeated through aliases, counted as `yaml` does. */
const mostAliases = 100;

/** One slip can make all the lines below it wrong; who mends twenty may ask again. */
const mostErrors = 20;

/** YAML 1.2, one document, unique keys, no custom tags; aliases are bounded. Every syntax error is in the answer. */
export function readYaml(text: string, file: string): Result<YamlFile> {
  if (text.length > longestFile)
    return refused("E105", file, `File has ${text.length} characters`, `keep it under ${longestFile}`);
  const lines = new LineCounter();
  try {
    const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, version: "1.2" });
    // The parser catches its own overflow and reports it as a syntax error, at a depth that differs from run to run.
    if (doc.errors.some(({ message }) => message.includes("call stack"))) throw new RangeError("Nested too deep");
    const errors = [...doc.errors, ...doc.warnings]
      .slice(0, mostErrors)
      .map((each) => describe(each, text, file, lines));
    errors.push(...refusedKeys(doc, file, lines));
    if (errors.length > 0) return failed(errors);
    const value: unknown = doc.toJS({ maxAliasCount: mostAliases });
    return ok({ value, places: placesIn(file, doc, lines) });
  } catch (cause) {
    return refused(
      "E105",
      file,
      tooMuch(cause),
      "write the values out: a fleet file is six levels deep, and aliases may repeat a little, not multiply",
    );
  }
}

function tooMuch(cause: unknown): string {
  if (cause instanceof RangeError) return "Nested too deep";
  if (cause instanceof ReferenceError) return `Aliases can't be followed: ${printable(cause.message)}`;
  throw cause;
}

function refused<T>(code: Code, at: string, text: string, fix: string): Result<T> {
  return failed([{ code, severity: "error", at, text, fix }]);
}

type YamlProblem = { readonly code: string; readonly message: string; readonly pos: readonly [number, number] };

function describe(problem: YamlProblem, text: string, file: string, lines: LineCounter): Diagnostic {
  const { line, col } = lines.linePos(problem.pos[0]);
  const found = text.split("\n", line).at(-1) ?? "";
  const message =
    problem.code === "MULTIPLE_DOCS"
      ? "More than one document"
      : `Not YAML: ${printable(problem.message.split("\n", 1)[0] ?? "")}`;
  return {
    code: "E101",
    severity: "error",
    at: `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`,
    text: `${message} in ${quote(found.trim())}`,
    fix: fixFor(problem.code, found),
  };
}

function fixFor(code: string, line: string): string {
  const open = /[0-9a-f:]*::(?=\s*(?:[,}\]#]|$))/i.exec(line);
  if (code === "TAB_AS_INDENT") return "indent with spaces";
  if (code === "MULTIPLE_DOCS") return "keep one document in the file: remove the `---` between them";
  if (open !== null) return `quote it: "${open[0]}" (a plain YAML scalar can't end in a colon)`;
  if (/[[,:-]\s*@/.test(line)) return "write the group's name without @";
  return "correct the syntax of this line, or the indentation of the one before";
}

/**
 * Keys that are given twice, that a JavaScript object could mistake for its own, or that aren't scalars. The parser
 * could find the first kind too, but compares each key with each: 4,094 hosts take it 0.2 s, and more the square.
 */
function refusedKeys(doc: Document, file: string, lines: LineCounter): readonly Diagnostic[] {
  const errors: Diagnostic[] = [];
  visit(doc, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const wrong = refusal(key, seen);
        if (wrong === undefined) continue;
        const { line, col } = lines.linePos(isNode(key) ? (key.range?.[0] ?? 0) : 0);
        errors.push({ ...wrong, severity: "error", at: `${file}:${line}:${col}` });
      }
    },
  });
  return errors;
}

function refusal(key: unknown, seen: Set<string>): Pick<Diagnostic, "code" | "text" | "fix"> | undefined {
  if (!isScalar(key)) return { code: "E110", text: "A key has to be a word, found a list or a map", fix: "remove it" };
  const name = String(key.value);
  if (name === "__proto__") return { code: "E110", text: `Unknown key ${quote(name)}`, fix: "remove it" };
  if (seen.has(name)) return { code: "E102", text: `Key given twice: ${quote(name)}`, fix: "keep one of the two" };
  seen.add(name);
  return undefined;
}
