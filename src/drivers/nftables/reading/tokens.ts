/** A rule's text as words and signs, with a place in it. */
export class Tokens {
  readonly #all: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#all = text.match(/"[^"]*"|!=|==|<=|>=|[{}(),|&<>]|[^\s{}(),|&<>"]+/g) ?? [];
  }

  get isEnd(): boolean {
    return this.#at >= this.#all.length;
  }

  /** The word that comes `ahead` words later; "" past the end. */
  peek(ahead = 0): string {
    return this.#all[this.#at + ahead] ?? "";
  }

  next(): string {
    const word = this.peek();
    this.#at++;
    return word;
  }

  /** Takes the word if it is the next one. */
  takes(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#at++;
    return true;
  }

  /** Throws a SyntaxError where another word comes. */
  expect(word: string): void {
    if (!this.takes(word)) throw new SyntaxError(`Expected ${word}, found ${JSON.stringify(this.peek())}`);
  }
}
