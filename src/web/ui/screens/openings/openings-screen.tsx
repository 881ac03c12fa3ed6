import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { SearchBox } from "../../parts/search-box.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { linkTo, place } from "../../route.ts";
import { openings, refusals, suggestions } from "../../store/openings.ts";
import { may } from "../../store/session-state.ts";
import { asking } from "./asking.ts";
import { CloseDialog } from "./close-dialog.tsx";
import { OpenDialog } from "./open-dialog.tsx";
import { OpenTable } from "./open-table.tsx";
import { RefusedTable } from "./refused-table.tsx";
import { SuggestedTable } from "./suggested-table.tsx";

/** What is looked for, in all lists. It stays while one looks at other screens. */
const search: Signal<string> = signal("");

/** What is open, what was refused, and what nobody asked for. */
export function OpeningsScreen(): JSX.Element {
  const tab = place.value.query.get("tab") ?? "open";
  const text = search.value.trim().toLowerCase();
  return (
    <>
      <div class="tools">
        <Tabs
          label="Lists of openings"
          current={tab}
          tabs={[
            { id: "open", title: "Open", count: openings.list.rows.value.length, href: linkTo("openings") },
            {
              id: "refused",
              title: "Refused",
              count: refusals.list.rows.value.length,
              href: linkTo("openings", { tab: "refused" }),
            },
            {
              id: "suggested",
              title: "Not asked for",
              count: suggestions.list.rows.value.length,
              href: linkTo("openings", { tab: "suggested" }),
            },
          ]}
        />
        <SearchBox label="Search" value={search.value} onInput={(typed) => (search.value = typed)} />
        {may("operator") && (
          <button type="button" class="main" onClick={() => (asking.value = { kind: "open", to: "", services: "" })}>
            Open for…
          </button>
        )}
      </div>
      {tab === "refused" ? (
        <RefusedTable text={text} />
      ) : tab === "suggested" ? (
        <SuggestedTable text={text} />
      ) : (
        <OpenTable text={text} />
      )}
      <Asked />
    </>
  );
}

function Asked(): JSX.Element | null {
  const asked = asking.value;
  const done = (): void => {
    asking.value = undefined;
  };
  switch (asked?.kind) {
    case undefined:
      return null;
    case "open":
      return <OpenDialog to={asked.to} services={asked.services} onClose={done} />;
    case "close":
      return <CloseDialog opening={asked.opening} onClose={done} />;
  }
}
