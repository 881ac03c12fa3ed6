/**
 * Text from elsewhere for a terminal, a log or a page: what could move the cursor, change colours, break the line or
 * reorder the text is shown as `\x1b`, `\n` or `\u{202e}` (controls C0 and C1, separators, format characters such as
 * bidi marks, lone surrogates, private use). A backslash stays as it is: this is for people, not for reading back.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, shown);
}

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return named[character] ?? (code < 256 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
}
