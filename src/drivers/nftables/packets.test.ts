import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceName, HostName } from "../../base/name.ts";
import { seconds } from "../../base/time.ts";
import { diff } from "../../change/diff.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Node, startNode, stopNode } from "../../lab/node.ts";
import { address } from "../../net/address.ts";
import { mac } from "../../net/mac.ts";
import { prefix } from "../../net/prefix.ts";
import type { Opening, Service } from "../../openings/opening.ts";
import { closedPolicy, type OpeningPolicy } from "../../openings/policy.ts";
import { runProcess } from "../../runtime/process.ts";
import { nftables } from "./driver.ts";

// The Internet, the gateway and a host, each a namespace; the container is an address on the host's loopback.
const testAsRoot = test.skipIf(process.getuid?.() !== 0);
const nodes: Node[] = [];
const container = "2001:db8:1:2:21::2";
const outside = "2001:db8:77::1";

const tcp = (port: number): Service => ({ kind: "ports", transport: "tcp", ports: { first: port, last: port } });

function desired(...services: readonly Service[]): GatewayDesired {
  const openings = services.map(
    (service): Opening => ({
      host: "vm1" as HostName,
      to: address(container),
      service,
      from: [prefix("::/0")],
      askedBy: "test",
    }),
  );
  return {
    layer: "gateway",
    device: "gate" as DeviceName,
    driver: "nftables",
    delegated: prefix("2001:db8:1:2::/64"),
    hostLength: 76,
    uplink: "wan",
    inside: "lan",
    own: [address("2001:db8:1:2:20::1")],
    hosts: [
      {
        host: "vm1" as HostName,
        block: prefix("2001:db8:1:2:20::/76"),
        link: prefix("2001:db8:1:2:20::/80"),
        address: address("2001:db8:1:2:20::2"),
        mac: mac("02:00:00:00:00:01"),
      },
    ],
    policy: { betweenHosts: "closed", egress: "open", openings: closedPolicy },
    openings,
    bogons: [prefix("fc00::/7"), prefix("fe80::/10"), prefix("ff00::/8")],
  };
}

function nodeAt(i: number): Node {
  const node = nodes[i];
  if (node === undefined) throw new Error("No such node");
  return node;
}

async function must(i: number, script: string): Promise<string> {
  const ran = await nodeAt(i).shell.run(["sh", "-c", script]);
  if (ran.code !== 0) throw new Error(`${script}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout.trim();
}

async function settle(want: GatewayDesired): Promise<void> {
  const driver = nftables.at(nodeAt(1).shell, want);
  const observed = await driver.observe();
  const changes = diff(observed.items, nftables.normalize(want));
  const set = { device: want.device, layer: "gateway" as const, driver: "nftables", base: observed.revision, changes };
  await (await driver.apply(set, seconds(60))).confirm();
}

/** `open`, `silent` (nothing came back in 600 ms) or the error's code. */
function connect(i: number, to: string, port: number, from?: string): Promise<string> {
  const local = from === undefined ? "" : `, localAddress: "${from}"`;
  const script = `const s = require("net").connect({ port: ${port}, host: "${to}"${local} }); s.setTimeout(600, () => done("silent"));
    s.on("connect", () => done("open")); s.on("error", (e) => done(e.code)); function done(t) { console.log(t); process.exit() }`;
  return must(i, `${process.execPath} -e '${script}'`);
}

async function pings(i: number, to: string, from?: string): Promise<boolean> {
  const ran = await nodeAt(i).shell.run(["ping", "-6", "-c1", "-W1", ...(from === undefined ? [] : ["-I", from]), to]);
  if (ran.stdout.includes("From ")) throw new Error(`Not silent: ${ran.stdout}`);
  return ran.code === 0;
}

async function link(): Promise<void> {
  const [inet, gate, vm] = [nodeAt(0), nodeAt(1), nodeAt(2)];
  const quiet = "for each in all default; do echo 0 >/proc/sys/net/ipv6/conf/$each/accept_dad; done";
  for (const i of [0, 1, 2]) await must(i, quiet);
  for (const [near, name, far, peer, hardware] of [
    [inet, "net0", gate, "wan", "02:00:00:00:00:f0"],
    [vm, "eth0", gate, "lan", "02:00:00:00:00:01"],
  ] as const) {
    const argv = [
      "ip",
      "link",
      "add",
      "name",
      name,
      "netns",
      String(near.pid),
      "address",
      hardware,
      "type",
      "veth",
      "peer",
      "name",
      peer,
      "netns",
      String(far.pid),
    ];
    const ran = await runProcess(near.name, argv);
    if (ran.code !== 0) throw new Error(ran.stderr);
  }
  await must(
    0,
    `ip link set net0 up && ip addr add fe80::1/64 dev net0 nodad && ip addr add ${outside}/128 dev lo && ip route add 2001:db8:1:2::/64 via fe80::2 dev net0`,
  );
  await must(
    1,
    `mount -t tmpfs tmpfs /etc; ip link set wan up; ip link set lan up; ip addr add fe80::2/64 dev wan nodad; ip addr add 2001:db8:1:2:20::1/80 dev lan nodad
     echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; ip route add default via fe80::1 dev wan; ip route add 2001:db8:1:2:20::/76 via 2001:db8:1:2:20::2
     ip route add unreachable 2001:db8:1:2::/64`,
  );
  await must(
    2,
    `ip link set eth0 up; ip addr add 2001:db8:1:2:20::2/80 dev eth0 nodad; ip addr add ${container}/128 dev lo; ip route add default via 2001:db8:1:2:20::1`,
  );
}

async function serve(i: number, port: number): Promise<void> {
  const script = `require("net").createServer((s) => { s.on("error", () => 0); s.pipe(s) }).listen(${port}, "::")`;
  await must(
    i,
    `${process.execPath} -e '${script}' >/dev/null 2>&1 & tries=0; while ! ss -Hltn | grep -q ':${port} ' && [ $tries -lt 500 ]; do tries=$((tries + 1)); sleep 0.02; done`,
  );
}

/** A connection that sends twenty times a second; its answers are in a file. */
async function stream(port: number): Promise<() => Promise<number>> {
  const file = `/run/stream-${port}`;
  const script = `const s = require("net").connect({ port: ${port}, host: "${container}" }, () => setInterval(() => s.write("x"), 50));
    s.on("data", (d) => require("fs").appendFileSync("${file}", d)); s.on("error", () => 0)`;
  await must(
    0,
    `${process.execPath} -e '${script}' >/dev/null 2>&1 & tries=0; while [ ! -s ${file} ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.02; done`,
  );
  return async () => ((await nodeAt(0).shell.read(file)) ?? "").length;
}

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  for (const name of ["inet", "gate", "vm"]) nodes.push(await startNode(name));
  await link();
  await serve(2, 443);
  await serve(2, 444);
  await serve(0, 80);
});

afterAll(async () => {
  for (const node of nodes) await stopNode(node.pid);
});

testAsRoot("packets reach what is open, and nothing else answers", async () => {
  await settle(desired(tcp(443), { kind: "ping" }));
  const results = await Promise.all([
    connect(0, container, 443),
    connect(0, container, 444),
    connect(0, "2001:db8:1:2:20::2", 443),
    connect(0, "2001:db8:1:2:20::1", 22),
    connect(0, "2001:db8:1:2:99::1", 443),
    connect(2, outside, 80),
    connect(2, "2001:db8:1:2:20::1", 22),
  ]);
  expect(results).toEqual(["open", "silent", "silent", "silent", "silent", "open", "silent"]);
  const echoes = await Promise.all([
    pings(0, container),
    pings(0, "2001:db8:1:2:20::2"),
    pings(0, "2001:db8:1:2:20::1"),
    pings(0, "2001:db8:1:2:99::1"),
    pings(2, outside),
  ]);
  expect(echoes).toEqual([true, false, true, false, true]);
});

testAsRoot("packets with a source that is not the sender's die at the gateway", async () => {
  await settle(desired(tcp(443), { kind: "ping" }));
  await must(2, "ip addr add 2001:db8:1:2:31::9/128 dev lo; ip addr add 2001:db8:5::9/128 dev lo");
  await must(0, "ip addr add 2001:db8:1:2:88::9/128 dev lo; ip addr add fd00::9/128 dev lo");
  const drops = async (chain: string, match: string): Promise<number> => {
    const lines = (await must(1, `nft list chain inet sixgate ${chain}`)).split("\n");
    const counts = lines.filter((each) => each.includes(match)).map((each) => Number(/packets (\d+)/.exec(each)?.[1]));
    return counts.reduce((sum, each) => sum + each, 0);
  };
  const spoofs = await Promise.all([
    pings(2, outside, "2001:db8:1:2:31::9"),
    pings(2, outside, "2001:db8:5::9"),
    pings(0, container, "2001:db8:1:2:88::9"),
    pings(0, container, "fd00::9"),
  ]);
  // Or they would be the sources of what comes after.
  await must(2, "ip addr del 2001:db8:1:2:31::9/128 dev lo; ip addr del 2001:db8:5::9/128 dev lo");
  await must(0, "ip addr del 2001:db8:1:2:88::9/128 dev lo; ip addr del fd00::9/128 dev lo");
  expect(spoofs).toEqual([false, false, false, false]);
  expect(await drops("sources", "drop")).toBeGreaterThanOrEqual(2);
  expect(await drops("forward", 'iifname "wan" ip6 saddr 2001:db8:1:2::/64')).toBeGreaterThanOrEqual(1);
  expect(await drops("forward", "ip6 saddr @bogons")).toBeGreaterThanOrEqual(1);
});

testAsRoot("packets of a live flow pass while rules change, and stop when its port closes", async () => {
  await settle(desired(tcp(443), tcp(444)));
  // The gateway's own network sets it, with the other kernel settings.
  await must(1, "echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose");
  const [kept, cut] = [await stream(443), await stream(444)];
  const began = [await kept(), await cut()];
  expect(began.every((each) => each > 0)).toBe(true);
  await settle({
    ...desired(tcp(443), tcp(444)),
    policy: { betweenHosts: "open", egress: "closed", openings: closedPolicy },
  });
  await pause(300);
  const later = [await kept(), await cut()];
  expect(later.every((each, i) => each >= (began[i] ?? 0) + 3)).toBe(true);
  await settle({ ...desired(tcp(443)), policy: { betweenHosts: "open", egress: "closed", openings: closedPolicy } });
  await pause(100);
  const [keptThen, cutThen] = [await kept(), await cut()];
  await pause(400);
  expect(await cut()).toBe(cutThen);
  expect(await kept()).toBeGreaterThanOrEqual(keptThen + 3);
  expect(await connect(0, container, 444)).toBe("silent");
  // Refused by an error, which the kernel takes for the end of it at the second SYN only.
  expect(["silent", "EACCES"]).toContain(await connect(2, outside, 80));
});

const under: OpeningPolicy = {
  ...closedPolicy,
  allow: [
    {
      id: "web",
      hosts: "all",
      services: [tcp(443), tcp(444), { kind: "ping" }],
      from: [prefix("::/0")],
      by: ["labels"],
    },
  ],
  never: [tcp(444)],
};

testAsRoot("packets pass an element under the ceiling, none above it, and apply lets both be", async () => {
  const want = { ...desired(), policy: { betweenHosts: "closed", egress: "open", openings: under } as const };
  await settle(want);
  await serve(2, 445);
  expect(await connect(0, container, 443)).toBe("silent");
  const sets = { open_02: [443, 444, 445].map((port) => `${container} . tcp . ${port}`), live_02: [container] };
  for (const [set, elements] of Object.entries(sets)) {
    await must(1, `nft add element inet sixgate ${set} '{ ${elements.join(", ")} }'`);
  }
  const reached = async (): Promise<readonly unknown[]> => [
    ...(await Promise.all([443, 444, 445].map((port) => connect(0, container, port)))),
    await pings(0, container),
  ];
  expect(await reached()).toEqual(["open", "silent", "silent", true]);
  // An apply sees none of it, and changes rules beside it.
  const driver = nftables.at(nodeAt(1).shell, want);
  expect(diff((await driver.observe()).items, nftables.normalize(want))).toEqual([]);
  await settle({ ...want, policy: { ...want.policy, openings: { ...under, never: [] } } });
  expect(await reached()).toEqual(["open", "open", "silent", true]);
  await settle({ ...want, policy: { ...want.policy, openings: closedPolicy } });
  expect(await reached()).toEqual(["silent", "silent", "silent", false]);
  expect(await must(1, "nft -n list set inet sixgate open_02 | grep -oE '44[345]' | sort")).toBe("443\n444\n445");
});

testAsRoot(
  "packets of live flows keep passing through openings of the controller when an apply closes others",
  async () => {
    const policy = { betweenHosts: "closed", egress: "open", openings: under } as const;
    await settle({ ...desired(tcp(444)), policy });
    await must(1, `nft add element inet sixgate open_02 '{ ${container} . tcp . 443 }'`);
    const [kept, cut] = [await stream(443), await stream(444)];
    await settle({ ...desired(), policy });
    await pause(100);
    const [keptThen, cutThen] = [await kept(), await cut()];
    await pause(500);
    expect(await cut()).toBe(cutThen);
    expect(await kept()).toBeGreaterThanOrEqual(keptThen + 3);
    await must(1, "nft flush set inet sixgate open_02");
  },
);

testAsRoot("packets to the controller come from agents and nobody else", async () => {
  const agents = [address("2001:db8:1:2:20::2")];
  await settle({ ...desired(), controller: { device: "lan", agentPort: 7443, agents } });
  await serve(1, 7443);
  const [agent, gateway] = ["2001:db8:1:2:20::2", "2001:db8:1:2:20::1"];
  const from = (source: string): Promise<string> => connect(2, gateway, 7443, source);
  expect([await from(agent), await from(container), await connect(0, gateway, 7443)]).toEqual([
    "open",
    "silent",
    "silent",
  ]);
});
