import type { HostPlan, NetworkPlan } from "../addressing/address-plan.ts";
import { reservedAddress } from "../addressing/reserved-address.ts";
import { Failure } from "../base/failure.ts";
import type { Docker } from "../fleet/fleet.ts";
import { type Address, parseAddress } from "../net/address.ts";
import type { Service } from "../openings/opening.ts";
import { formatService } from "../openings/services.ts";
import { sourceBeside } from "../runtime/source-beside.ts";
import { dockerClient } from "./engines.ts";
import { labImage } from "./image.ts";
import { always, formatListening, listeningFor } from "./listening.ts";
import type { Node } from "./node.ts";
import { plainAddress, standInNetworks, startStandIn } from "./stand-in.ts";
import { type Listening, labFolder, marker, type RunningContainer } from "./state.ts";
import { gatewayOf } from "./truth.ts";
import { type Nodes, nodeOf } from "./wiring.ts";
import type { LabWish } from "./wish.ts";

/** The container that every host has on its default bridge, with whatever address Docker gives it. */
export const plainName = "plain";
/** The first host's container with a label: what it asks for is opened by the controller, if the policy allows it. */
export const askingName = "hello";

type Wanted = {
  readonly host: HostPlan;
  readonly name: string;
  readonly network: NetworkPlan;
  readonly address?: Address;
  readonly listens: readonly Listening[];
  /** Docker's own gate stands as well: each port is published to it. */
  readonly publish: boolean;
  readonly asks?: readonly Service[];
};

export type Started = { readonly running: readonly RunningContainer[]; readonly nodes: readonly Node[] };

const listener = sourceBeside(import.meta.url, "../probe/listener");

function wantedOn(wish: LabWish, host: HostPlan): readonly Wanted[] {
  const { openings } = gatewayOf(wish.fleet, wish.plan);
  const docker = wish.fleet.hosts.get(host.host)?.docker;
  if (docker === undefined) return [];
  const reserved = [...docker.containers].flatMap(([name, container]): readonly Wanted[] => {
    const network = host.networks.find((each) => each.name === container.network);
    const address = reservedAddress(host, container);
    if (network === undefined || address === undefined) return [];
    const publish = docker.profile === "two-gates";
    return [{ host, name, network, address, listens: listeningFor(openings, address), publish }];
  });
  const passing = passingNetwork(host, docker);
  if (passing === undefined) return reserved;
  const plain = {
    host,
    name: plainName,
    network: passing,
    listens: listeningFor(openings, ""),
    publish: docker.profile === "two-gates",
  };
  // Who reads labels is the agent, and without an engine there is none.
  const asking = wish.containers === "docker" && wish.fleet.controller !== undefined && host === wish.plan.hosts[0];
  return [plain, ...(asking ? [{ ...plain, name: askingName, asks: [helloPort] }] : []), ...reserved];
}

const helloPort: Service = { kind: "ports", transport: "tcp", ports: { first: always, last: always } };

/** Only with gateway-only has the default bridge public addresses; else the first network that leads out. */
function passingNetwork(host: HostPlan, docker: Docker): NetworkPlan | undefined {
  return host.networks.find(({ index, name }) =>
    docker.profile === "gateway-only" ? index === 1 : index > 1 && docker.networks.get(name)?.internal !== true,
  );
}

/** Starts the fleet's containers on every host, hosts side by side, and waits until each answers. */
export async function startContainers(wish: LabWish, nodes: Nodes): Promise<Started> {
  const groups = await Promise.all(
    wish.plan.hosts.map((host) =>
      wish.containers === "docker"
        ? dockerOn(wish, nodeOf(nodes, host.host), host)
        : standInsOn(wish, nodeOf(nodes, host.host), host),
    ),
  );
  return { running: groups.flatMap((group) => group.running), nodes: groups.flatMap((group) => group.nodes) };
}

async function dockerOn(wish: LabWish, node: Node, host: HostPlan): Promise<Started> {
  const running: RunningContainer[] = [];
  for (const wanted of wantedOn(wish, host)) running.push(await runContainer(node, wanted));
  return { running, nodes: [] };
}

function failure(wanted: Wanted, text: string): Failure {
  return new Failure(
    "E714",
    `lab ${wanted.host.host}/${wanted.name}`,
    text.trim().slice(0, 300),
    "look at the engine with `sixgate lab docker`",
  );
}

async function runContainer(node: Node, wanted: Wanted): Promise<RunningContainer> {
  const network = wanted.network.index === 1 ? [] : ["--network", wanted.network.name];
  const place = [...network, ...(wanted.address === undefined ? [] : ["--ip6", wanted.address])];
  // In routed mode Docker opens the container's port and ignores the host's, so none is named.
  const published = wanted.publish ? wanted.listens.flatMap((on) => ["-p", `[::]::${on.port}/${on.transport}`]) : [];
  const ports = wanted.listens.filter((on) => on.transport === "tcp").map((on) => String(on.port));
  const made = await node.shell.run(
    [
      dockerClient,
      "run",
      "-d",
      "--name",
      wanted.name,
      "--hostname",
      wanted.name,
      ...place,
      ...published,
      ...(wanted.asks === undefined ? [] : ["--label", `sixgate.open=${wanted.asks.map(formatService).join(",")}`]),
      labImage,
      ...ports,
    ],
    { timeout: 60_000 },
  );
  if (made.code !== 0) throw failure(wanted, made.stderr);
  const format = `{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}} {{end}}`;
  const seen = await node.shell.run([dockerClient, "inspect", "--format", format, wanted.name]);
  const [pid, address] = seen.stdout.trim().split(/\s+/);
  const parsed = parseAddress(address ?? "");
  if (seen.code !== 0 || parsed === undefined) throw failure(wanted, `No IPv6 address: ${seen.stderr}${seen.stdout}`);
  const container = {
    host: wanted.host.host,
    name: wanted.name,
    network: wanted.network.name,
    address: parsed,
    node: node.name,
    pid: Number(pid),
    listens: wanted.listens,
    ...(wanted.asks === undefined ? {} : { asks: wanted.asks }),
  };
  // httpd speaks TCP only; what is asked over UDP is answered by the lab's own listener in the container's network.
  await startListener(
    node,
    container,
    wanted.listens.filter((on) => on.transport === "udp"),
  );
  return container;
}

async function standInsOn(wish: LabWish, node: Node, host: HostPlan): Promise<Started> {
  await standInNetworks(node, host);
  const environment = { [marker]: labFolder(wish.name) };
  const started = await Promise.all(
    wantedOn(wish, host).map(async (wanted, at) => {
      const address = wanted.address ?? plainAddress(wanted.network);
      const inner = await startStandIn(
        node,
        { host: host.host, name: wanted.name, network: wanted.network, address },
        at,
        environment,
      );
      const container = {
        host: host.host,
        name: wanted.name,
        network: wanted.network.name,
        address,
        node: inner.name,
        pid: 1,
        listens: wanted.listens,
      };
      await startListener(inner, container, wanted.listens);
      return { container, inner };
    }),
  );
  return { running: started.map((each) => each.container), nodes: started.map((each) => each.inner) };
}

/** Starts the listener in a container's network, detached; the node ends it. Resolves when it has bound its ports. */
async function startListener(node: Node, container: RunningContainer, listens: readonly Listening[]): Promise<void> {
  if (listens.length === 0) return;
  const log = `/run/listener-${container.name}`;
  const script =
    'log=$1; shift; setsid "$@" >"$log" 2>&1 </dev/null & i=0; while ! grep -q ready "$log" 2>/dev/null; do i=$((i+1)); [ $i -lt 200 ] || { cat "$log" >&2; exit 1; }; sleep 0.02; done';
  const words = [
    "nsenter",
    "-t",
    String(container.pid),
    "-n",
    "--",
    process.execPath,
    listener,
    `${container.host}/${container.name}`,
    ...listens.map(formatListening),
  ];
  const ran = await node.shell.run(["sh", "-c", script, "sh", log, ...words]);
  if (ran.code !== 0)
    throw new Failure(
      "E714",
      node.shell.name,
      `The listener does not start: ${ran.stderr.trim()}`,
      "look at `sixgate doctor`",
    );
}
