import type { AddressPlan } from "../addressing/address-plan.ts";
import { Failure } from "../base/failure.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { linkLocalOf } from "../net/mac.ts";
import { runProcess } from "../runtime/process.ts";
import type { Shell } from "../runtime/shell.ts";
import type { Node } from "./node.ts";
import { internetLink, providerDown, providerUp, type Topology } from "./topology.ts";
import { internetAddress, internetAddress4, providerInside, providerInside4, vantages } from "./vantage.ts";

export type Nodes = ReadonlyMap<string, Node>;

export function nodeOf(nodes: Nodes, name: string): Node {
  const node = nodes.get(name);
  if (node === undefined)
    throw new Failure("E704", "lab", `No node "${name}"`, `nodes: ${[...nodes.keys()].join(", ")}`);
  return node;
}

/** `ip -batch` on this machine, or in the namespaces of a node. */
async function ipAt(place: Pick<Shell, "name" | "run">, lines: readonly string[]): Promise<void> {
  const ran = await place.run(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });
  if (ran.code === 0) return;
  throw new Failure(
    "E705",
    place.name,
    `ip: ${ran.stderr.trim()}`,
    "look at `sixgate doctor`, then `sixgate lab down`",
  );
}

/** `ip -batch` inside a node. */
export async function ipIn(node: Node, lines: readonly string[]): Promise<void> {
  await ipAt(node.shell, lines);
}

/** `ip -batch` from the machine's own namespaces, for what begins in one node and ends in another. */
export async function ipAcross(lines: readonly string[]): Promise<void> {
  await ipAt({ name: "lab", run: (argv, options) => runProcess("lab", argv, options) }, lines);
}

/** Lays every cable. Both ends are born in their nodes: nothing appears in the machine's own namespace. */
export async function layWires(topology: Topology, nodes: Nodes): Promise<void> {
  const lines = topology.wires.map(({ a, b }) => {
    const mac = (end: typeof a): string => (end.mac === undefined ? "" : ` address ${end.mac}`);
    const from = `link add name ${a.link}${mac(a)} netns ${nodeOf(nodes, a.node).pid} type veth`;
    return `${from} peer name ${b.link}${mac(b)} netns ${nodeOf(nodes, b.node).pid}`;
  });
  await ipAcross(lines);
}

/** Plugs the machines into the bridges that the hypervisor's own configuration has made. */
export async function plugPorts(topology: Topology, nodes: Nodes): Promise<void> {
  const node = nodeOf(nodes, topology.hypervisor);
  // A tap is the VM's cable, not an interface of the hypervisor: no link-local address on it.
  const quiet = topology.ports.map(({ port }) => `link set dev ${port} addrgenmode none`);
  const plug = topology.ports.map(({ bridge, port }) => `link set dev ${port} master ${bridge} up`);
  await ipIn(node, [...quiet, ...plug]);
  const isolate = topology.ports.filter((port) => port.isolated).map(({ port }) => `link set dev ${port} isolated on`);
  if (isolate.length === 0) return;
  const ran = await node.shell.run(["bridge", "-batch", "-"], { input: `${isolate.join("\n")}\n` });
  if (ran.code !== 0)
    throw new Failure(
      "E705",
      node.shell.name,
      `bridge: ${ran.stderr.trim()}`,
      "the kernel must know isolated bridge ports (Linux 4.18)",
    );
}

async function sysctls(node: Node, settings: readonly string[]): Promise<void> {
  const ran = await node.shell.run(["sysctl", "-qw", ...settings]);
  if (ran.code !== 0)
    throw new Failure("E705", node.shell.name, `sysctl: ${ran.stderr.trim()}`, "look at `sixgate doctor`");
}

/** The provider's router: fe80::1 towards the customer, the customer's prefix routed to the gateway's MAC or on the link. */
export async function configureProvider(
  fleet: Fleet,
  plan: AddressPlan,
  topology: Topology,
  nodes: Nodes,
): Promise<void> {
  const node = nodeOf(nodes, topology.provider);
  await sysctls(node, ["net.ipv6.conf.all.forwarding=1", "net.ipv4.ip_forward=1"]);
  const uplink = fleet.networks.get(fleet.gateway.uplink.network);
  const { gateway4 } = fleet.gateway.uplink;
  const nextHop = fleet.provider.nextHop;
  await ipIn(node, [
    `link set dev ${providerUp} up`,
    `link set dev ${providerDown} up`,
    `addr add ${providerInside}/64 dev ${providerUp} nodad`,
    `addr add ${providerInside4}/24 dev ${providerUp}`,
    ...(nextHop === "fe80::1"
      ? [`addr add fe80::1/64 dev ${providerDown} nodad`]
      : [`addr add ${nextHop}/128 dev ${providerDown} nodad`]),
    ...(gateway4 === undefined || uplink?.ipv4 === undefined
      ? []
      : [`addr add ${gateway4}/32 dev ${providerDown}`, `route add ${uplink.ipv4} dev ${providerDown}`]),
    fleet.provider.delivery === "routed"
      ? `route add ${plan.delegated} via ${linkLocalOf(fleet.gateway.uplink.mac)} dev ${providerDown}`
      : `route add ${plan.delegated} dev ${providerDown}`,
    ...vantages(fleet)
      .filter((each) => each.address !== internetAddress)
      .map((each) => `route add ${each.address}/128 via ${internetAddress} dev ${providerUp}`),
  ]);
}

/** The Internet: one machine with an address for "anywhere" and one in each of the fleet's groups. */
export async function configureInternet(fleet: Fleet, topology: Topology, nodes: Nodes): Promise<void> {
  const node = nodeOf(nodes, topology.internet);
  await ipIn(node, [
    `link set dev ${internetLink} up`,
    `addr add ${internetAddress}/64 dev ${internetLink} nodad`,
    `addr add ${internetAddress4}/24 dev ${internetLink}`,
    ...vantages(fleet)
      .filter((each) => each.address !== internetAddress)
      .map((each) => `addr add ${each.address}/128 dev ${internetLink} nodad`),
    `route add default via ${providerInside} dev ${internetLink} src ${internetAddress}`,
    `route add default via ${providerInside4} dev ${internetLink}`,
  ]);
}
