import { printable } from "../base/printable.ts";
import type { Wrong } from "../base/wrong.ts";

/**
 * What is wrong in a container's labels, and where: the key, the number of the rule in a list (from 1), the column in
 * that rule (from 1, in UTF-16 units). Without a rule it is the whole label that is meant. Every text in it is encoded.
 */
export type LabelProblem = Wrong & {
  readonly key: string;
  readonly rule?: number;
  readonly column?: number;
  /** The rule, or the label's value, as it was written: encoded and cut, for people. */
  readonly shown: string;
};

/** What is wrong at a column of one text. */
export type Slip = Wrong & { readonly column: number };

const longest = 200;

/** What a label says, for terminals, logs and pages: encoded, and cut at 200 characters. */
export function shown(text: string): string {
  return printable(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

/** `sixgate.open rule 2 column 4`. */
export function formatPlace(place: Pick<LabelProblem, "key" | "rule" | "column">): string {
  const rule = place.rule === undefined ? "" : ` rule ${place.rule}`;
  return `${place.key}${rule}${place.column === undefined ? "" : ` column ${place.column}`}`;
}
