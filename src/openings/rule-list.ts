import { trimBlanks } from "./token.ts";

/** A rule of a list as it was written, and which one it is, from 1. */
export type ListedRule = { readonly number: number; readonly text: string };

/**
 * `list = rule *((";" / newline) rule)`. A comment ends where its rule ends, so at a `;` too. Empty places and lines
 * that are only a comment are no rules, and don't count.
 */
export function splitRules(value: string): readonly ListedRule[] {
  return value
    .split(/;|\r?\n/)
    .map(trimBlanks)
    .filter((text) => text !== "" && !text.startsWith("#"))
    .map((text, i) => ({ number: i + 1, text }));
}
