import type { HostPlan } from "../addressing/address-plan.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Status } from "../controller/controller.ts";
import { address4Of } from "../net/ipv4.ts";
import { sourceBeside } from "../runtime/source-beside.ts";
import { daemonLog, startDaemon } from "./daemon.ts";
import type { Node } from "./node.ts";
import { type Nodes, nodeOf } from "./wiring.ts";
import type { LabWish } from "./wish.ts";

/** Where a gateway has its fleet file; sockets, tokens and state are where they are on any gateway. */
const fleetPath = "/etc/sixgate/fleet.yaml";
const socketPath = "/run/sixgate/controller.sock";
export const controllerName = "controller";
export const agentName = "agent";

const program = sourceBeside(import.meta.url, "../cli/main");

/** The command line as a node starts it: this very program. */
export function sixgate(...words: readonly string[]): readonly string[] {
  return [process.execPath, program, ...words];
}

/** Starts the controller in the gateway's node, as it runs on a gateway, and resolves when its API listens. */
export async function startController(wish: LabWish, nodes: Nodes): Promise<void> {
  const node = nodeOf(nodes, wish.fleet.gateway.name);
  await node.shell.write(fleetPath, wish.fleetText);
  await node.shell.write(fleetPath.replace(/\.yaml$/, ".ledger.json"), wish.ledgerText);
  await runController(wish, node);
}

/** Also after it was killed: its state is still there. */
export async function runController(wish: Pick<LabWish, "fleet" | "plan">, node: Node): Promise<void> {
  const prefix = wish.fleet.delegation === undefined ? [] : ["--prefix", wish.plan.delegated];
  await node.shell.remove(socketPath);
  await startDaemon(node, {
    name: controllerName,
    argv: sixgate("controller", "-f", fleetPath, ...prefix),
    ready: socketPath,
  });
}

/** Enrols every host with a token of its own and starts its agent, hosts side by side. */
export async function startAgents(wish: LabWish, nodes: Nodes): Promise<void> {
  const gateway = nodeOf(nodes, wish.fleet.gateway.name);
  await Promise.all(
    wish.plan.hosts.map(async (host) => {
      const node = nodeOf(nodes, host.host);
      const { token } = (await must(gateway, sixgate("--json", "invite", host.host))) as { readonly token: string };
      await must(node, sixgate("--json", "enrol", controllerAt(wish, host)), `${token}\n`);
      await runAgent(node);
    }),
  );
  await agentsConnected(gateway, wish.plan.hosts.length);
}

/** Resolves when so many agents have reported; rejects with E718 when they don't within half a minute. */
export async function agentsConnected(gateway: Node, count: number): Promise<void> {
  for (const began = Date.now(); Date.now() - began < 30_000; ) {
    const { agents } = (await must(gateway, sixgate("--json", "status"))) as Pick<Status, "agents">;
    if (agents.connected >= count) return;
  }
  throw new Failure(
    "E718",
    gateway.shell.name,
    `Not all of ${count} agents connect`,
    `see ${daemonLog(agentName)} in the hosts, with \`sixgate lab sh HOST\``,
  );
}

export async function runAgent(node: Node): Promise<void> {
  await startDaemon(node, { name: agentName, argv: sixgate("agent"), ready: "/var/lib/sixgate/agent" });
}

/** Where a host reaches the controller: the gateway's address on the management network, else on the host's own link. */
function controllerAt({ fleet }: LabWish, host: HostPlan): string {
  const port = fleet.controller?.agentPort ?? 0;
  const management = fleet.gateway.management?.ipv4;
  return management === undefined ? `[${host.gateway}]:${port}` : `${address4Of(management)}:${port}`;
}

async function must(node: Node, argv: readonly string[], input?: string): Promise<unknown> {
  const ran = await node.shell.run(argv, input === undefined ? {} : { input });
  if (ran.code === 0) return JSON.parse(ran.stdout);
  // A status that is not as it should be is an answer all the same.
  if (ran.stdout.includes('"format": "sixgate.status/1"')) return JSON.parse(ran.stdout);
  throw new Failure(
    "E718",
    node.shell.name,
    `${argv.slice(2).join(" ")} ended with ${ran.code}: ${printable((ran.stderr.trim() || ran.stdout).slice(-400))}`,
    "look at `sixgate doctor`, then `sixgate lab down`",
  );
}
