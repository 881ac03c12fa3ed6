import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { container, type GatewayNet, gatewayWith, outside, startGatewayNet } from "../../../test/gateway-net.ts";
import { tcp } from "../../../test/gateway-state.ts";
import { diff } from "../../change/diff.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import { closedPolicy, type OpeningPolicy } from "../../openings/policy.ts";
import { nftables } from "./driver.ts";

const testAsRoot = test.skipIf(process.getuid?.() !== 0);
let net: GatewayNet;

let streams = 0;
/** A connection that sends twenty times a second; its answers are in a file. */
async function stream(port: number): Promise<() => Promise<number>> {
  // One of its own: those of earlier tests may still be written to.
  const file = `/run/stream-${streams++}`;
  const script = `const s = require("net").connect({ port: ${port}, host: "${container}" }, () => setInterval(() => s.write("x"), 50));
    s.on("data", (d) => require("fs").appendFileSync("${file}", d)); s.on("error", () => 0)`;
  await net.must(
    "inet",
    `${process.execPath} -e '${script}' >/dev/null 2>&1 & tries=0; while [ ! -s ${file} ] && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.02; done`,
  );
  return async () => ((await net.nodes.inet.shell.read(file)) ?? "").length;
}

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  net = await startGatewayNet();
  await net.serve("vm1", 443);
  await net.serve("vm1", 444);
  await net.serve("inet", 80);
}, 60_000);

afterAll(async () => net?.stop());

testAsRoot("packets reach what is open, and nothing else answers", async () => {
  await net.settle(gatewayWith(tcp(443), { kind: "ping" }));
  const results = await Promise.all([
    net.connect("inet", container, 443),
    net.connect("inet", container, 444),
    net.connect("inet", "2001:db8:1:2:20::2", 443),
    net.connect("inet", "2001:db8:1:2:20::1", 22),
    net.connect("inet", "2001:db8:1:2:99::1", 443),
    net.connect("vm1", outside, 80),
    net.connect("vm1", "2001:db8:1:2:20::1", 22),
  ]);
  expect(results).toEqual(["open", "silent", "silent", "silent", "silent", "open", "silent"]);
  const echoes = await Promise.all([
    net.pings("inet", container),
    net.pings("inet", "2001:db8:1:2:20::2"),
    net.pings("inet", "2001:db8:1:2:20::1"),
    net.pings("inet", "2001:db8:1:2:99::1"),
    net.pings("vm1", outside),
  ]);
  expect(echoes).toEqual([true, false, true, false, true]);
});

testAsRoot("packets with a source that is not the sender's die at the gateway", async () => {
  await net.settle(gatewayWith(tcp(443), { kind: "ping" }));
  await net.must("vm1", "ip addr add 2001:db8:1:2:31::9/128 dev lo; ip addr add 2001:db8:5::9/128 dev lo");
  await net.must("inet", "ip addr add 2001:db8:1:2:88::9/128 dev lo; ip addr add fd00::9/128 dev lo");
  const drops = async (chain: string, match: string): Promise<number> => {
    const lines = (await net.must("gate", `nft list chain inet sixgate ${chain}`)).split("\n");
    const counts = lines.filter((each) => each.includes(match)).map((each) => Number(/packets (\d+)/.exec(each)?.[1]));
    return counts.reduce((sum, each) => sum + each, 0);
  };
  const spoofs = await Promise.all([
    net.pings("vm1", outside, "2001:db8:1:2:31::9"),
    net.pings("vm1", outside, "2001:db8:5::9"),
    net.pings("inet", container, "2001:db8:1:2:88::9"),
    net.pings("inet", container, "fd00::9"),
  ]);
  // Or they would be the sources of what comes after.
  await net.must("vm1", "ip addr del 2001:db8:1:2:31::9/128 dev lo; ip addr del 2001:db8:5::9/128 dev lo");
  await net.must("inet", "ip addr del 2001:db8:1:2:88::9/128 dev lo; ip addr del fd00::9/128 dev lo");
  expect(spoofs).toEqual([false, false, false, false]);
  expect(await drops("sources", "drop")).toBeGreaterThanOrEqual(2);
  expect(await drops("inbound", "ip6 saddr 2001:db8:1:2::/64")).toBeGreaterThanOrEqual(1);
  expect(await drops("inbound", "ip6 saddr @bogons")).toBeGreaterThanOrEqual(1);
});

testAsRoot("packets of a live flow pass while rules change, and stop when its port closes", async () => {
  await net.settle(gatewayWith(tcp(443), tcp(444)));
  const [kept, cut] = [await stream(443), await stream(444)];
  const began = [await kept(), await cut()];
  expect(began.every((each) => each > 0)).toBe(true);
  await net.settle({
    ...gatewayWith(tcp(443), tcp(444)),
    policy: { betweenHosts: "open", egress: "closed", openings: closedPolicy },
  });
  await pause(300);
  const later = [await kept(), await cut()];
  expect(later.every((each, i) => each >= (began[i] ?? 0) + 3)).toBe(true);
  await net.settle({
    ...gatewayWith(tcp(443)),
    policy: { betweenHosts: "open", egress: "closed", openings: closedPolicy },
  });
  await pause(100);
  const [keptThen, cutThen] = [await kept(), await cut()];
  await pause(400);
  expect(await cut()).toBe(cutThen);
  expect(await kept()).toBeGreaterThanOrEqual(keptThen + 3);
  expect(await net.connect("inet", container, 444)).toBe("silent");
  // Refused by an error, which the kernel takes for the end of it at the second SYN only.
  expect(["silent", "EACCES"]).toContain(await net.connect("vm1", outside, 80));
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
  const want = { ...gatewayWith(), policy: { betweenHosts: "closed", egress: "open", openings: under } as const };
  await net.settle(want);
  await net.serve("vm1", 445);
  expect(await net.connect("inet", container, 443)).toBe("silent");
  const sets = { open_02: [443, 444, 445].map((port) => `${container} . tcp . ${port}`), live_02: [container] };
  for (const [set, elements] of Object.entries(sets)) {
    await net.must("gate", `nft add element inet sixgate ${set} '{ ${elements.join(", ")} }'`);
  }
  const reached = async (): Promise<readonly unknown[]> => [
    ...(await Promise.all([443, 444, 445].map((port) => net.connect("inet", container, port)))),
    await net.pings("inet", container),
  ];
  expect(await reached()).toEqual(["open", "silent", "silent", true]);
  // An apply sees none of it, and changes rules beside it.
  const driver = nftables.at(net.nodes.gate.shell, want);
  expect(diff((await driver.observe()).items, nftables.normalize(want))).toEqual([]);
  await net.settle({ ...want, policy: { ...want.policy, openings: { ...under, never: [] } } });
  expect(await reached()).toEqual(["open", "open", "silent", true]);
  await net.settle({ ...want, policy: { ...want.policy, openings: closedPolicy } });
  expect(await reached()).toEqual(["silent", "silent", "silent", false]);
  expect(await net.must("gate", "nft -n list set inet sixgate open_02 | grep -oE '44[345]' | sort")).toBe(
    "443\n444\n445",
  );
});

testAsRoot(
  "packets of live flows keep passing through openings of the controller when an apply closes others",
  async () => {
    const policy = { betweenHosts: "closed", egress: "open", openings: under } as const;
    await net.settle({ ...gatewayWith(tcp(444)), policy });
    await net.must("gate", `nft add element inet sixgate open_02 '{ ${container} . tcp . 443 }'`);
    const [kept, cut] = [await stream(443), await stream(444)];
    await net.settle({ ...gatewayWith(), policy });
    await pause(100);
    const [keptThen, cutThen] = [await kept(), await cut()];
    await pause(500);
    expect(await cut()).toBe(cutThen);
    expect(await kept()).toBeGreaterThanOrEqual(keptThen + 3);
    await net.must("gate", "nft flush set inet sixgate open_02");
  },
);

testAsRoot("packets to the controller come from agents and nobody else", async () => {
  const agents = [address("2001:db8:1:2:20::2")];
  await net.settle({ ...gatewayWith(), controller: { device: "lan", agentPort: 7443, agents } });
  await net.serve("gate", 7443);
  const [agent, gateway] = ["2001:db8:1:2:20::2", "2001:db8:1:2:20::1"];
  const from = (source: string): Promise<string> => net.connect("vm1", gateway, 7443, source);
  expect([await from(agent), await from(container), await net.connect("inet", gateway, 7443)]).toEqual([
    "open",
    "silent",
    "silent",
  ]);
});

testAsRoot("packets of a live flow to an address in `again` pass only while they could begin now", async () => {
  const policy = { betweenHosts: "closed", egress: "open", openings: under } as const;
  await net.settle({ ...gatewayWith(tcp(444)), policy });
  await net.must("gate", `nft add element inet sixgate open_02 '{ ${container} . tcp . 443 }'`);
  const [shut, open] = [await stream(443), await stream(444)];
  const close = `delete element inet sixgate open_02 { ${container} . tcp . 443 }; add element inet sixgate again { ${container} timeout 1m }`;
  await net.must("gate", `nft '${close}'`);
  await pause(100);
  const [shutThen, openThen] = [await shut(), await open()];
  await pause(500);
  expect(await shut()).toBe(shutThen);
  expect(await open()).toBeGreaterThanOrEqual(openThen + 3);
  // Nobody has cut it: the kernel still knows the flow.
  expect(await net.must("gate", "conntrack -L -f ipv6 -p tcp --dport 443 2>/dev/null | grep -c ESTABLISHED")).toBe("1");
  await net.must("gate", "nft flush set inet sixgate again");
});
