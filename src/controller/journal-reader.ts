import type { JournalEntry } from "./controller.ts";
import { type JournalMark, readEntry } from "./journal-line.ts";
import { listSegments, readLines, type Segment, walkSegment } from "./journal-segment.ts";

/** Every so many entries one is noted with its place, so that reading on does not begin at the file's beginning. */
const noteEvery = 512;

/** Reads what is on disk: by number, as lines, or all of it against its hashes. */
export class JournalReader {
  readonly #folder: string;
  /** By a segment's path: where its entries number 0, 512, 1024 … begin. */
  readonly #notes = new Map<string, number[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(after: number, most: number): Promise<readonly JournalEntry[]> {
    const found: JournalEntry[] = [];
    if (most < 1) return found;
    const segments = await listSegments(this.#folder);
    const from = segments.findLastIndex(({ first }) => first <= after + 1);
    for (const segment of segments.slice(Math.max(from, 0))) {
      for await (const entry of this.#entries(segment, after)) if (found.push(entry) === most) return found;
    }
    return found;
  }

  async *#entries(segment: Segment, after: number): AsyncGenerator<JournalEntry> {
    const notes = this.#notes.get(segment.path) ?? [];
    this.#notes.set(segment.path, notes);
    const note = Math.max(0, Math.min(Math.floor((after + 1 - segment.first) / noteEvery), notes.length - 1));
    const from = notes[note];
    let number = from === undefined ? -1 : note * noteEvery;
    for await (const { text, start, isWhole } of readLines(segment.path, from)) {
      if (!isWhole) return;
      // Number -1 is the file's head.
      if (number >= 0) {
        if (number % noteEvery === 0) notes[number / noteEvery] ??= start;
        const entry = readEntry(text);
        if (entry !== undefined && entry.sequence > after) yield entry;
      }
      number++;
    }
  }

  async *lines(): AsyncGenerator<string> {
    for (const segment of await listSegments(this.#folder)) {
      for await (const { text, isWhole } of readLines(segment.path)) if (isWhole) yield text;
    }
  }

  /** Up to `mark`, which has to be met: the first sequence number that does not fit. */
  async verify(mark: JournalMark): Promise<number | undefined> {
    let before: JournalMark | undefined;
    for (const segment of await listSegments(this.#folder)) {
      if (segment.first > mark.sequence && mark.sequence > 0) break;
      let met: string | undefined;
      const walk = await walkSegment(segment, ({ sequence, hash }) => {
        if (sequence === mark.sequence) met = hash;
      });
      const follows =
        before === undefined ||
        walk.head?.lost !== undefined ||
        (segment.first === before.sequence + 1 && walk.head?.previous === before.hash);
      if (walk.head === undefined || !follows) return segment.first;
      if (met !== undefined) return met === mark.hash ? undefined : mark.sequence;
      if (walk.end !== "clean") return walk.sequence + 1;
      before = walk;
    }
    if (mark.sequence === (before?.sequence ?? 0)) return undefined;
    return (before?.sequence ?? 0) + 1;
  }
}
