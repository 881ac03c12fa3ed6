import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import { listFolder } from "../runtime/files.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store, Write } from "../store/store.ts";
import { type Journal, openJournal } from "./journal.ts";
import type { JournalMark } from "./journal-line.ts";
import { storeLost } from "./journal-open.ts";

/** What a controller keeps on disk. Store and journal each know how far the other was, so that neither can be put back unseen. */
export type ControllerState = {
  readonly store: Store;
  readonly journal: Journal;
  /** What was lost, and accepted. */
  readonly losses: readonly string[];
  /** Ties store and journal together as they are now, where one has moved. */
  anchor(): Promise<void>;
  end(): Promise<void>;
};

export type StateOptions = {
  readonly folder: string;
  readonly clock: Clock;
  /** Begin anew where store or journal is broken, cut or missing, and say so in the journal. What is broken is kept aside. */
  readonly acceptLoss?: boolean;
};

export function storePath(folder: string): string {
  return join(folder, "store.db");
}

export function journalPath(folder: string): string {
  return join(folder, "journal");
}

/** Where the store keeps the last entry of the journal that it relies on. */
const markKey = "controller/journal";
const accepting = "put back a backup, or begin anew with --accept-loss";

/**
 * Opens store and journal of a folder, or makes both in an empty one. Throws E941 to E945 where one of them is broken, or
 * is not the one that the other knows.
 */
export async function openState({ folder, clock, acceptLoss = false }: StateOptions): Promise<ControllerState> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const losses: string[] = [];
  function accept(failure: Failure): void {
    if (!acceptLoss) throw failure;
    losses.push(failure.message);
  }
  const path = storePath(folder);
  const entries = await listFolder(journalPath(folder));
  if (entries.length > 0 && !existsSync(path))
    accept(new Failure("E942", path, "There is a journal, and no store that belongs to it", accepting));
  const store = await openOrReplace(path, clock, accept);
  try {
    const mark = await readMark(store);
    const journal = await openJournal({ folder: journalPath(folder), mark, acceptLoss }, clock);
    const revision = await store.commit([]);
    const { knownRevision } = journal;
    if (revision < knownRevision && losses.length === 0)
      accept(
        new Failure("E942", path, `It ends at revision ${revision}, the journal knows ${knownRevision}`, accepting),
      );
    for (const lost of losses) journal.append("controller", storeLost, { lost });
    return stateOf(store, journal, losses);
  } catch (cause) {
    await store.end();
    throw cause;
  }
}

export function stateOf(store: Store, journal: Journal, losses: readonly string[] = []): ControllerState {
  let anchored: number | undefined;
  async function anchor(): Promise<void> {
    const revision = await store.commit([]);
    const mark = await readMark(store);
    if (mark?.sequence === journal.head().sequence && anchored === revision) return;
    // What the entry says has to be on the store's disk already, what the store says on the journal's.
    journal.append("controller", "anchor", { revision });
    await journal.flush();
    anchored = await store.commit([markOf(journal)]);
  }
  return {
    store,
    journal,
    losses,
    anchor,
    async end() {
      try {
        await anchor();
      } finally {
        await journal.end();
        await store.end();
      }
    },
  };
}

/** Ties the store to what is on the journal's disk now: a part of commits that matter. */
export function markOf(journal: Journal): Write {
  return { key: markKey, value: JSON.stringify(journal.durable()), expected: "any" };
}

export async function readMark(store: Store): Promise<JournalMark | undefined> {
  const entry = await store.get(markKey);
  return entry === undefined ? undefined : (JSON.parse(entry.value) as JournalMark);
}

async function openOrReplace(path: string, clock: Clock, accept: (failure: Failure) => void): Promise<Store> {
  try {
    return openSqliteStore(path, clock);
  } catch (cause) {
    if (!(cause instanceof Failure) || cause.diagnostic.code !== "E941") throw cause;
    accept(cause);
    for (const end of ["", "-wal", "-shm"])
      if (existsSync(path + end)) await rename(path + end, `${path}.broken-${clock.now()}${end}`);
    return openSqliteStore(path, clock);
  }
}
