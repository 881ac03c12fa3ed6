import type { HostPlan, NetworkPlan } from "../addressing/address-plan.ts";
import type { HostName } from "../base/name.ts";
import type { Address } from "../net/address.ts";
import { nth } from "../net/prefix.ts";
import { type Node, startNode, withoutDad } from "./node.ts";
import { ipAcross, ipIn } from "./wiring.ts";

/** A container to be: in a stand-in lab a node on a bridge of its host. */
export type Wanted = {
  readonly host: HostName;
  readonly name: string;
  readonly network: NetworkPlan;
  readonly address: Address;
};

/** The bridge's name inside the host; 15 characters at most (IFNAMSIZ). */
function bridgeName(network: NetworkPlan): string {
  return `br-n${network.index}`;
}

/** Makes a bridge for every container network of a host, as Docker would. */
export async function standInNetworks(host: Node, plan: HostPlan): Promise<void> {
  const lines = plan.networks.flatMap((network) => {
    const bridge = bridgeName(network);
    const length = network.prefix.slice(network.prefix.indexOf("/"));
    return [
      `link add ${bridge} type bridge`,
      `link set dev ${bridge} up`,
      `addr add ${network.gateway}${length} dev ${bridge} nodad`,
    ];
  });
  await ipIn(host, lines);
}

/** Starts a stand-in for a container: a namespace with one interface on the host's bridge and a route to it. */
export async function startStandIn(
  host: Node,
  wanted: Wanted,
  number: number,
  environment: Readonly<Record<string, string>>,
): Promise<Node> {
  const node = await withoutDad(await startNode(`${wanted.host}-${wanted.name}`, environment));
  const port = `veth${number}`;
  const length = wanted.network.prefix.slice(wanted.network.prefix.indexOf("/"));
  await ipAcross([`link add name eth0 netns ${node.pid} type veth peer name ${port} netns ${host.pid}`]);
  await ipIn(host, [`link set dev ${port} master ${bridgeName(wanted.network)} up`]);
  await ipIn(node, [
    "link set dev eth0 up",
    `addr add ${wanted.address}${length} dev eth0 nodad`,
    `route add default via ${wanted.network.gateway} dev eth0`,
  ]);
  return node;
}

/** The address that the stand-in on the default bridge gets: far from the ones that a fleet reserves. */
export function plainAddress(network: NetworkPlan): Address {
  const found = nth(network.prefix, 0x0242_ac11_0002n);
  if (found === undefined) throw new RangeError(`${network.prefix} has no room`);
  return found;
}
