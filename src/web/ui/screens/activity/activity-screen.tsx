import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { SearchBox } from "../../parts/search-box.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { linkTo, place } from "../../route.ts";
import { agents } from "../../store/status.ts";
import { AgentTable } from "./agent-table.tsx";
import { DeniedTable } from "./denied-table.tsx";
import { followJournal, journal } from "./journal.ts";
import { JournalTable } from "./journal-table.tsx";

const search: Signal<string> = signal("");

/** Who did what, what was turned away, and how the agents are. */
export function ActivityScreen(): JSX.Element {
  useEffect(() => followJournal(), []);
  const tab = place.value.query.get("tab") ?? "journal";
  const text = search.value.trim().toLowerCase();
  return (
    <>
      <div class="tools">
        <Tabs
          label="Lists of activity"
          current={tab}
          tabs={[
            { id: "journal", title: "Journal", count: journal.value.all, href: linkTo("activity") },
            { id: "denied", title: "Denied", href: linkTo("activity", { tab: "denied" }) },
            {
              id: "agents",
              title: "Agents",
              count: agents.value?.length ?? 0,
              href: linkTo("activity", { tab: "agents" }),
            },
          ]}
        />
        <SearchBox label="Search" value={search.value} onInput={(typed) => (search.value = typed)} />
        <a class="button" href="/api/v1/journal/export" download="journal.ndjson">
          Export
        </a>
      </div>
      {tab === "agents" ? (
        <AgentTable text={text} />
      ) : tab === "denied" ? (
        <DeniedTable text={text} />
      ) : (
        <JournalTable text={text} />
      )}
    </>
  );
}
