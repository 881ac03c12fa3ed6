import type { JSX } from "preact";
import { Badge, type Tone } from "../../parts/badge.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { Empty } from "../../parts/empty.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import { lengthText, now } from "../../store/clock.ts";
import { agents } from "../../store/status.ts";
import type { Agent } from "../../store/views.ts";

export function AgentTable({ text }: { readonly text: string }): JSX.Element {
  const all = agents.value;
  if (all === undefined)
    return (
      <Empty title="The agents could not be read">
        <p>It is tried again every ten seconds.</p>
      </Empty>
    );
  const wanted = all.filter(({ host, state }) => `${host} ${state}`.includes(text));
  if (all.every(({ state }) => state === "never")) return <FirstAgent />;
  return wanted.length === 0 ? (
    <Empty title="No agent matches the search" />
  ) : (
    <VirtualTable label="Agents" class="agents" columns={columns} rows={wanted} keyOf={({ host }) => host} />
  );
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
  { id: "host", title: "Host", cell: ({ host }) => host },
  { id: "state", title: "State", cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge> },
  { id: "seen", title: "Last report", cell: ({ seen }) => (seen === undefined ? "—" : <Ago at={seen} />) },
  { id: "containers", title: "Containers", cell: ({ containers }) => containers },
  { id: "engine", title: "Engine", cell: ({ engine = "—" }) => engine },
  { id: "version", title: "Version", cell: ({ version = "—" }) => version },
];

function Ago({ at }: { readonly at: number }): JSX.Element {
  return <span>{lengthText(now.value - at)} ago</span>;
}
