/** What a stream of bytes gives: a line without its end, or that one was longer than it may be. */
export type Line = { readonly kind: "line"; readonly text: string } | { readonly kind: "too-long" };

const newline = 0x0a;

/**
 * Lines out of chunks that end anywhere, also inside of a character. Keeps at most `cap` bytes; of a longer line
 * nothing is kept, and it is told once. Empty lines are no lines.
 */
export class LineSplitter {
  readonly #cap: number;
  #kept: Buffer[] = [];
  #size = 0;
  #skipping = false;

  /** `cap`: bytes of a line, its end included. */
  constructor(cap: number) {
    this.#cap = cap;
  }

  /** The lines that end in this chunk, in order. The rest is kept for the next one, so use up all that it gives. */
  *push(chunk: Buffer): Generator<Line> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      const line = this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (line !== undefined) yield line;
    }
    if (this.#keep(chunk.subarray(start))) yield { kind: "too-long" };
  }

  #finish(last: Buffer): Line | undefined {
    const { length } = last;
    const [kept, size, skipping] = [this.#kept, this.#size, this.#skipping];
    this.#kept = [];
    this.#size = 0;
    this.#skipping = false;
    if (skipping) return undefined;
    if (size + length >= this.#cap) return { kind: "too-long" };
    if (size + length === 0) return undefined;
    const text = size === 0 ? last.toString("utf8") : Buffer.concat([...kept, last], size + length).toString("utf8");
    return { kind: "line", text };
  }

  /** True when the line has become too long just now. */
  #keep(rest: Buffer): boolean {
    if (this.#skipping || rest.length === 0) return false;
    this.#size += rest.length;
    if (this.#size >= this.#cap) {
      this.#kept = [];
      this.#skipping = true;
      return true;
    }
    // A copy: what came may be a window into a buffer that is used again.
    this.#kept.push(Buffer.from(rest));
    return false;
  }
}
