import { formatTimestamp } from "../base/timestamp.ts";
import type { AgentView, Status } from "../controller/controller.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { formatLength } from "./opening-row.ts";
import { remoteAt } from "./remote.ts";
import type { Cell, Terminal, Tone } from "./terminal.ts";

/** `sixgate status`: the controller, its gateway and its agents. Exit 2 when the gateway drifted, 1 when it is not reached. */
export async function status(options: DoorOptions, terminal: Terminal): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const found = await remote.get<Status>("status/1", "/api/v1/status");
  const { entries: agents } = await remote.get<{ readonly entries: readonly AgentView[] }>(
    "agents/1",
    "/api/v1/agents",
  );
  const lines: readonly (readonly [string, string, Tone?])[] = [
    [
      "controller",
      `sixgate ${found.version}, up for ${formatLength((Date.now() - found.started) / 1000)}, fleet ${found.fleet}`,
    ],
    ["gateway", ...gatewayOf(found)],
    [
      "openings",
      `${found.openings} open, ${found.refusals} refused${found.complete ? "" : "; some hosts have not reported yet, so nothing of theirs is closed"}`,
      found.complete ? "plain" : "change",
    ],
    ["latency", latencyOf(found)],
    ["journal", `${found.journal.entries} entries, head ${found.journal.head.slice(0, 12)}`],
    [
      "agents",
      `${found.agents.connected} of ${found.agents.all} connected`,
      found.agents.connected < found.agents.all ? "change" : "good",
    ],
  ];
  for (const [name, text, tone] of lines) terminal.line(`${name.padEnd(11)} ${text}`, tone ?? "plain");
  if (agents.length > 0) {
    terminal.line("");
    terminal.table(
      ["HOST", "AGENT", "LAST SIGN OF LIFE", "CONTAINERS", "VERSION", "ENGINE", "CERTIFICATE ENDS"],
      agents.map(agentRow),
    );
  }
  terminal.result({ ...found, agentsByHost: agents });
  return !found.gateway.reached ? exit.error : found.gateway.drift > 0 ? exit.changes : exit.fine;
}

function gatewayOf({ gateway }: Status): readonly [string, Tone] {
  if (!gateway.reached) return [`not reached: ${gateway.error ?? "no reason known"}`, "bad"];
  return gateway.drift === 0
    ? ["reached, as it should be", "good"]
    : [`reached, ${gateway.drift} differences that nobody planned`, "bad"];
}

function latencyOf({ latency }: Status): string {
  if (latency.p50 === undefined || latency.p99 === undefined) return "nothing was opened yet";
  return `event to element in force: half within ${latency.p50.toFixed(1)} ms, 99 % within ${latency.p99.toFixed(1)} ms, of ${latency.count}`;
}

const tones: Readonly<Record<AgentView["state"], Tone>> = {
  never: "dim",
  connected: "good",
  silent: "change",
  stale: "bad",
  revoked: "bad",
};

function agentRow(agent: AgentView): readonly Cell[] {
  return [
    agent.host,
    { text: agent.state, tone: tones[agent.state] ?? "plain" },
    agent.seen === undefined ? "-" : formatTimestamp(agent.seen),
    String(agent.containers),
    agent.version ?? "-",
    agent.engine ?? "-",
    agent.certificateEnds === undefined ? "-" : formatTimestamp(agent.certificateEnds),
  ];
}
