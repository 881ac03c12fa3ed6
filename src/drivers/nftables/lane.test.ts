import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { container, type GatewayNet, gatewayWith, outside, startGatewayNet } from "../../../test/gateway-net.ts";
import { tcp, udp } from "../../../test/gateway-state.ts";
import type { HostName } from "../../base/name.ts";
import { instant } from "../../base/time.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import type { OpenService, Service } from "../../openings/opening.ts";
import { closedPolicy } from "../../openings/policy.ts";
import { formatService } from "../../openings/services.ts";
import type { AddressChange, Count, Denied, MembersLane } from "../members-lane.ts";
import { laneOver } from "./lane.ts";
import { nftablesLane } from "./lane-kind.ts";
import { programWays } from "./lane-programs.ts";

const testAsRoot = test.skipIf(process.getuid?.() !== 0);
let net: GatewayNet;
let lane: MembersLane;

const range = (transport: "tcp" | "udp"): Service => ({ kind: "ports", transport, ports: { first: 1, last: 9000 } });
const want: GatewayDesired = {
  ...gatewayWith(),
  policy: {
    betweenHosts: "closed",
    egress: "open",
    openings: {
      ...closedPolicy,
      allow: [
        {
          id: "all",
          hosts: "all",
          services: [range("tcp"), range("udp"), { kind: "ping" }],
          from: [prefix("::/0")],
          by: ["labels"],
        },
      ],
    },
  },
};

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  net = await startGatewayNet();
  await net.settle(want);
  lane = await nftablesLane.open(net.nodes.gate.shell, want);
  await net.serve("vm1", 443);
  await net.serve("vm1", 444);
}, 60_000);

afterAll(async () => {
  await lane?.end();
  await net?.stop();
});

beforeEach(async () => {
  if (process.getuid?.() !== 0) return;
  for (const { host, to, services } of await lane.read()) {
    await lane.change([{ host, to, before: services, after: [] }], instant(Date.now()));
  }
  await net.must("gate", "conntrack -F 2>/dev/null; nft flush set inet sixgate again; nft flush set inet sixgate cut");
});

function open(...services: readonly Service[]): readonly OpenService[] {
  return services.map((service) => ({ service, from: [prefix("::/0")] }));
}

async function go(before: readonly OpenService[], after: readonly OpenService[]): Promise<void> {
  const change: AddressChange = { host: "vm1" as HostName, to: address(container), before, after };
  await lane.change([change], instant(Date.now()));
}

/** Ended when its script is: a number that grows for as long as answers come. */
async function stream(name: string, script: string): Promise<() => Promise<number>> {
  const file = `/run/stream-${name}`;
  await net.must(
    "inet",
    `rm -f ${file}; ${process.execPath} -e '${script.replaceAll("FILE", file)}' >/dev/null 2>&1 & true`,
  );
  const count = async (): Promise<number> => ((await net.nodes.inet.shell.read(file)) ?? "").length;
  for (let tries = 0; tries < 200 && (await count()) === 0; tries++) await pause(50);
  expect(await count()).toBeGreaterThan(0);
  return count;
}

function tcpStream(port: number): Promise<() => Promise<number>> {
  return stream(
    `tcp-${port}`,
    `const s = require("net").connect({ port: ${port}, host: "${container}" }, () => setInterval(() => s.write("x"), 50));
     s.on("data", (d) => require("fs").appendFileSync("FILE", d)); s.on("error", () => 0)`,
  );
}

testAsRoot("a port is open when the change resolves, and closed when the next does", async () => {
  expect(await net.connect("inet", container, 443)).toBe("silent");
  await go([], open(tcp(443), { kind: "ping" }));
  expect(await net.connect("inet", container, 443)).toBe("open");
  expect(await net.pings("inet", container)).toBe(true);
  expect(await net.connect("inet", container, 444)).toBe("silent");
  await go(open(tcp(443), { kind: "ping" }), []);
  expect(await net.connect("inet", container, 443)).toBe("silent");
  expect(await net.pings("inet", container)).toBe(false);
});

/** By what is counted, in packets. */
function shown(counts: readonly Count[] | undefined): readonly string[] | undefined {
  return counts?.map(({ service, from, packets }) => `${formatService(service)} from ${from.join()} ${packets}`).sort();
}

testAsRoot("what is open counts the packets that begin a flow, by netlink and by programs alike", async () => {
  const office = { service: tcp(444), from: [prefix(`${outside}/128`)] };
  const after = [...open(tcp(443), { kind: "ping" }), office];
  await go([], after);
  const zero = ["443/tcp from ::/0 0", "444/tcp from 2001:db8:77::1/128 0", "ping from ::/0 0"];
  expect(shown(await lane.counts?.(["vm1" as HostName]))).toEqual(zero);
  for (const port of [443, 443, 444]) expect(await net.connect("inet", container, port)).toBe("open");
  expect(await net.connect("inet", container, 445)).toBe("silent");
  expect(await net.pings("inet", container)).toBe(true);
  const found = (await lane.counts?.(["vm1" as HostName])) ?? [];
  expect(shown(found)).toEqual(["443/tcp from ::/0 2", "444/tcp from 2001:db8:77::1/128 1", "ping from ::/0 1"]);
  expect(found.every(({ to, packets, bytes }) => to === container && bytes >= packets * 40)).toBe(true);
  const programs = laneOver(programWays(net.nodes.gate.shell), want);
  expect(shown(await programs.counts?.(["vm1" as HostName]))).toEqual(shown(found));
  await programs.end();
  expect(await lane.counts?.(["vm2" as HostName])).toEqual([]);
  // What changes nothing for an element leaves its counter.
  await go(after, [...after, ...open(udp(53))]);
  expect(shown(await lane.counts?.(["vm1" as HostName]))).toContain("443/tcp from ::/0 2");
  await go([...after, ...open(udp(53))], []);
});

testAsRoot("closing stops a live TCP flow, and none through what stays open", async () => {
  await go([], open(tcp(443), tcp(444)));
  const [kept, cut] = [await tcpStream(443), await tcpStream(444)];
  await go(open(tcp(443), tcp(444)), open(tcp(443)));
  await pause(500);
  const [keptThen, cutThen] = [await kept(), await cut()];
  await pause(1000);
  expect(await cut()).toBe(cutThen);
  expect(await kept()).toBeGreaterThan(keptThen);
  expect(
    await net.must("gate", "conntrack -L -f ipv6 -p tcp --dport 444 2>/dev/null | grep -c ESTABLISHED || true"),
  ).toBe("0");
});

testAsRoot("closing stops a UDP flow whose container goes on answering, late and by itself", async () => {
  // Answers come half a second after what they answer, and then on and on.
  await net.must(
    "vm1",
    `${process.execPath} -e 'const s = require("dgram").createSocket("udp6"); let to; s.on("message", (m, r) => { if (!to) setInterval(() => s.send("y", to.port, to.address), 100); to = r; setTimeout(() => s.send("z", r.port, r.address), 500) }); s.bind(5353, "${container}")' >/dev/null 2>&1 & true`,
  );
  await go([], open(udp(5353)));
  const answers = await stream(
    "udp",
    `const s = require("dgram").createSocket("udp6"); s.on("message", (d) => require("fs").appendFileSync("FILE", d));
     s.bind(40000, "${outside}", () => setInterval(() => s.send("x", 5353, "${container}"), 100))`,
  );
  await go(open(udp(5353)), []);
  await pause(500);
  const then = await answers();
  await pause(2000);
  expect(await answers()).toBe(then);
  expect(await net.must("gate", "nft list set inet sixgate cut")).toContain("5353");
  // Opened again, the same flow begins again.
  await go([], open(udp(5353)));
  for (let tries = 0; tries < 200 && (await answers()) === then; tries++) await pause(50);
  expect(await answers()).toBeGreaterThan(then);
});

testAsRoot("an element that ends by itself lets nothing in any more", async () => {
  const ends = instant(Date.now() + 2500);
  await go([], [{ service: tcp(443), from: [prefix("::/0")], ends }]);
  expect(await net.connect("inet", container, 443)).toBe("open");
  await pause(Math.max(0, ends - Date.now()) + 500);
  expect(await net.connect("inet", container, 443)).toBe("silent");
});

testAsRoot("what is in the sets and belongs to no host is taken out by the change after it was read", async () => {
  await go([], open(tcp(443)));
  await net.must(
    "gate",
    "nft add element inet sixgate open_02 '{ 2001:db8:1:2:9991::1 . tcp . 1, 2001:db8:1:2:31::2 . tcp . 2 }'",
  );
  expect(await lane.read()).toEqual([{ host: "vm1", to: container, services: open(tcp(443)) }]);
  const left = (): Promise<string> => net.must("gate", "nft -n list set inet sixgate open_02 | grep -c 9991 || true");
  expect(await left()).toBe("1");
  await go(open(tcp(443)), []);
  expect(await left()).toBe("0");
});

testAsRoot("what somebody else put there in another form is found and can be taken out", async () => {
  await net.must(
    "gate",
    `nft add element inet sixgate from_02 '{ ${container} . tcp . 80 . ::/0, ${container} . tcp . 81-90 . ::/0 }'`,
  );
  const [found] = await lane.read();
  expect(found?.services).toHaveLength(2);
  await go(found?.services ?? [], []);
  expect(await lane.read()).toEqual([]);
});

testAsRoot("denied packets are told, alike ones together, until nobody listens any more", async () => {
  const told: Denied[] = [];
  const stop = nftablesLane.watchDenied?.(net.nodes.gate.shell, (denied) => told.push(...denied));
  await net.must(
    "inet",
    `${process.execPath} -e 'const s = require("dgram").createSocket("udp6"); s.bind(0, "${outside}", () => { for (let n = 0; n < 20; n++) s.send("x", 999, "${container}"); setTimeout(() => s.close(), 100) })'`,
  );
  await net.connect("inet", container, 443);
  for (let tries = 0; tries < 200 && told.filter((each) => each.transport === "tcp").length === 0; tries++)
    await pause(50);
  stop?.();
  // The stream of another test may still be knocking.
  const udpTold = told.filter((each) => each.transport === "udp" && each.port === 999);
  expect(udpTold.reduce((sum, each) => sum + each.count, 0)).toBe(20);
  expect(udpTold.every((each) => each.from === outside && each.to === container)).toBe(true);
  expect(udpTold.length).toBeLessThan(20);
  expect(told.find((each) => each.transport === "tcp")).toMatchObject({ from: outside, to: container, port: 443 });
});
