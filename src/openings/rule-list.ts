import { fault } from "./parts.ts";
import { type Fault, isFault } from "./fault.ts";
import type { Request } from "./request.ts";
import { parseRule } from "./rule.ts";

/** A fault with its line, from 0. */
export type Misplaced = { readonly line: number; readonly column: number; readonly fault: Fault };

/**
 * Reads the rules of `sixgate.open`, separated by `;` or by the end of a line; `#` starts a comment, which ends with
 * the line. A `;` in a comment is refused, since people read what follows as a rule or as text, one or the other.
 */
export function parseRuleList(label: string, text: string): { requests: readonly Request[]; faults: readonly Misplaced[] } {
  const requests: Request[] = [];
  const faults: Misplaced[] = [];
  for (const [line, raw] of text.split("\n").entries()) {
    const full = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const { rules, comment, wrong } = uncomment(full);
    if (wrong !== undefined) {
      faults.push({ line, column: columnOf(full, wrong.column), fault: wrong });
      continue;
    }
    let column = 0;
    for (const part of rules.split(";")) {
      const rule = parseRule(part, column);
      const start = column + (part.length - part.trimStart().length);
      column += part.length + 1;
      if (rule === undefined) continue;
      if (isFault(rule)) {
        faults.push({ line, column: columnOf(full, rule.column), fault: rule });
        continue;
      }
      const { wanted, from, lasting } = rule.value;
      const at = `${label}:${line + 1}:${columnOf(full, start)}`;
      const why = comment === "" ? {} : { why: comment };
      for (const each of wanted) requests.push({ wanted: each, from, lasting, ...why, at });
    }
  }
  return { requests, faults };
}

function uncomment(line: string): { rules: string; comment: string; wrong?: Fault } {
  const mark = line.indexOf("#");
  if (mark < 0) return { rules: line, comment: "" };
  const comment = line.slice(mark + 1);
  const split = { rules: line.slice(0, mark), comment: comment.trim() };
  const semicolon = comment.indexOf(";");
  if (semicolon < 0) return split;
  const text = 'Comment with a ";": what follows may be meant as a rule';
  return { ...split, wrong: fault("E909", mark + 1 + semicolon, text, "end the line before the next rule, or take the ; out") };
}

/** As people count: from 1, in characters. */
export function columnOf(line: string, unit: number): number {
  return Array.from(line.slice(0, unit)).length + 1;
}
