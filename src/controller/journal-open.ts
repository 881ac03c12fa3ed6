import { copyFile, mkdir, open, rm } from "node:fs/promises";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import { writeSegmentHead } from "./journal-disk.ts";
import { type JournalMark, noHash } from "./journal-line.ts";
import { listSegments, type Segment, segmentPath, type Walk, walkSegment } from "./journal-segment.ts";

/** Where the next entry goes, and what it follows. */
export type Place = JournalMark & {
  readonly folder: string;
  readonly path: string;
  /** Bytes that are whole; the next line goes there. */
  readonly size: number;
  /** A file that has so many gets no more entries; the next one begins. */
  readonly segmentBytes: number;
  /** The greatest revision of the store that an entry of the last file speaks of. */
  readonly knownRevision: number;
  /** What was put right on the way: for the journal itself, once it is open. */
  readonly repairs: readonly string[];
};

export type JournalSettings = {
  readonly folder: string;
  /** What the store knows of it: an entry that has to be there. */
  readonly mark?: JournalMark | undefined;
  /** Begin a new chain where the old one is broken or cut, and say in it what was lost. */
  readonly acceptLoss?: boolean | undefined;
  readonly segmentBytes?: number;
};

/** What an entry says of a store that was given up. */
export const storeLost = "store-lost";

const usualSegment = 32 * 1024 * 1024;

/**
 * Finds the end of a journal, looking through its last file, or begins one. Bytes of a line that was never finished are
 * cut off: nobody was told that it is kept. Throws E943 where an entry does not fit, E944 where entries that the
 * store knows are missing, E942 where they are other ones.
 */
export async function openPlace(settings: JournalSettings, clock: Clock): Promise<Place> {
  const { folder, mark } = settings;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const last = await lastSegment(folder);
  if (last === undefined) {
    if (mark === undefined) return await begin(settings, clock, { sequence: 0, hash: noHash });
    const lost = `no journal where the store knows entry ${mark.sequence}`;
    return await beginAnew(settings, clock, mark, new Failure("E944", folder, `There is ${lost}`, restore));
  }
  const hashes = new Map<number, string>();
  let knownRevision = 0;
  const walk = await walkSegment(last, ({ sequence, hash, what, detail: { revision } }) => {
    if (sequence === mark?.sequence) hashes.set(sequence, hash);
    // From here on it is another store.
    if (what === storeLost) knownRevision = 0;
    if (typeof revision === "number") knownRevision = Math.max(knownRevision, revision);
  });
  hashes.set(walk.sequence, walk.hash);
  const wrong = fault(last, walk, hashes, mark);
  if (wrong !== undefined) return await replaced(settings, clock, last, walk, wrong);
  if (walk.end === "torn") await cut(last.path, walk.good);
  const repairs = walk.end === "torn" ? ["the beginning of an entry that was never finished"] : [];
  return {
    ...placeOf(settings, last.path, walk.good),
    sequence: walk.sequence,
    hash: walk.hash,
    knownRevision,
    repairs,
  };
}

const restore = "put back a backup, or begin a new chain with --accept-loss";

/** The last file that has a head. One without was being made when the machine went down: nothing was in it. */
async function lastSegment(folder: string): Promise<Segment | undefined> {
  const segments = [...(await listSegments(folder))];
  for (;;) {
    const last = segments.pop();
    if (last === undefined) return undefined;
    const walk = await walkSegment(last);
    if (walk.head !== undefined || walk.end !== "torn") return last;
    await rm(last.path);
  }
}

function fault(
  { path }: Segment,
  walk: Walk,
  hashes: ReadonlyMap<number, string>,
  mark: JournalMark | undefined,
): Failure | undefined {
  if (walk.end === "broken") return new Failure("E943", path, `Entry ${walk.sequence + 1} does not fit`, restore);
  if (mark === undefined) return undefined;
  if (mark.sequence > walk.sequence) {
    const text = `It ends with entry ${walk.sequence}, the store knows ${mark.sequence}: its end was cut off`;
    return new Failure("E944", path, text, restore);
  }
  const hash = hashes.get(mark.sequence);
  if (hash === undefined || hash === mark.hash) return undefined;
  return new Failure("E942", path, `Entry ${mark.sequence} is not the one that the store knows`, restore);
}

/** Keeps a copy of what does not fit, cuts it off, and begins a new chain behind both what is there and what was known. */
async function replaced(
  settings: JournalSettings,
  clock: Clock,
  last: Segment,
  walk: Walk,
  wrong: Failure,
): Promise<Place> {
  if (settings.acceptLoss !== true) throw wrong;
  if (walk.end !== "clean") {
    await copyFile(last.path, `${last.path}.broken-${clock.now()}`);
    if (walk.sequence < last.first) await rm(last.path);
    else await cut(last.path, walk.good);
  }
  const known = settings.mark;
  const after = known !== undefined && known.sequence > walk.sequence ? known : walk;
  return await beginAnew(settings, clock, after, wrong);
}

async function beginAnew(settings: JournalSettings, clock: Clock, after: JournalMark, wrong: Failure): Promise<Place> {
  if (settings.acceptLoss !== true) throw wrong;
  return await begin(settings, clock, { sequence: after.sequence, hash: noHash }, wrong.diagnostic.text);
}

async function begin(settings: JournalSettings, clock: Clock, after: JournalMark, lost?: string): Promise<Place> {
  const { sequence, hash } = after;
  const path = segmentPath(settings.folder, sequence + 1);
  const head = { first: sequence + 1, previous: hash, at: clock.now(), ...(lost === undefined ? {} : { lost }) };
  const size = await writeSegmentHead(path, head);
  return {
    ...placeOf(settings, path, size),
    sequence,
    hash,
    knownRevision: 0,
    repairs: lost === undefined ? [] : [lost],
  };
}

function placeOf(
  { folder, segmentBytes = usualSegment }: JournalSettings,
  path: string,
  size: number,
): Pick<Place, "folder" | "path" | "size" | "segmentBytes"> {
  return { folder, path, size, segmentBytes };
}

async function cut(path: string, bytes: number): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
