import type { JSX } from "preact";
import { Empty } from "../../parts/empty.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { refusals } from "../../store/openings.ts";
import type { Refusal } from "../../store/views.ts";
import { ListOf } from "./list-of.tsx";

export function RefusedTable({ text }: { readonly text: string }): JSX.Element {
  return (
    <ListOf
      label="Refused"
      class="refused"
      reader={refusals}
      columns={columns}
      text={text}
      none={
        <Empty title="Nothing was refused">
          <p>What a label asks for and the policy does not allow is listed here, with the reason and what to do.</p>
        </Empty>
      }
    />
  );
}

const columns: readonly Column<Refusal>[] = [
  { id: "code", title: "Code", cell: ({ code }) => <code class="bad">{code}</code> },
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
    id: "asked",
    title: "Asked for",
    cell: ({ text, at }) => (
      <span title={at}>
        <code>{text}</code>
      </span>
    ),
  },
  { id: "why", title: "Why not", cell: ({ why }) => <span title={why}>{why}</span> },
  { id: "fix", title: "What to do", cell: ({ fix }) => <span title={fix}>{fix}</span> },
];
