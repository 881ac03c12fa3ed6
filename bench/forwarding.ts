import { type Node, startNode, stopNode } from "../src/lab/node.ts";
import { runProcess } from "../src/runtime/process.ts";
import type { Flood, Flooded } from "./flood.ts";
import { type BenchGateway, containerHex, fill, startGateway } from "./gateway.ts";
import { median, printTable, type Row } from "./measure.ts";

/** Openings of each side, over so many hosts; none is a gateway without any rule. */
const sides: readonly { readonly name: string; readonly hosts: number; readonly perHost: number }[] = [
  { name: "no rules at all", hosts: 0, perHost: 0 },
  { name: "connection tracking alone", hosts: 0, perHost: 0 },
  { name: "10 openings", hosts: 10, perHost: 1 },
  { name: "10,000 openings", hosts: 40, perHost: 250 },
  { name: "1,000,000 openings", hosts: 4000, perHost: 250 },
];

/** Packets of one side in one round: fewer than the flows that the kernel tracks at once. */
const packets = 50_000;
const rounds = 9;
/** Where the packets come from: of each its own in this /64, but for those of a live flow. */
const source = "20010db8007700000000000000000001";
const sourcePort = 4000;

const trackingAlone =
  "table inet t { chain f { type filter hook forward priority 0; ct state established accept; ct state new accept; }; }";

type Path = {
  readonly inet: Node;
  readonly gate: Node;
  readonly host: Node;
  readonly to: readonly string[];
  stop(): Promise<void>;
};

export async function run({ json }: { readonly json: boolean }): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.log("\nforwarding: skipped, namespaces need root");
    return;
  }
  const paths: Path[] = [];
  try {
    for (const side of sides) paths.push(await pathOf(side));
    // What any stateful filter costs before it has said anything.
    await must((paths[1] as Path).gate, `nft '${trackingAlone}'`);
    const rows = [...(await compare(paths, false)), ...(await compare(paths, true))];
    if (json) console.log(JSON.stringify({ suite: "forwarding", rows }));
    else printTable("forwarding: packets through a gateway in namespaces, sent, filtered and sunk by one thread", rows);
  } finally {
    for (const path of paths) await path.stop();
  }
}

async function compare(paths: readonly Path[], live: boolean): Promise<readonly Row[]> {
  const rates = paths.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, path] of paths.entries()) {
      const rate = await rateOf(path, live);
      if (round > 0) rates[i]?.push(rate);
    }
  }
  const [bare = 0, tracked = 0] = rates.map(median);
  return sides.map(({ name }, i): Row => {
    const rate = median(rates[i] ?? []);
    const what = live ? "packets of a live flow" : "first packets of flows";
    const beside = i === 0 ? {} : { ratio: rate / bare, beside: "no rules at all" };
    const nanoseconds =
      i < 2 ? {} : { unit: `packets/s, ${Math.round(1e9 / rate - 1e9 / tracked)} ns above tracking alone` };
    return { name: `${what}, ${name}`, figure: rate, unit: "packets/s", ...nanoseconds, ...beside };
  });
}

/**
 * Packets that arrived per second of the processor's time: the kernel forwards and sinks in the sender's own calls, and a
 * busy neighbour costs waiting only. Throws an Error where many did not arrive.
 */
async function rateOf({ inet, gate, host, to }: Path, live: boolean): Promise<number> {
  await must(gate, "conntrack -F >/dev/null 2>&1");
  const [first = ""] = to;
  if (live) {
    const tuple = `-p udp -s ${textOf(source)} -d ${textOf(first)} --sport ${sourcePort} --dport 443`;
    await must(gate, `conntrack -I ${tuple} -t 300 -u SEEN_REPLY,ASSURED >/dev/null 2>&1`);
  }
  const before = await arrived(host);
  const flood: Flood = { from: source, packets, ...(live ? { to: [first], live: sourcePort } : { to }) };
  const argv = [process.execPath, `${import.meta.dirname}/flood.ts`];
  const ran = await inet.shell.run(argv, { input: JSON.stringify(flood), timeout: 120_000 });
  if (ran.code !== 0) throw new Error(ran.stderr);
  const { sent, nanoseconds } = JSON.parse(ran.stdout) as Flooded;
  const got = (await arrived(host)) - before;
  if (got < 0.98 * sent) throw new Error(`${got} of ${sent} packets arrived`);
  return (got * 1e9) / nanoseconds;
}

async function arrived(host: Node): Promise<number> {
  return Number(/packets (\d+)/.exec(await must(host, "nft list chain netdev sink in"))?.[1]);
}

async function pathOf({ hosts, perHost }: (typeof sides)[number]): Promise<Path> {
  const started: Node[] = [];
  let gateway: BenchGateway | undefined;
  async function stop(): Promise<void> {
    await gateway?.stop();
    for (const node of started) await stopNode(node.pid);
  }
  try {
    const [inet, host] = [await startNode("bench-inet"), await startNode("bench-host")];
    started.push(inet, host);
    if (hosts > 0) gateway = await startGateway(hosts);
    const gate = gateway?.node ?? (await startNode("bench-gate"));
    if (gateway === undefined) started.push(gate);
    else await fill(gateway, 0, perHost);
    await wire(inet, gate, host);
    const to =
      hosts === 0 ? sides.slice(2, 3).flatMap((side) => targets(side.hosts, side.perHost)) : targets(hosts, perHost);
    return { inet, gate, host, to, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** A sample of the addresses that are open, over all hosts. */
function targets(hosts: number, perHost: number): readonly string[] {
  const all = hosts * perHost;
  const most = Math.min(all, 20_000);
  return Array.from({ length: most }, (_, n) => {
    const at = Math.floor((n * all) / most);
    return containerHex(Math.floor(at / perHost), at % perHost);
  });
}

async function wire(inet: Node, gate: Node, host: Node): Promise<void> {
  for (const [near, name, hardware, far, peer, peerHardware] of [
    [inet, "net0", "02:00:00:00:00:f0", gate, "wan", "02:00:00:00:00:f1"],
    [host, "eth0", "02:00:00:00:00:02", gate, "lan", "02:00:00:00:00:fe"],
  ] as const) {
    const ends = ["netns", String(near.pid), "address", hardware, "type", "veth", "peer", "name", peer];
    const argv = ["ip", "link", "add", "name", name, ...ends, "address", peerHardware, "netns", String(far.pid)];
    const ran = await runProcess("bench", argv);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }
  await must(
    inet,
    `ip link set net0 up; echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind; ip addr add ${textOf(source)}/64 dev net0 nodad
     ip neigh add fe80::1 lladdr 02:00:00:00:00:f1 dev net0; ip route add 2001:db8:1:2::/64 via fe80::1 dev net0`,
  );
  await must(
    gate,
    `ip link set wan up; ip link set lan up; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
     ip addr add 2001:db8:1:2:0:0:0:1/128 dev lan nodad; ip neigh add fe80::2 lladdr 02:00:00:00:00:02 dev lan
     ip route add 2001:db8:1:2::/64 via fe80::2 dev lan; ip route add 2001:db8:77::/48 dev wan`,
  );
  await must(
    host,
    "ip link set eth0 up; nft 'add table netdev sink; add chain netdev sink in { type filter hook ingress device eth0 priority 0; }; add rule netdev sink in ip6 daddr 2001:db8:1:2::/64 counter drop'",
  );
}

async function must(node: Node, script: string): Promise<string> {
  const ran = await node.shell.run(["sh", "-c", script], { timeout: 60_000 });
  if (ran.code !== 0) throw new Error(`${script}: ${ran.stderr}`);
  return ran.stdout;
}

function textOf(hex: string): string {
  return (hex.match(/..../g) ?? []).join(":");
}
