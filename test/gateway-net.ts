import type { HostName } from "../src/base/name.ts";
import { seconds } from "../src/base/time.ts";
import { diff } from "../src/change/diff.ts";
import type { GatewayDesired } from "../src/desired/desired.ts";
import { nftables } from "../src/drivers/nftables/driver.ts";
import { type Node, startNode, stopNode } from "../src/lab/node.ts";
import { address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { Opening, Service } from "../src/openings/opening.ts";
import { runProcess } from "../src/runtime/process.ts";
import { gatewayState, hostAt } from "./gateway-state.ts";

/** The Internet, the gateway, a hypervisor's bridge and two hosts; a container is an address on a host's loopback. */
export type Place = "inet" | "gate" | "bridge" | "vm1" | "vm2";

export const outside = "2001:db8:77::1";
/** A container on each host. */
export const container = "2001:db8:1:2:21::2";
export const neighbour = "2001:db8:1:2:31::2";
/** What leads there and back. */
export const macs = { inet: "02:00:00:00:00:f0", wan: "02:00:00:00:00:f1", lan: "02:00:00:00:00:fe" } as const;

export type GatewayNet = {
  readonly nodes: Readonly<Record<Place, Node>>;
  /** Runs a script that has to succeed; gives what it printed. */
  readonly must: (place: Place, script: string) => Promise<string>;
  /** Applies a desired state on the gateway, and confirms. */
  settle(want: GatewayDesired): Promise<void>;
  /** `open`, `silent` (nothing came back in 600 ms) or the error's code. */
  connect(place: Place, to: string, port: number, from?: string): Promise<string>;
  /** Throws an Error where something answers that it can't be reached. */
  pings(place: Place, to: string, from?: string): Promise<boolean>;
  /** Lets a TCP port of a place echo what it gets. */
  serve(place: Place, port: number): Promise<void>;
  stop(): Promise<void>;
};

/** The gateway of this network, with static openings to the container, to anyone. */
export function gatewayWith(...services: readonly Service[]): GatewayDesired {
  return gatewayState({
    own: [address("2001:db8:1:2:10::1"), address("2001:db8:1:2:20::1"), address("2001:db8:1:2:30::1")],
    hosts: [hostAt("vm1", 2), hostAt("vm2", 3)],
    openings: services.map(
      (service): Opening => ({
        host: "vm1" as HostName,
        to: address(container),
        service,
        from: [prefix("::/0")],
        askedBy: "test",
      }),
    ),
    bogons: [prefix("::/96"), prefix("2002::/16"), prefix("fc00::/7"), prefix("fe80::/10"), prefix("ff00::/8")],
  });
}

/** Needs root. Everything ends with `stop`, also where the making fails. */
export async function startGatewayNet(): Promise<GatewayNet> {
  const started: Node[] = [];
  const stop = async (): Promise<void> => {
    for (const node of started) await stopNode(node.pid);
  };
  async function start(name: string): Promise<Node> {
    const node = await startNode(name);
    started.push(node);
    return node;
  }
  try {
    const nodes = {
      inet: await start("inet"),
      gate: await start("gate"),
      bridge: await start("bridge"),
      vm1: await start("vm1"),
      vm2: await start("vm2"),
    };
    const net = netOn(nodes, stop);
    await wire(nodes);
    await configure(net);
    return net;
  } catch (cause) {
    await stop();
    throw cause;
  }
}

function netOn(nodes: GatewayNet["nodes"], stop: () => Promise<void>): GatewayNet {
  async function must(place: Place, script: string): Promise<string> {
    const ran = await nodes[place].shell.run(["sh", "-c", script]);
    if (ran.code !== 0) throw new Error(`${script}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout.trim();
  }
  return {
    nodes,
    must,
    async settle(want) {
      const driver = nftables.at(nodes.gate.shell, want);
      const observed = await driver.observe();
      const changes = diff(observed.items, nftables.normalize(want));
      const { device } = want;
      const set = { device, layer: "gateway" as const, driver: "nftables", base: observed.revision, changes };
      await (await driver.apply(set, seconds(60))).confirm();
    },
    connect(place, to, port, from) {
      const local = from === undefined ? "" : `, localAddress: "${from}"`;
      const script = `const s = require("net").connect({ port: ${port}, host: "${to}"${local} }); s.setTimeout(600, () => done("silent"));
        s.on("connect", () => done("open")); s.on("error", (e) => done(e.code)); function done(t) { console.log(t); process.exit() }`;
      return must(place, `${process.execPath} -e '${script}'`);
    },
    async pings(place, to, from) {
      const source = from === undefined ? [] : ["-I", from];
      const ran = await nodes[place].shell.run(["ping", "-6", "-c1", "-W1", ...source, to]);
      if (ran.stdout.includes("From ")) throw new Error(`Not silent: ${ran.stdout}`);
      return ran.code === 0;
    },
    async serve(place, port) {
      const script = `require("net").createServer((s) => { s.on("error", () => 0); s.pipe(s) }).listen(${port}, "::")`;
      await must(
        place,
        `${process.execPath} -e '${script}' >/dev/null 2>&1 & tries=0; while ! ss -Hltn | grep -q ':${port} ' && [ $tries -lt 500 ]; do tries=$((tries + 1)); sleep 0.02; done`,
      );
    },
    stop,
  };
}

async function wire({ inet, gate, bridge, vm1, vm2 }: GatewayNet["nodes"]): Promise<void> {
  for (const [near, name, hardware, far, peer, peerHardware] of [
    [inet, "net0", macs.inet, gate, "wan", macs.wan],
    [gate, "lan", macs.lan, bridge, "to-gate", undefined],
    [vm1, "eth0", "02:00:00:00:00:02", bridge, "to-vm1", undefined],
    [vm2, "eth0", "02:00:00:00:00:03", bridge, "to-vm2", undefined],
  ] as const) {
    const there = peerHardware === undefined ? [] : ["address", peerHardware];
    const ends = [name, "netns", String(near.pid), "address", hardware, "type", "veth", "peer", "name", peer];
    const argv = ["ip", "link", "add", "name", ...ends, ...there, "netns", String(far.pid)];
    const ran = await runProcess(near.name, argv);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }
}

async function configure({ must }: GatewayNet): Promise<void> {
  const quiet = "for each in all default; do echo 0 >/proc/sys/net/ipv6/conf/$each/accept_dad; done";
  for (const place of ["inet", "gate", "vm1", "vm2"] as const) await must(place, quiet);
  await must(
    "bridge",
    `ip link add lan type bridge stp_state 0 forward_delay 0 mcast_snooping 0 && ip link set lan up
     for each in to-gate to-vm1 to-vm2; do ip link set $each master lan up; done
     for each in to-vm1 to-vm2; do bridge link set dev $each isolated on; done`,
  );
  await must(
    "inet",
    `ip link set net0 up && ip addr add fe80::1/64 dev net0 nodad && ip addr add ${outside}/128 dev lo
     ip route add 2001:db8:1:2::/64 via fe80::2 dev net0`,
  );
  await must(
    "gate",
    `mount -t tmpfs tmpfs /etc; ip link set wan up; ip link set lan up; ip addr add fe80::2/64 dev wan nodad
     ip addr add 2001:db8:1:2:10::1/128 dev wan
     echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose
     ip route add default via fe80::1 dev wan; ip route add unreachable 2001:db8:1:2::/64
     for n in 20 30; do ip addr add 2001:db8:1:2:$n::1/80 dev lan nodad; ip route add 2001:db8:1:2:$n::/76 via 2001:db8:1:2:$n::2; done`,
  );
  for (const [place, n, at] of [
    ["vm1", "20", container],
    ["vm2", "30", neighbour],
  ] as const) {
    await must(
      place,
      `ip link set eth0 up; ip addr add 2001:db8:1:2:${n}::2/80 dev eth0 nodad; ip addr add ${at}/128 dev lo
       ip route add default via 2001:db8:1:2:${n}::1`,
    );
  }
  // Nothing filters yet: when each has heard of the other, the wires are ready.
  for (const place of ["vm1", "vm2"] as const) {
    await must(
      place,
      `tries=0; until ping -6 -c1 -W1 ${outside} >/dev/null; do tries=$((tries + 1)); [ $tries -lt 20 ]; done`,
    );
  }
}
