import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { printable } from "../../../../base/printable.ts";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { Chips } from "../../parts/chips.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Said } from "../../parts/said.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import { lengthText, now } from "../../store/clock.ts";
import { naturalKey } from "../../store/natural.ts";
import { type Order, Ordering } from "../../store/order.ts";
import { agents } from "../../store/status.ts";
import type { Agent } from "../../store/views.ts";
import { matcherOf } from "../../store/words.ts";

const states = ["connected", "silent", "stale", "never", "revoked"] as const satisfies readonly Agent["state"][];
const shown: Signal<ReadonlySet<Agent["state"]>> = signal<ReadonlySet<Agent["state"]>>(new Set(states));
const byHost: Order = { by: "host", isDown: false };
const order: Signal<Order> = signal<Order>(byHost);

export function AgentTable({ text }: { readonly text: string }): JSX.Element {
  const all = agents.value;
  if (all === undefined)
    return (
      <Empty title="The agents could not be read">
        <p>It is tried again every ten seconds.</p>
      </Empty>
    );
  const matches = matcherOf(text);
  const wanted = all.filter((agent) => shown.value.has(agent.state) && matches(searchedText(agent)));
  if (all.every(({ state }) => state === "never")) return <FirstAgent />;
  return (
    <>
      <div class="filters">
        <Chips label="State" all={states} chosen={shown.value} onChange={(chosen) => (shown.value = chosen)} />
      </div>
      {wanted.length === 0 ? <Empty title="No agent matches" /> : <Rows rows={wanted} />}
    </>
  );
}

function Rows({ rows }: { readonly rows: readonly Agent[] }): JSX.Element {
  const ordering = useMemo(() => new Ordering<Agent>(), []);
  const key = columns.find(({ id }) => id === order.value.by)?.key;
  return (
    <VirtualTable
      label="Agents"
      class="agents"
      columns={columns}
      rows={ordering.of(rows, order.value, key)}
      keyOf={({ host }) => host}
      order={order.value}
      onOrder={(chosen) => {
        order.value = chosen ?? byHost;
      }}
    />
  );
}

function searchedText({ host, state, engine = "", version = "" }: Agent): string {
  return printable(`${host} ${state} ${engine} ${version}`).toLowerCase();
}

function FirstAgent(): JSX.Element {
  return (
    <Empty title="No host has an agent yet">
      <p>Invite a host here, then enrol it there with the token:</p>
      <CommandLine text="sixgate invite vm1" />
      <CommandLine text="sixgate enrol https://CONTROLLER:6464" />
    </Empty>
  );
}

const tones: Readonly<Record<Agent["state"], Tone>> = {
  never: "plain",
  connected: "good",
  silent: "warn",
  stale: "bad",
  revoked: "bad",
};

const columns: readonly Column<Agent>[] = [
  { id: "host", title: "Host", key: ({ host }) => naturalKey(host), cell: ({ host }) => host },
  {
    id: "state",
    title: "State",
    key: ({ state }) => states.indexOf(state),
    cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge>,
  },
  {
    id: "seen",
    title: "Last report",
    key: ({ seen = 0 }) => seen,
    cell: ({ seen }) => (seen === undefined ? "—" : <Ago at={seen} />),
  },
  { id: "containers", title: "Containers", key: ({ containers }) => containers, cell: ({ containers }) => containers },
  {
    id: "engine",
    title: "Engine",
    key: ({ engine = "" }) => naturalKey(engine),
    cell: ({ engine = "—" }) => <Said text={engine} />,
  },
  {
    id: "version",
    title: "Version",
    key: ({ version = "" }) => naturalKey(version),
    cell: ({ version = "—" }) => <Said text={version} />,
  },
];

function Ago({ at }: { readonly at: number }): JSX.Element {
  return <span>{lengthText(now.value - at)} ago</span>;
}
