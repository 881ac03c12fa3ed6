/** One line of pfctl(8) in its words: text in quotes or brackets is one word, with them. */
export function wordsOf(line: string): readonly string[] {
  return line.match(/"[^"]*"|\([^)]*\)|\{[^}]*\}|[^\s"({][^\s({]*|\{/g) ?? [];
}

/** A place among words, for reading them one after another. */
export class Words {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get peek(): string | undefined {
    return this.#words[this.#at];
  }

  next(): string | undefined {
    return this.#words[this.#at++];
  }

  /** Takes the next word if it is this one, or fits. */
  take(wanted: string | RegExp): string | undefined {
    const { peek } = this;
    if (peek === undefined || !(typeof wanted === "string" ? peek === wanted : wanted.test(peek))) return undefined;
    this.#at++;
    return peek;
  }
}

/** `"text"` without its quotes. */
export function unquoted(word = ""): string {
  return word.replace(/^"(.*)"$/, "$1");
}

/** The words in brackets, and of a list in braces; a plain word is a list of itself. */
export function listed(word = ""): readonly string[] {
  return word
    .replace(/^[({]|[)}]$/g, " ")
    .split(/[\s,]+/)
    .filter((each) => each !== "");
}
