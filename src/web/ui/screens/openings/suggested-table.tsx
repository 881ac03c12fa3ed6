import type { JSX } from "preact";
import { Empty } from "../../parts/empty.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { suggestions } from "../../store/openings.ts";
import { may } from "../../store/session-state.ts";
import { type Suggestion, serviceText } from "../../store/views.ts";
import { asking } from "./asking.ts";
import { ListOf } from "./list-of.tsx";
import { targetOf } from "./target.ts";

export function SuggestedTable({ text }: { readonly text: string }): JSX.Element {
  return (
    <ListOf
      label="Not asked for"
      class="suggested"
      reader={suggestions}
      columns={columns}
      text={text}
      none={
        <Empty title="No port is waiting">
          <p>Ports that images declare or that are published, and that no label asks to open, are listed here.</p>
        </Empty>
      }
    />
  );
}

const serviceOf = ({ transport, ports }: Suggestion): string => serviceText({ kind: "ports", transport, ports });

const columns: readonly Column<Suggestion>[] = [
  {
    id: "container",
    title: "Container",
    cell: ({ host, container }) => (
      <span title={`${host}/${container.name}`}>
        <span class="host">{host}/</span>
        {container.name}
      </span>
    ),
  },
  {
    id: "to",
    title: "Address and port",
    cell: (each) => (
      <>
        <code>{each.address}</code> <b class="port">{serviceOf(each)}</b>
      </>
    ),
  },
  { id: "declared", title: "How it is known", cell: ({ declared }) => declared },
  { id: "label", title: "Label that would ask", cell: ({ label }) => <code title={label}>{label}</code> },
  {
    id: "act",
    title: "Open",
    cell: (each) =>
      may("operator") ? (
        <button
          type="button"
          class="small"
          aria-label={`Open ${targetOf({ ...each, to: each.address })} ${serviceOf(each)} for some time`}
          onClick={() =>
            (asking.value = { kind: "open", to: targetOf({ ...each, to: each.address }), services: serviceOf(each) })
          }
        >
          Open for…
        </button>
      ) : null,
  },
];
