import { computed, type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { printable } from "../../../../base/printable.ts";
import { type Address, toBits } from "../../../../net/address.ts";
import { Badge } from "../../parts/badge.tsx";
import { Chips } from "../../parts/chips.tsx";
import { Said, Whose } from "../../parts/said.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { lengthText, now } from "../../store/clock.ts";
import { naturalKey } from "../../store/natural.ts";
import { openings } from "../../store/openings.ts";
import type { Order } from "../../store/order.ts";
import { may } from "../../store/session-state.ts";
import { type Opening, serviceText, sourcesText } from "../../store/views.ts";
import { askWhy } from "../../store/why.ts";
import { asking } from "./asking.ts";
import { FirstSteps } from "./first-steps.tsx";
import { ListOf } from "./list-of.tsx";
import { Packets } from "./packets.tsx";
import { Strip } from "./strip.tsx";
import { targetText } from "./target.ts";

/** By who asked. */
const kinds = ["label", "person", "fleet"] as const;
type Kind = (typeof kinds)[number];
const shown: Signal<ReadonlySet<Kind>> = signal<ReadonlySet<Kind>>(new Set(kinds));
const wants = computed(() => {
  const { value } = shown;
  return value.size === kinds.length ? undefined : ({ askedBy }: Opening): boolean => value.has(askedBy.kind);
});
const order: Signal<Order | undefined> = signal<Order | undefined>(undefined);

export function OpenTable({ text }: { readonly text: string }): JSX.Element {
  const isEmpty = openings.list.rows.value.length === 0;
  const { value: filter } = wants;
  return (
    <>
      {!isEmpty && (
        <div class="filters">
          <Chips label="Asked by" all={kinds} chosen={shown.value} onChange={(chosen) => (shown.value = chosen)} />
        </div>
      )}
      <ListOf
        label="Openings"
        class="open"
        reader={openings}
        columns={columns}
        text={text}
        {...(filter === undefined ? {} : { wants: filter })}
        order={order}
        none={<FirstSteps />}
      />
    </>
  );
}

const columns: readonly Column<Opening>[] = [
  {
    id: "state",
    title: "State",
    key: ({ state }) => state,
    cell: ({ state }) => <Badge tone={state === "open" ? "good" : "warn"}>{state}</Badge>,
  },
  {
    id: "container",
    title: "Container",
    key: ({ host, container }) => naturalKey(`${host}/${container?.name ?? ""}`),
    cell: (opening) => (
      <button type="button" class="link" onClick={() => askWhy(whyOf(opening))} title="Why is this open?">
        <Whose host={opening.host} name={opening.container?.name} />
      </button>
    ),
  },
  {
    id: "to",
    title: "Address and port",
    key: addressKey,
    cell: ({ to, service }) => (
      <>
        <code>{to}</code> <b class="port">{serviceText(service)}</b>
      </>
    ),
  },
  {
    id: "from",
    title: "From",
    key: ({ from }) => sourcesText(from),
    cell: ({ from }) => <span title={sourcesText(from)}>{sourcesText(from)}</span>,
  },
  {
    id: "by",
    title: "Asked by",
    key: ({ askedBy: { kind, name, text }, reason = text }) => `${kind}\0${name}\0${reason}`,
    cell: askedBy,
  },
  {
    id: "grant",
    title: "Granted by",
    key: ({ grantedBy }) => naturalKey(grantedBy),
    cell: ({ grantedBy }) => (
      <span title={printable(grantedBy)}>
        <Said text={grantedBy} />
      </span>
    ),
  },
  { id: "checks", title: "Checks", cell: ({ id }) => <Strip id={id} /> },
  { id: "packets", title: "Packets", cell: ({ id }) => <Packets id={id} /> },
  {
    id: "left",
    title: "Time left",
    key: ({ ends = Number.POSITIVE_INFINITY }) => ends,
    cell: ({ ends, askedBy }) => <Left ends={ends} askedBy={askedBy} />,
  },
  {
    id: "act",
    title: "Close",
    cell: (opening) =>
      opening.askedBy.kind === "person" && may("operator") ? (
        <button
          type="button"
          class="small"
          onClick={() => (asking.value = { kind: "close", opening })}
          aria-label={`Close ${targetText(opening)} ${serviceText(opening.service)}`}
        >
          Close…
        </button>
      ) : null,
  },
];

/** In the order of numbers, which is not that of texts. */
function addressKey({ to, service }: Opening): string {
  const port = service.kind === "ping" ? 0 : service.ports.first;
  return `${toBits(to as Address)
    .toString(16)
    .padStart(32, "0")} ${String(port).padStart(5, "0")}`;
}

/** Which rule of the label it was stands in the title; in the row there is room for the rule itself. */
const whereInLabel = /^sixgate\.open rule \d+: /;

function askedBy({ askedBy: { kind, name, text }, reason }: Opening): JSX.Element {
  const told = reason ?? text;
  return (
    <span title={printable(`${kind} ${name}: ${told}`)}>
      <span class="kind">{kind}</span>{" "}
      {kind === "label" ? (
        <code>
          <Said text={told.replace(whereInLabel, "")} />
        </code>
      ) : (
        <Said text={`${name}${told === "" ? "" : `: ${told}`}`} />
      )}
    </span>
  );
}

function Left({ ends, askedBy }: Pick<Opening, "ends" | "askedBy">): JSX.Element {
  if (ends === undefined) return <span class="faint">{askedBy.kind === "fleet" ? "no end" : "until it stops"}</span>;
  const left = ends - now.value;
  return <span class={left < 300_000 ? "warn" : ""}>{lengthText(left)}</span>;
}

/** The question that this opening answers: from a source that it has. */
function whyOf(opening: Opening): { readonly to: string; readonly from?: string } {
  const { service, to, from } = opening;
  const port = service.kind === "ping" ? "ping" : `${service.ports.first}/${service.transport}`;
  const [first] = from;
  const asked = `[${to}]:${port}`;
  return first === undefined || first === "::/0" ? { to: asked } : { to: asked, from: first };
}
