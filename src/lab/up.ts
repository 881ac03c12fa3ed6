import { Failure } from "../base/failure.ts";
import { seconds } from "../base/time.ts";
import { derive } from "../desired/derive.ts";
import type { Desired } from "../desired/desired.ts";
import { applyDevice, planDevice } from "../drivers/plan-device.ts";
import { startContainers } from "./containers.ts";
import { startAgents, startController } from "./controller.ts";
import { labDown, labRuns } from "./down.ts";
import { prepareEngines } from "./engines.ts";
import { prepareMachines } from "./machines.ts";
import { type Node, recordOf, startNode, withoutDad } from "./node.ts";
import { doorFromOutside } from "./outside.ts";
import { openPageDoor } from "./page-door.ts";
import { installPrograms, missingPrograms, programsFor } from "./programs.ts";
import { isRootless } from "./rootless.ts";
import { type LabState, labFolder, marker, type RunningContainer, readState, writeState } from "./state.ts";
import { type Report, step } from "./step.ts";
import { nodeNames } from "./topology.ts";
import { configureInternet, configureProvider, layWires, type Nodes, nodeOf, plugPorts } from "./wiring.ts";
import type { LabWish } from "./wish.ts";

export type Lab = {
  readonly wish: LabWish;
  readonly nodes: Nodes;
  readonly running: readonly RunningContainer[];
  /** Where this machine's browser reaches the controller's page; none without a controller. */
  readonly page?: string;
};

/** How long a device of the lab waits for a confirmation, in seconds. */
const confirmWithin = seconds(30);

/**
 * Brings a lab up: nodes, cables, then the production drivers on every device, then containers. When anything fails or
 * `signal` is raised, everything made so far is taken down again before this rejects.
 */
export async function labUp(wish: LabWish, report: Report, signal: AbortSignal): Promise<Lab> {
  const before = await readState(wish.name);
  if (before !== undefined && (await labRuns(before))) {
    throw new Failure(
      "E706",
      `lab ${wish.name}`,
      "A lab of this name already runs",
      "`sixgate lab status` shows it, `sixgate lab down` ends it",
    );
  }
  // What a killed `up` or a restart of the machine left.
  if (before !== undefined) await labDown(wish.name, { say: report.say, done: () => undefined });
  await installPrograms(await missingPrograms(programsFor(wish.containers)), report.say);
  try {
    return await build(wish, report, signal);
  } catch (cause) {
    report.say("taking down what was made so far");
    await labDown(wish.name, { say: report.say, done: () => undefined }).catch((second: unknown) =>
      // What went wrong first is the answer; this is said beside it.
      report.say(
        `not all of it: ${second instanceof Error ? second.message : String(second)}; call \`sixgate lab down\``,
      ),
    );
    throw cause;
  }
}

async function build(wish: LabWish, report: Report, signal: AbortSignal): Promise<Lab> {
  const { topology, fleet, plan } = wish;
  const nodes = await step(report, "build", async () => {
    const made = await startNodes(wish);
    await layWires(topology, made);
    await Promise.all([configureInternet(fleet, topology, made), configureProvider(fleet, plan, topology, made)]);
    return { value: made, detail: `${made.size} namespaces, ${topology.wires.length} cables` };
  });
  signal.throwIfAborted();
  const desired = derive(fleet, plan);
  const engines = await prepare(wish, nodes, desired, report);
  signal.throwIfAborted();
  await configure(wish, nodes, desired, engines > 0, report, signal);
  const page = fleet.controller === undefined ? undefined : await control(wish, nodes, engines, report);
  signal.throwIfAborted();
  const running = await step(report, "start", async () => {
    const started = await startContainers(wish, nodes);
    const all = new Map([...nodes, ...started.nodes.map((node) => [node.name, node] as const)]);
    await writeState(await stateOf(wish, all, { running: started.running, page, upSince: Date.now() }));
    return {
      value: { nodes: all, list: started.running },
      detail: started.running.map((each) => `${each.host}/${each.name}`).join(", "),
    };
  });
  return { wish, nodes: running.nodes, running: running.list, ...(page === undefined ? {} : { page }) };
}

/** Gives the number of engines. */
function prepare(wish: LabWish, nodes: Nodes, desired: readonly Desired[], report: Report): Promise<number> {
  return step(report, "machines", async () => {
    await prepareMachines(wish, nodes, report.say);
    if (wish.containers === "stand-in") return { value: 0, detail: "containers by stand-ins" };
    const engines = await prepareEngines(wish, nodes, desired, report.say);
    return { value: engines.length, detail: `${engines.length} Docker engines ${engines[0]?.version ?? ""}` };
  });
}

/** The production drivers on every device: the hypervisor first, since the others are plugged into it. */
async function configure(
  wish: LabWish,
  nodes: Nodes,
  desired: readonly Desired[],
  withEngines: boolean,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { topology } = wish;
  await step(report, "hypervisor", async () => {
    const layers = desired.filter((each) => each.layer === "hypervisor");
    const count = await applyAll(nodes, layers, signal);
    await plugPorts(topology, nodes);
    return {
      value: undefined,
      detail: `${topology.hypervisor} +${count}, ${topology.ports.length} machines plugged in`,
    };
  });
  await step(report, "apply", async () => {
    const rest = desired.filter((each) => each.layer !== "hypervisor" && (each.layer !== "engine" || withEngines));
    const devices = [...Map.groupBy(rest, (each) => each.device)];
    const counts = await Promise.all(devices.map(([, layers]) => applyAll(nodes, layers, signal)));
    return { value: undefined, detail: devices.map(([device], at) => `${device} +${counts[at] ?? 0}`).join("  ") };
  });
  signal.throwIfAborted();
}

/** The controller on the gateway and an agent on every host that has an engine. Gives where its page is reached. */
function control(wish: LabWish, nodes: Nodes, engines: number, report: Report): Promise<string> {
  return step(report, "controller", async () => {
    await startController(wish, nodes);
    if (engines > 0) await startAgents(wish, nodes);
    const { name, pid } = nodeOf(nodes, wish.topology.gateway);
    const to = { name: `lab ${name}`, pid };
    const page = await (isRootless() ? doorFromOutside(to) : openPageDoor(to));
    return { value: page, detail: `on ${wish.topology.gateway}, ${engines} agents enrolled, page at ${page}` };
  });
}

/** In order: what a device's later layers stand on comes first. Gives the number of changes. */
async function applyAll(nodes: Nodes, layers: readonly Desired[], signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const desired of layers) {
    signal.throwIfAborted();
    const { shell } = nodeOf(nodes, desired.device);
    const { set } = await planDevice(shell, desired, signal);
    await applyDevice(shell, desired, set, confirmWithin, undefined, signal);
    count += set.changes.length;
  }
  return count;
}

async function startNodes(wish: LabWish): Promise<Nodes> {
  const environment = { [marker]: labFolder(wish.name) };
  const nodes = new Map<string, Node>();
  await writeState(await stateOf(wish, nodes));
  const started = await Promise.all(nodeNames(wish.topology).map((name) => startNode(name, environment)));
  for (const node of started) nodes.set(node.name, node);
  await writeState(await stateOf(wish, nodes));
  await Promise.all(started.map(withoutDad));
  return nodes;
}

/** What is known of a lab once it is up. */
type Up = {
  readonly running: readonly RunningContainer[];
  readonly page?: string | undefined;
  readonly upSince?: number;
};

async function stateOf(
  wish: LabWish,
  nodes: Nodes,
  { running, page, upSince }: Up = { running: [] },
): Promise<LabState> {
  return {
    format: "sixgate.lab/1",
    name: wish.name,
    fleetFile: wish.fleetFile,
    fleetText: wish.fleetText,
    ...(wish.fleet.delegation === undefined ? {} : { prefix: wish.plan.delegated }),
    containers: wish.containers,
    ...(wish.engine === undefined
      ? {}
      : { engine: { major: wish.engine.version.major, minor: wish.engine.version.minor } }),
    nodes: await Promise.all([...nodes.values()].map(recordOf)),
    running,
    ...(page === undefined ? {} : { page }),
    ...(upSince === undefined ? {} : { upSince }),
  };
}
