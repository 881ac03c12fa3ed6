/** A word or a comma of a rule. `column` from 0, in UTF-16 units of the line. */
export type Token = { readonly text: string; readonly column: number };

/** Splits at blanks (space, tab) and around commas. Any other character is part of a word, for the readers to judge. */
export function tokensOf(text: string, column: number): readonly Token[] {
  return Array.from(text.matchAll(/,|[^ \t,]+/g), (found) => ({ text: found[0], column: column + found.index }));
}
