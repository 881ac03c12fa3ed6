import type { AddressPlan } from "../addressing/address-plan.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { readState } from "../lab/state.ts";
import { topologyOf } from "../lab/topology.ts";
import { type Exit, exit } from "./exit.ts";
import { openFleet } from "./fleet-file.ts";
import { labFile } from "./lab-file.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";

export type GraphOptions = {
  readonly name: string;
  readonly format: "text" | "mermaid" | "json";
  readonly file?: string;
  readonly prefix?: string;
};

/** `sixgate lab graph`: the nodes and cables, of the running lab or of a fleet file. */
export async function graph(options: GraphOptions, terminal: Terminal): Promise<Exit> {
  const state = options.file === undefined ? await readState(options.name) : undefined;
  const { fleet, plan } = await openFleet({
    file: options.file ?? state?.fleetFile ?? labFile(),
    prefix: options.prefix ?? state?.prefix,
  });
  const topology = topologyOf(fleet);
  if (!topology.ok) throw new Refused(topology.errors);
  terminal.result({ format: "sixgate.graph/1", topology: topology.value });
  if (options.format === "json") {
    if (!terminal.json) terminal.raw(JSON.stringify({ format: "sixgate.graph/1", topology: topology.value }, null, 2));
  } else {
    terminal.raw(options.format === "mermaid" ? mermaid(fleet, plan) : picture(fleet, plan));
  }
  return exit.fine;
}

/** Internet and gateway on one line, then a line per host with its containers' networks. Deterministic. */
export function picture(fleet: Fleet, plan: AddressPlan): string {
  const head = `  internet ── provider ${fleet.provider.nextHop} ──${fleet.gateway.uplink.device}── [ ${fleet.gateway.name} ] ──${fleet.gateway.hosts.device}──`;
  const indent = " ".repeat(head.length);
  const lines: string[] = [];
  for (const [at, host] of plan.hosts.entries()) {
    const last = at === plan.hosts.length - 1;
    const joint = plan.hosts.length === 1 ? "─" : at === 0 ? "┬" : last ? "└" : "├";
    lines.push(`${at === 0 ? head : indent}${joint}── ${host.host}  ${host.address}`);
    for (const [n, network] of host.networks.entries()) {
      const branch = n === host.networks.length - 1 ? "└" : "├";
      const names = [...(fleet.hosts.get(host.host)?.docker.containers ?? [])]
        .filter(([, each]) => each.network === network.name)
        .map(([name]) => name);
      lines.push(
        `${indent}${last ? " " : "│"}    ${branch}─ ${network.name.padEnd(8)} ${network.prefix}${names.length > 0 ? `  ${names.join(", ")}` : ""}`,
      );
    }
  }
  return lines.join("\n");
}

function mermaid(fleet: Fleet, plan: AddressPlan): string {
  const gateway = fleet.gateway.name;
  const hosts = plan.hosts.flatMap((host) => [
    `  ${gateway} --- ${host.host}["${host.host}<br/>${host.block}"]`,
    ...host.networks.map(
      (network) => `  ${host.host} --- ${host.host}_${network.index}["${network.name}<br/>${network.prefix}"]`,
    ),
  ]);
  return [
    "graph LR",
    `  internet((Internet)) --- provider["provider<br/>${fleet.provider.nextHop}"]`,
    `  provider --- ${gateway}{{"${gateway}<br/>${plan.delegated}"}}`,
    ...hosts,
  ].join("\n");
}
