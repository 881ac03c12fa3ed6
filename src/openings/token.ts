/** A comma, or a run of characters without blanks and commas; and its column: from 1, in UTF-16 units of the text. */
export type Token = { readonly text: string; readonly column: number };

/** Blanks are space and tab, nothing else: what only looks like a blank becomes part of a word, and is refused there. */
export function tokensOf(text: string): readonly Token[] {
  return Array.from(text.matchAll(/,|[^ \t,]+/g), (match) => ({ text: match[0], column: match.index + 1 }));
}

/** Without the blanks at both ends. By hand: a pattern for the end takes quadratic time on a long run of blanks. */
export function trimBlanks(text: string): string {
  let [first, last] = [0, text.length];
  while (first < last && isBlank(text, first)) first++;
  while (last > first && isBlank(text, last - 1)) last--;
  return text.slice(first, last);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === " " || text[at] === "\t";
}
