import type { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import type { JournalEntry } from "./controller.ts";
import { chained, formatEntry, type JournalMark } from "./journal-line.ts";
import { type JournalSettings, openPlace, type Place } from "./journal-open.ts";
import { JournalReader } from "./journal-reader.ts";
import { JournalWriter } from "./journal-writer.ts";

/** Who did what, in an order that nobody can change afterwards without being found out. */
export type Journal = {
  head(): JournalMark;
  /** The last entry that is on disk: what a store may rely on. */
  durable(): JournalMark;
  /** The greatest revision of the store that the last file speaks of: an older store is not the one that belongs to it. */
  readonly knownRevision: number;
  /** Adds an entry. It is on disk only after a `flush` that resolved; nobody waits for it here. */
  append(who: string, what: string, detail?: JournalEntry["detail"]): JournalEntry;
  /** Resolves when all that was appended is on disk. Rejects with E947; the entries stay, and are tried again. */
  flush(): Promise<void>;
  /** Why entries are not on disk yet, when the last try failed. */
  failing(): Failure | undefined;
  /** At most so many entries after that sequence number, in order. */
  read(after: number, most: number): Promise<readonly JournalEntry[]>;
  /** Every line of it as it is on disk, heads of files included: for an export that can be verified elsewhere. */
  lines(): AsyncIterable<string>;
  /** The first sequence number that does not fit; undefined when all fit. Reads all of it. */
  verify(): Promise<number | undefined>;
  end(): Promise<void>;
};

/** Longest text of a detail: what hosts say is kept, but not at any length. */
const longestText = 500;
/** Entries that wait for a disk that doesn't take them; more are not taken, and are counted. */
const mostWaiting = 100_000;

/** Opens the journal of a folder, or begins one. Throws as {@link openPlace} does. What was put right is in it. */
export async function openJournal(settings: JournalSettings, clock: Clock): Promise<Journal> {
  const place = await openPlace(settings, clock);
  const journal = journalAt(place, clock);
  for (const lost of place.repairs) journal.append("controller", "journal-repaired", { lost });
  return journal;
}

function journalAt(place: Place, clock: Clock): Journal {
  const writer = new JournalWriter(place, clock);
  const reader = new JournalReader(place.folder);
  let { sequence, hash } = place;
  let untold = 0;

  function append(who: string, what: string, detail: JournalEntry["detail"] = {}): JournalEntry {
    const entry = chained(hash, { sequence: sequence + 1, at: clock.now(), who, what, detail: shortened(detail) });
    if (writer.waiting() >= mostWaiting) {
      untold++;
      return entry;
    }
    writer.add({ sequence: entry.sequence, hash: entry.hash, previous: hash, line: formatEntry(entry) });
    ({ sequence, hash } = entry);
    return entry;
  }
  async function flush(): Promise<void> {
    await writer.flush();
    if (untold === 0) return;
    const lost = untold;
    untold = 0;
    append("controller", "entries-lost", { count: lost });
    await writer.flush();
  }
  return {
    head: () => ({ sequence, hash }),
    durable: () => writer.durable(),
    knownRevision: place.knownRevision,
    append,
    flush,
    failing: () => writer.failing(),
    async read(after, most) {
      await flush();
      return await reader.read(after, most);
    },
    lines: () => reader.lines(),
    async verify() {
      await flush();
      const mark = { sequence, hash };
      return await reader.verify(mark);
    },
    async end() {
      try {
        await flush();
      } finally {
        await writer.end();
      }
    },
  };
}

function shortened(detail: JournalEntry["detail"]): JournalEntry["detail"] {
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [
      key,
      typeof value === "string" && value.length > longestText
        ? `${value.slice(0, longestText).toWellFormed()}…`
        : value,
    ]),
  );
}
