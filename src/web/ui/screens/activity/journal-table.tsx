import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { Chips } from "../../parts/chips.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Said } from "../../parts/said.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import { linkTo, place } from "../../route.ts";
import type { JournalEntry } from "../../store/views.ts";
import { matcherOf } from "../../store/words.ts";
import { Entry } from "./entry.tsx";
import {
  detailText,
  type Subject,
  searchedText,
  subjectOf,
  subjects,
  timeText,
  type Who,
  whoOf,
  whos,
} from "./entry-text.ts";
import { journal } from "./journal.ts";

const shownWhos: Signal<ReadonlySet<Who>> = signal<ReadonlySet<Who>>(new Set(whos));
const shownSubjects: Signal<ReadonlySet<Subject>> = signal<ReadonlySet<Subject>>(new Set(subjects));
/** The entry that is looked at whole. */
const chosen: Signal<JournalEntry | undefined> = signal<JournalEntry | undefined>(undefined);

/** Of an address: `#/activity?only=drift`. */
function onlySubject(): Subject | undefined {
  const only = place.value.query.get("only");
  return subjects.find((each) => each === only);
}

export function JournalTable({ text }: { readonly text: string }): JSX.Element {
  const { entries, all, state, troubles } = journal.value;
  const only = onlySubject();
  const about: ReadonlySet<Subject> = only === undefined ? shownSubjects.value : new Set([only]);
  const matches = matcherOf(text);
  const wanted = entries.filter(
    (entry) =>
      shownWhos.value.has(whoOf(entry)) && about.has(subjectOf(entry)) && (text === "" || matches(searchedText(entry))),
  );
  const choose = (subjectsNow: ReadonlySet<Subject>): void => {
    shownSubjects.value = subjectsNow;
    if (only !== undefined) location.hash = linkTo("activity");
  };
  return (
    <>
      <div class="filters">
        <Chips label="Who" all={whos} chosen={shownWhos.value} onChange={(now) => (shownWhos.value = now)} />
        <Chips label="About" all={subjects} chosen={about} onChange={choose} />
      </div>
      <Troubles of={troubles} />
      {state === "reading" && (
        <p class="reading" aria-busy="true">
          Reading…
        </p>
      )}
      {state === "read" && wanted.length === 0 && troubles.length === 0 && <NoEntry only={only} />}
      {wanted.length > 0 && (
        <VirtualTable label="Journal" class="journal" columns={columns} rows={wanted} keyOf={keyOf} />
      )}
      {all > entries.length && state === "read" && (
        <p class="reading">
          The last {entries.length.toLocaleString("en")} of {all.toLocaleString("en")}; Export has all of them.
        </p>
      )}
      {chosen.value !== undefined && (
        <Entry
          entry={chosen.value}
          key={chosen.value.sequence}
          onClose={() => {
            chosen.value = undefined;
          }}
        />
      )}
    </>
  );
}

function NoEntry({ only }: { readonly only: Subject | undefined }): JSX.Element {
  if (only !== "drift") return <Empty title="No entry matches" />;
  return (
    <Empty title="No drift">
      <p>
        Where somebody else changes what is open on the gateway, the controller puts it right and writes it down here.
      </p>
    </Empty>
  );
}

function keyOf({ sequence }: JournalEntry): string {
  return String(sequence);
}

const columns: readonly Column<JournalEntry>[] = [
  { id: "sequence", title: "No.", cell: ({ sequence }) => sequence },
  {
    id: "at",
    title: "When (UTC)",
    cell: ({ at }) => <time dateTime={new Date(at).toISOString()}>{timeText(at)}</time>,
  },
  { id: "who", title: "Who", cell: ({ who }) => <Said text={who} /> },
  {
    id: "what",
    title: "What",
    cell: (entry) => (
      <button type="button" class="link" onClick={() => (chosen.value = entry)} title="The whole entry">
        <Said text={entry.what} />
      </button>
    ),
  },
  {
    id: "detail",
    title: "Detail",
    cell: (entry) => (
      <span title={detailText(entry)}>
        <Said text={detailText(entry)} />
      </span>
    ),
  },
];
