import type { JSX } from "preact";
import { Badge } from "../../parts/badge.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { Empty } from "../../parts/empty.tsx";
import type { Column } from "../../parts/virtual-table.tsx";
import { lengthText, now } from "../../store/clock.ts";
import { openings } from "../../store/openings.ts";
import { may } from "../../store/session-state.ts";
import { type Opening, serviceText, sourcesText } from "../../store/views.ts";
import { askWhy } from "../../store/why.ts";
import { asking } from "./asking.ts";
import { ListOf } from "./list-of.tsx";
import { targetOf } from "./target.ts";

export function OpenTable({ text }: { readonly text: string }): JSX.Element {
  return <ListOf label="Openings" class="open" reader={openings} columns={columns} text={text} none={<None />} />;
}

function None(): JSX.Element {
  return (
    <Empty title="Nothing is open">
      <p>Every address is routed, and closed. A container asks by its label, and the policy decides:</p>
      <CommandLine text="docker run --label sixgate.open=443 --network front nginx" />
      <p>A person opens for some time, with a reason:</p>
      <CommandLine text='sixgate open vm1/web 443 --for 2h --because "release test"' />
    </Empty>
  );
}

const columns: readonly Column<Opening>[] = [
  {
    id: "state",
    title: "State",
    cell: ({ state }) => <Badge tone={state === "open" ? "good" : "warn"}>{state}</Badge>,
  },
  {
    id: "container",
    title: "Container",
    cell: (opening) => (
      <button type="button" class="link" onClick={() => askWhy(whyOf(opening))} title="Why is this open?">
        <span class="host">{opening.host}/</span>
        {opening.container?.name ?? "—"}
      </button>
    ),
  },
  {
    id: "to",
    title: "Address and port",
    cell: ({ to, service }) => (
      <>
        <code>{to}</code> <b class="port">{serviceText(service)}</b>
      </>
    ),
  },
  { id: "from", title: "From", cell: ({ from }) => <span title={sourcesText(from)}>{sourcesText(from)}</span> },
  { id: "by", title: "Asked by", cell: askedBy },
  { id: "grant", title: "Granted by", cell: ({ grantedBy }) => <span title={grantedBy}>{grantedBy}</span> },
  { id: "left", title: "Time left", cell: ({ ends }) => <Left ends={ends} /> },
  {
    id: "act",
    title: "Close",
    cell: (opening) =>
      opening.askedBy.kind === "person" && may("operator") ? (
        <button
          type="button"
          class="small"
          onClick={() => (asking.value = { kind: "close", opening })}
          aria-label={`Close ${targetOf(opening)} ${serviceText(opening.service)}`}
        >
          Close…
        </button>
      ) : null,
  },
];

function askedBy({ askedBy: { kind, name, text }, reason }: Opening): JSX.Element {
  const told = reason ?? text;
  return (
    <span title={`${kind} ${name}: ${told}`}>
      <span class="kind">{kind}</span>{" "}
      {kind === "label" ? <code>{told}</code> : `${name}${told === "" ? "" : `: ${told}`}`}
    </span>
  );
}

function Left({ ends }: { readonly ends: number | undefined }): JSX.Element {
  if (ends === undefined) return <span class="faint">until it stops</span>;
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
