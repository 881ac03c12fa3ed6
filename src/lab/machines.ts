import { ifupdown2Tree, installedInterfaces, startIfupdown2 } from "./ifupdown2.ts";
import { isolateFiles } from "./node-files.ts";
import { startNetworkd } from "./node-networkd.ts";
import type { Say } from "./step.ts";
import { type Nodes, nodeOf } from "./wiring.ts";
import type { LabWish } from "./wish.ts";

/**
 * Makes hypervisor, gateway and hosts into machines: files of their own under /etc, and the network service that the
 * fleet says. ifupdown2 would replace the machine's own network configuration, so it is unpacked, never installed.
 */
export async function prepareMachines(wish: LabWish, nodes: Nodes, say: Say): Promise<void> {
  const { fleet, topology } = wish;
  const ifupdown2 = await ifupdown2Tree(say);
  const networks = new Map([
    [topology.hypervisor, "ifupdown"],
    [topology.gateway, fleet.gateway.network as string],
  ]);
  for (const host of fleet.hosts.values()) networks.set(host.name, host.network);
  await Promise.all(
    [...networks].map(async ([name, network]) => {
      const node = nodeOf(nodes, name);
      await isolateFiles(node.shell);
      if (network !== "ifupdown") return startNetworkd(node.shell);
      if (name !== topology.hypervisor) await node.shell.write("/etc/network/interfaces", installedInterfaces);
      return startIfupdown2(node.shell, ifupdown2);
    }),
  );
}
