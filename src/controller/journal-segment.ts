import { createReadStream } from "node:fs";
import { join } from "node:path";
import { listFolder } from "../runtime/files.ts";
import type { JournalEntry } from "./controller.ts";
import { parseEntry, parseHead, readEntry, type SegmentHead } from "./journal-line.ts";

/** A file of the journal. Its name says which entry is its first. */
export type Segment = { readonly path: string; readonly first: number };

const namePattern = /^journal-([0-9]{12})\.ndjson$/;

export function segmentPath(folder: string, first: number): string {
  return join(folder, `journal-${first.toString().padStart(12, "0")}.ndjson`);
}

/** The files of a journal, the oldest first; none when there is no such folder. */
export async function listSegments(folder: string): Promise<readonly Segment[]> {
  const names = await listFolder(folder);
  return names.flatMap((name) => {
    const first = namePattern.exec(name)?.[1];
    return first === undefined ? [] : [{ path: join(folder, name), first: Number(first) }];
  });
}

/** A line with the places where it begins and where the next one would; `isWhole` is false without its line end. */
export type Line = { readonly text: string; readonly start: number; readonly end: number; readonly isWhole: boolean };

export async function* readLines(path: string, from = 0): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let start = from;
  for await (const chunk of createReadStream(path, { start: from, highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, at)) {
      yield { text: rest.toString("utf8", at, end), start, end: start + end + 1 - at, isWhole: true };
      start += end + 1 - at;
      at = end + 1;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) yield { text: rest.toString("utf8"), start, end: start + rest.length, isWhole: false };
}

/** What a look through a segment found. */
export type Walk = {
  /** Undefined where its first line is not one. */
  readonly head: SegmentHead | undefined;
  /** The last entry that fits, or what stands before the first. */
  readonly sequence: number;
  readonly hash: string;
  /** Bytes that are whole and fit. */
  readonly good: number;
  /** What follows them: `torn`, the beginning of a line that was never finished; `broken`, anything else. */
  readonly end: "clean" | "torn" | "broken";
};

/** Walks a segment from its head, visiting every entry that fits, up to its end or the first line that does not. */
export async function walkSegment(segment: Segment, visit?: (entry: JournalEntry, line: Line) => void): Promise<Walk> {
  let head: SegmentHead | undefined;
  let sequence = segment.first - 1;
  let hash = "";
  let good = 0;
  for await (const line of readLines(segment.path)) {
    if (!line.isWhole) return { head, sequence, hash, good, end: wasFinished(line.text) ? "broken" : "torn" };
    if (head === undefined) {
      head = parseHead(line.text);
      if (head?.first !== segment.first) return { head: undefined, sequence, hash, good, end: "broken" };
      hash = head.previous;
    } else {
      const entry = parseEntry(line.text, sequence, hash);
      if (entry === undefined) return { head, sequence, hash, good, end: "broken" };
      visit?.(entry, line);
      ({ sequence, hash } = entry);
    }
    good = line.end;
  }
  return { head, sequence, hash, good, end: head === undefined ? "torn" : "clean" };
}

/** Whether a line without an end had one once: it was changed, and a whole entry stands before what it has become. */
function wasFinished(text: string): boolean {
  return readEntry(text) === undefined && readEntry(text.slice(0, -1)) !== undefined;
}
