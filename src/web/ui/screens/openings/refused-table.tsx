import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { printable } from "../../../../base/printable.ts";
import { Empty } from "../../parts/empty.tsx";
import { Prose, Said } from "../../parts/said.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { refusals } from "../../store/openings.ts";
import type { Order } from "../../store/order.ts";
import type { Refusal } from "../../store/views.ts";
import { containerColumn } from "./container-column.tsx";
import { ListOf } from "./list-of.tsx";

const order: Signal<Order | undefined> = signal<Order | undefined>(undefined);

export function RefusedTable({ text }: { readonly text: string }): JSX.Element {
  return (
    <ListOf
      label="Refused"
      class="refused"
      reader={refusals}
      columns={columns}
      text={text}
      order={order}
      none={
        <Empty title="Nothing was refused">
          <p>What a label asks for and the policy does not allow is listed here, with the reason and what to do.</p>
        </Empty>
      }
    />
  );
}

const columns: readonly Column<Refusal>[] = [
  { id: "code", title: "Code", key: ({ code }) => code, cell: ({ code }) => <code class="bad">{code}</code> },
  containerColumn,
  {
    id: "asked",
    title: "Asked for",
    cell: ({ text, at }) => (
      <span title={printable(`${at}: ${text}`)}>
        <code>
          <Said text={text} />
        </code>
      </span>
    ),
  },
  { id: "why", title: "Why not", key: ({ why }) => why, cell: ({ why }) => <Titled text={why} /> },
  { id: "fix", title: "What to do", cell: ({ fix }) => <Titled text={fix} /> },
];

function Titled({ text }: { readonly text: string }): JSX.Element {
  return (
    <span title={printable(text)}>
      <Prose text={text} />
    </span>
  );
}
