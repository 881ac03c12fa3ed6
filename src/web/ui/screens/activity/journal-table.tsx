import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { Chips } from "../../parts/chips.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import type { JournalEntry } from "../../store/views.ts";
import { journal } from "./journal.ts";

/** By who did it. */
const kinds = ["person", "agent", "controller"] as const;
type Kind = (typeof kinds)[number];
const shown: Signal<ReadonlySet<Kind>> = signal<ReadonlySet<Kind>>(new Set(kinds));

export function JournalTable({ text }: { readonly text: string }): JSX.Element {
  const { entries, all, state, troubles } = journal.value;
  const wanted = entries.filter(
    (entry) => shown.value.has(kindOf(entry)) && (text === "" || searched(entry).includes(text)),
  );
  return (
    <>
      <Chips label="Who" all={kinds} chosen={shown.value} onChange={(chosen) => (shown.value = chosen)} />
      <Troubles of={troubles} />
      {state === "reading" && (
        <p class="reading" aria-busy="true">
          Reading…
        </p>
      )}
      {state === "read" && wanted.length === 0 && troubles.length === 0 && <Empty title="No entry matches" />}
      {wanted.length > 0 && (
        <VirtualTable
          label="Journal"
          class="journal"
          columns={columns}
          rows={wanted}
          keyOf={({ sequence }) => String(sequence)}
        />
      )}
      {all > entries.length && state === "read" && (
        <p class="reading">
          The last {entries.length.toLocaleString("en")} of {all.toLocaleString("en")}; Export has all of them.
        </p>
      )}
    </>
  );
}

function kindOf({ who }: JournalEntry): Kind {
  if (who === "controller" || who === "sixgate") return "controller";
  return who.startsWith("agent ") ? "agent" : "person";
}

function searched({ who, what, detail, at }: JournalEntry): string {
  return `${who} ${what} ${timeText(at)} ${detailText(detail)}`.toLowerCase();
}

function timeText(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function detailText(detail: JournalEntry["detail"]): string {
  return Object.entries(detail)
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
}

const columns: readonly Column<JournalEntry>[] = [
  { id: "sequence", title: "No.", cell: ({ sequence }) => sequence },
  {
    id: "at",
    title: "When (UTC)",
    cell: ({ at }) => <time dateTime={new Date(at).toISOString()}>{timeText(at)}</time>,
  },
  { id: "who", title: "Who", cell: ({ who }) => who },
  { id: "what", title: "What", cell: ({ what }) => <b>{what}</b> },
  { id: "detail", title: "Detail", cell: ({ detail }) => <span title={detailText(detail)}>{detailText(detail)}</span> },
];
