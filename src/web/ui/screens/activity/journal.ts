import { type Signal, signal } from "@preact/signals";
import { get, troublesOf } from "../../store/ask.ts";
import { onEvent, onReadAgain } from "../../store/live.ts";
import { status } from "../../store/status.ts";
import type { JournalEntry, Trouble } from "../../store/views.ts";

type Read = { readonly entries: readonly JournalEntry[]; readonly all: number };
export type Journal = Read & { readonly state: "reading" | "read"; readonly troubles: readonly Trouble[] };

/** Entries that one looks through here; all of them are in the export. */
const most = 5000;
/** Entries of one answer. */
const page = 1000;

/** The newest first. */
export const journal: Signal<Journal> = signal<Journal>({ entries: [], all: 0, state: "reading", troubles: [] });

/** Reads the last entries, and what comes to them. */
export function followJournal(): () => void {
  let due: ReturnType<typeof setTimeout> | undefined;
  const soon = (): void => {
    due ??= setTimeout(() => {
      due = undefined;
      void read();
    }, 400);
  };
  const forget = [
    onReadAgain(() => void read()),
    onEvent(soon),
    // What people order has no event of its own: the strip's numbers tell that there is more.
    status.subscribe((now) => {
      if (now !== undefined && now.journal.entries > journal.peek().all) soon();
    }),
  ];
  return () => {
    clearTimeout(due);
    for (const each of forget) each();
  };
}

/** Reads what came behind the newest that is here. True: there is more. */
async function readOn(): Promise<boolean> {
  const { entries: kept, all: known } = journal.peek();
  const newest = kept[0]?.sequence;
  // So far behind that most of it would be thrown away again: the last ones then.
  const isFar = newest !== undefined && known - newest > most;
  const place = newest === undefined || isFar ? "" : `&after=${newest}`;
  const told = await get<Read>(`/api/v1/journal?limit=${page}${place}`);
  const entries = [...told.entries.toReversed(), ...(place === "" ? [] : kept)].slice(0, most);
  journal.value = { entries, all: told.all, state: "read", troubles: [] };
  return place !== "" && told.entries.length === page;
}

let isReading = false;
async function read(): Promise<void> {
  if (isReading) return;
  isReading = true;
  try {
    while (await readOn());
  } catch (thrown) {
    journal.value = { ...journal.peek(), state: "read", troubles: troublesOf(thrown) };
  } finally {
    isReading = false;
  }
}
