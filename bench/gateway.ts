import type { DeviceName, HostName } from "../src/base/name.ts";
import { instant } from "../src/base/time.ts";
import type { GatewayDesired } from "../src/desired/desired.ts";
import type { AddressChange, MembersLane } from "../src/drivers/members-lane.ts";
import { render } from "../src/drivers/nftables/convert.ts";
import { laneOver } from "../src/drivers/nftables/lane.ts";
import { netlinkWays } from "../src/drivers/nftables/lane-netlink.ts";
import { type Node, startNode, stopNode } from "../src/lab/node.ts";
import { address } from "../src/net/address.ts";
import { mac } from "../src/net/mac.ts";
import { prefix } from "../src/net/prefix.ts";
import type { OpenService, Service } from "../src/openings/opening.ts";
import { closedPolicy } from "../src/openings/policy.ts";

export const udp443: Service = port("udp", 443);

function port(transport: "tcp" | "udp", n: number): Service {
  return { kind: "ports", transport, ports: { first: n, last: n } };
}

export function openTo(service: Service): readonly OpenService[] {
  return [{ service, from: [prefix("::/0")] }];
}

/** A gateway of up to 4,000 hosts whose policy covers what the benches open. */
export function gatewayOf(hosts: number): GatewayDesired {
  return {
    layer: "gateway",
    device: "bench" as DeviceName,
    driver: "nftables",
    delegated: prefix("2001:db8:1:2::/64"),
    hostLength: 76,
    uplink: "wan",
    inside: "lan",
    own: [],
    hosts: Array.from({ length: hosts }, (_, i) => hostAt(i)),
    policy: {
      betweenHosts: "closed",
      egress: "open",
      openings: {
        ...closedPolicy,
        allow: [
          {
            id: "web",
            hosts: "all",
            services: [port("tcp", 80), port("tcp", 443), udp443, { kind: "ping" }],
            from: [prefix("::/0")],
            by: ["labels"],
          },
        ],
      },
    },
    openings: [],
    bogons: [prefix("fc00::/7"), prefix("fe80::/10"), prefix("ff00::/8")],
  };
}

function hostAt(i: number): GatewayDesired["hosts"][number] {
  const at = `2001:db8:1:2:${(i + 2).toString(16)}0`;
  const number = (i + 2).toString(16).padStart(4, "0");
  return {
    host: `vm${i + 1}` as HostName,
    block: prefix(`${at}::/76`),
    link: prefix(`${at}::/80`),
    address: address(`${at}::2`),
    mac: mac(`02:00:00:00:${number.slice(0, 2)}:${number.slice(2)}`),
  };
}

/** The n-th container of a host, as an address. */
export function containerOf(host: number, n: number): AddressChange["to"] {
  return address(`2001:db8:1:2:${(host + 2).toString(16)}1::${(n + 2).toString(16)}`);
}

/** The same as 32 hex digits. */
export function containerHex(host: number, n: number): string {
  const group = `${(host + 2).toString(16)}1`.padStart(4, "0");
  return `20010db800010002${group}00000000${(n + 2).toString(16).padStart(4, "0")}`;
}

export type BenchGateway = {
  readonly node: Node;
  readonly desired: GatewayDesired;
  readonly lane: MembersLane;
  readonly namespace: string;
  stop(): Promise<void>;
};

/** A node with the table loaded, as it is at boot, and the lane to it. Needs root. */
export async function startGateway(hosts: number): Promise<BenchGateway> {
  const desired = gatewayOf(hosts);
  const node = await startNode("bench-gateway");
  try {
    const text = render(desired).find((each) => each.path.endsWith(".nft"))?.text ?? "";
    const ran = await node.shell.run(["nft", "-f", "-"], { input: text, timeout: 120_000 });
    if (ran.code !== 0) throw new Error(ran.stderr);
    const namespace = `/proc/${node.pid}/ns/net`;
    const lane = laneOver(netlinkWays(desired.device, { namespace }), desired);
    return {
      node,
      desired,
      lane,
      namespace,
      async stop() {
        await lane.end();
        await stopNode(node.pid);
      },
    };
  } catch (cause) {
    await stopNode(node.pid);
    throw cause;
  }
}

/** Opens UDP 443 at containers `from` to `until` of each host. */
export async function fill({ desired, lane }: BenchGateway, from: number, until: number): Promise<number> {
  let opened = 0;
  for (const [i, { host }] of desired.hosts.entries()) {
    const changes = Array.from(
      { length: until - from },
      (_, n): AddressChange => ({ host, to: containerOf(i, from + n), before: [], after: openTo(udp443) }),
    );
    await lane.change(changes, instant(Date.now()));
    opened += changes.length;
  }
  return opened;
}
