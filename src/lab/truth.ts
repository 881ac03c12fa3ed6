import type { AddressPlan } from "../addressing/address-plan.ts";
import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import type { GatewayDesired } from "../desired/desired.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { Address } from "../net/address.ts";
import { contains } from "../net/prefix.ts";
import type { Opening } from "../openings/opening.ts";
import { type Answer, ask, type Question } from "../probe/probe.ts";
import type { Shell } from "../runtime/shell.ts";
import { askedOpenings } from "./asked.ts";
import { containerShell } from "./container-shell.ts";
import type { RunningContainer } from "./state.ts";
import { internetNode } from "./topology.ts";
import { vantages } from "./vantage.ts";
import { type Nodes, nodeOf } from "./wiring.ts";

/** One line of the fleet's truth table: who asks whom, and what the fleet file says must come of it. */
export type Row = {
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly want: "open" | "closed";
  readonly vantage: Shell;
  readonly question: Question;
};

export type Verdict = { readonly row: Row; readonly answer: Answer; readonly passed: boolean };

/** The filter that the fleet asks of its gateway. */
export function gatewayOf(fleet: Fleet, plan: AddressPlan): GatewayDesired {
  const found = derive(fleet, plan).find((each) => each.layer === "gateway");
  if (found === undefined) throw new Failure("E704", "lab", "The fleet has no gateway", "give it one");
  return found;
}

function covers(opening: Opening, to: Address, transport: string, port: number | undefined, from: Address): boolean {
  const { service } = opening;
  const fits =
    service.kind === "ping"
      ? transport === "ping"
      : service.transport === transport &&
        port !== undefined &&
        service.ports.first <= port &&
        port <= service.ports.last;
  return opening.to === to && fits && opening.from.some((prefix) => contains(prefix, from));
}

/** From every place outside, and from a container of every other host, to everything that every container answers on. */
export function truthTable(
  fleet: Fleet,
  plan: AddressPlan,
  running: readonly RunningContainer[],
  nodes: Nodes,
): readonly Row[] {
  const openings = [...gatewayOf(fleet, plan).openings, ...askedOpenings(fleet, plan, running)];
  const outside = nodeOf(nodes, internetNode).shell;
  const rows: Row[] = [];
  const add = (
    from: { name: string; address: Address; shell: Shell; trusted: boolean },
    to: RunningContainer,
    transport: "tcp" | "udp" | "ping",
    port?: number,
  ): void => {
    const open = from.trusted || openings.some((each) => covers(each, to.address, transport, port, from.address));
    rows.push({
      from: from.name,
      to: `${to.host}/${to.name}`,
      what: port === undefined ? transport : `${port}/${transport}`,
      want: open ? "open" : "closed",
      vantage: from.shell,
      question: { from: from.address, to: to.address, transport, ...(port === undefined ? {} : { port }) },
    });
  };
  for (const to of running) {
    const places = [
      ...vantages(fleet).map(({ name, address }) => ({ name, address, shell: outside, trusted: false })),
      ...running
        .filter((each, at) => each.host !== to.host && running.findIndex((other) => other.host === each.host) === at)
        .map((each) => ({
          name: `${each.host}/${each.name}`,
          address: each.address,
          shell: containerShell(nodes, each),
          trusted: fleet.policy.betweenHosts === "open",
        })),
    ];
    for (const place of places) {
      for (const { transport, port } of to.listens) add(place, to, transport, port);
      add(place, to, "ping");
    }
  }
  return rows;
}

/** Asks every row with a packet, all rows of a vantage side by side. */
export async function askTruth(rows: readonly Row[]): Promise<readonly Verdict[]> {
  const byVantage = Map.groupBy(rows, (row) => row.vantage);
  const groups = await Promise.all(
    [...byVantage].map(async ([vantage, asked]) => {
      const answers = await ask(
        vantage,
        asked.map((row) => row.question),
      );
      return asked.map((row, at): Verdict => {
        const answer = answers[at];
        if (answer === undefined) throw new RangeError("fewer answers than questions");
        return { row, answer, passed: passes(row.want, answer) };
      });
    }),
  );
  const verdicts = new Map(groups.flat().map((verdict) => [verdict.row, verdict]));
  return rows.map((row) => verdicts.get(row)).filter((verdict) => verdict !== undefined);
}

/** Closed means silent: a reset or an ICMPv6 error would tell a stranger that somebody is there. */
function passes(want: Row["want"], answer: Answer): boolean {
  if (want === "open") return answer.state === "open";
  return answer.reason === "no-response" && (answer.state === "filtered" || answer.state === "open|filtered");
}
