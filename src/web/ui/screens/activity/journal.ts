import { type Signal, signal } from "@preact/signals";
import { get, troublesOf } from "../../store/ask.ts";
import { onEvent, onReadAgain } from "../../store/live.ts";
import type { JournalEntry, Trouble } from "../../store/views.ts";

type Read = { readonly entries: readonly JournalEntry[]; readonly all: number };
export type Journal = Read & { readonly state: "reading" | "read"; readonly troubles: readonly Trouble[] };

/** Entries that one looks through here; all of them are in the export. */
const most = 5000;

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
  const forget = [onReadAgain(() => void read()), onEvent(soon)];
  return () => {
    clearTimeout(due);
    for (const each of forget) each();
  };
}

let isReading = false;
async function read(): Promise<void> {
  if (isReading) return;
  isReading = true;
  try {
    const known = journal.peek().entries[0]?.sequence;
    const told = await get<Read>(`/api/v1/journal?limit=1000${known === undefined ? "" : `&after=${known}`}`);
    const entries = [...told.entries.toReversed(), ...journal.peek().entries].slice(0, most);
    journal.value = { entries, all: told.all, state: "read", troubles: [] };
  } catch (thrown) {
    journal.value = { ...journal.peek(), state: "read", troubles: troublesOf(thrown) };
  } finally {
    isReading = false;
  }
}
