import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { printable } from "../../../../base/printable.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Said } from "../../parts/said.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { suggestions } from "../../store/openings.ts";
import type { Order } from "../../store/order.ts";
import { may } from "../../store/session-state.ts";
import { type Suggestion, serviceText } from "../../store/views.ts";
import { asking } from "./asking.ts";
import { containerColumn } from "./container-column.tsx";
import { ListOf } from "./list-of.tsx";
import { targetOf, targetText } from "./target.ts";

const order: Signal<Order | undefined> = signal<Order | undefined>(undefined);

/** Containers that nothing is open of come and go without an event: while somebody looks, it is asked now and then. */
const every = { few: 10_000, many: 60_000 } as const;

export function SuggestedTable({ text }: { readonly text: string }): JSX.Element {
  const isLong = suggestions.list.rows.value.length > 2000;
  useEffect(() => {
    const ticking = setInterval(() => void suggestions.again(), isLong ? every.many : every.few);
    return () => clearInterval(ticking);
  }, [isLong]);
  return (
    <ListOf
      label="Not asked for"
      class="suggested"
      reader={suggestions}
      columns={columns}
      text={text}
      order={order}
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
  containerColumn,
  {
    id: "to",
    title: "Address and port",
    cell: (each) => (
      <>
        <code>{each.address}</code> <b class="port">{serviceOf(each)}</b>
      </>
    ),
  },
  { id: "declared", title: "How it is known", key: ({ declared }) => declared, cell: ({ declared }) => declared },
  {
    id: "label",
    title: "Label that would ask",
    cell: ({ label }) => (
      <>
        <code title={printable(label)}>
          <Said text={label} />
        </code>
        <CopyButton text={label} class="small" />
      </>
    ),
  },
  {
    id: "act",
    title: "Open",
    cell: (each) =>
      may("operator") ? (
        <button
          type="button"
          class="small"
          aria-label={`Open for some time: ${targetText({ ...each, to: each.address })} ${serviceOf(each)}`}
          onClick={() =>
            (asking.value = { kind: "open", to: targetOf({ ...each, to: each.address }), services: serviceOf(each) })
          }
        >
          Open for…
        </button>
      ) : null,
  },
];
