import type { JSX } from "preact";
import { printable } from "../../../../base/printable.ts";
import type { DeniedFlow } from "../../../map/topology-schema.ts";
import { Empty } from "../../parts/empty.tsx";
import { Whose } from "../../parts/said.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import { lengthText, now } from "../../store/clock.ts";
import type { LiveKind } from "../../store/live.ts";
import { askWhy } from "../../store/why.ts";
import { matcherOf } from "../../store/words.ts";
import { useReading } from "../use-reading.ts";

type Denied = { readonly entries: readonly DeniedFlow[]; readonly all: number; readonly packets: number };

/** No event of the page's tells of denied packets: they come by the thousand. */
const none: ReadonlySet<LiveKind> = new Set();

/** What the gateway turned away in the last five minutes: alike packets of one /64 are one row. */
export function DeniedTable({ text }: { readonly text: string }): JSX.Element {
  const { value, troubles } = useReading<Denied>("/api/v1/denied", none, 5_000);
  const matches = matcherOf(text);
  const wanted = (value?.entries ?? []).filter((flow) => matches(searched(flow)));
  return (
    <>
      <Troubles of={troubles} />
      {value === undefined && troubles.length === 0 && (
        <p class="reading" aria-busy="true">
          Reading…
        </p>
      )}
      {value?.all === 0 && (
        <Empty title="Nothing was turned away in the last five minutes">
          <p>As far as the gateway tells of it: a gateway of pf does not, and under a flood it tells of a sample.</p>
        </Empty>
      )}
      {value !== undefined && value.all > 0 && wanted.length === 0 && <Empty title="No packet matches the search" />}
      {wanted.length > 0 && (
        <VirtualTable label="Denied" class="denied" columns={columns} rows={wanted} keyOf={keyOf} />
      )}
      {value !== undefined && value.all > 0 && (
        <p class="reading">
          {value.packets.toLocaleString("en")} packets in {value.all.toLocaleString("en")} groups
          {value.all > value.entries.length ? `, the newest ${value.entries.length.toLocaleString("en")} shown` : ""}.
        </p>
      )}
    </>
  );
}

function keyOf({ from, to, transport, port }: DeniedFlow): string {
  return `${from} ${to} ${transport} ${port ?? ""}`;
}

function searched({ from, example, to, transport, port, source, host, container }: DeniedFlow): string {
  const text = `${source} ${from} ${example} ${host ?? ""}/${container ?? ""} ${to} ${port ?? ""}/${transport}`;
  return printable(text).toLowerCase();
}

function portText({ transport, port }: DeniedFlow): string {
  if (port !== undefined) return `${port}/${transport}`;
  return /^\d+$/.test(transport) ? `protocol ${transport}` : transport;
}

const columns: readonly Column<DeniedFlow>[] = [
  { id: "count", title: "Packets", cell: ({ count }) => count.toLocaleString("en") },
  { id: "source", title: "Source", cell: ({ source }) => source },
  {
    id: "from",
    title: "From",
    cell: ({ from, example }) => <code title={`The newest of ${from}`}>{example}</code>,
  },
  {
    id: "to",
    title: "To",
    cell: (flow) => (
      <>
        {flow.host !== undefined && (
          <span>
            <Whose host={flow.host} name={flow.container} />{" "}
          </span>
        )}
        <code>{flow.to}</code> <b class="port">{portText(flow)}</b>
      </>
    ),
  },
  { id: "last", title: "Last", cell: ({ last }) => <Ago at={last} /> },
  { id: "act", title: "Why", cell: (flow) => <WhyOf flow={flow} /> },
];

function Ago({ at }: { readonly at: number }): JSX.Element {
  return <span>{lengthText(Math.max(0, now.value - at))} ago</span>;
}

/** Only what a label could have opened has a chain of reasons. */
function WhyOf({ flow }: { readonly flow: DeniedFlow }): JSX.Element | null {
  const { host, to, transport, port, example } = flow;
  const asked = port !== undefined ? `${port}/${transport}` : transport === "icmpv6" ? "ping" : undefined;
  if (host === undefined || asked === undefined) return null;
  return (
    <button
      type="button"
      class="small"
      aria-label={`Why was ${asked} of ${to} denied?`}
      onClick={() => askWhy({ to: `[${to}]:${asked}`, from: example })}
    >
      Why
    </button>
  );
}
