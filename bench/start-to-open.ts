import { setTimeout as sleep } from "node:timers/promises";
import type { HostName } from "../src/base/name.ts";
import { instant } from "../src/base/time.ts";
import { openDoor } from "../src/cli/door.ts";
import { readEvents } from "../src/cli/event-text.ts";
import { type Remote, remoteAt } from "../src/cli/remote.ts";
import type { Status } from "../src/controller/controller.ts";
import { deriveFilter } from "../src/desired/derive-filter.ts";
import { lanes } from "../src/drivers/index.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import { agentName, agentsConnected, controllerName, runController } from "../src/lab/controller.ts";
import { stopDaemon } from "../src/lab/daemon.ts";
import { dockerClient } from "../src/lab/engines.ts";
import { labImage } from "../src/lab/image.ts";
import { internetAddress } from "../src/lab/vantage.ts";
import { type Address, address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { OpenService } from "../src/openings/opening.ts";
import { ask } from "../src/probe/probe.ts";
import { bringUp, type LabUnderTest, must } from "../test/lab/harness.ts";
import { printTable, type Row } from "./measure.ts";

const containers = Number(process.env["CONTAINERS"] ?? 30);
const port8080: OpenService = {
  service: { kind: "ports", transport: "tcp", ports: { first: 8080, last: 8080 } },
  from: [prefix("::/0")],
};

/** Root, and some minutes: with a million openings held the gateway is read for half a minute. */
export async function run(options: { readonly json: boolean }): Promise<void> {
  const rows = await startToOpen((process.env["HELD"] ?? "10,100000,1000000").split(",").map(Number));
  if (options.json) console.log(JSON.stringify({ suite: "start", rows }));
  else printTable(`start: ${containers} containers with a label, one after the other`, rows);
}

/**
 * A lab as in production: Docker engines, agents, the controller, packets from the Internet. Containers with a label are
 * started one by one, while the gateway holds few and many openings. Beside each figure the floor of the same run: how
 * long the engine's own event takes to reach a bare listener, and one element written by itself.
 */
async function startToOpen(held: readonly number[]): Promise<readonly Row[]> {
  const lab = await bringUp({ name: "bench-openings", file: "examples/lab.yaml", containers: "docker" });
  try {
    const rows: Row[] = [];
    for (const [at, count] of held.entries()) {
      if (at > 0) await fill(lab, count);
      rows.push(...(await measure(lab, at, count)));
    }
    return rows;
  } finally {
    await lab.down();
  }
}

/**
 * Lays openings of a host whose agent is silent into the gateway's sets, and starts the controller anew: it takes over
 * what it finds, and keeps it until that host reports.
 */
async function fill(lab: LabUnderTest, count: number): Promise<void> {
  const gateway = lab.node(lab.wish.topology.gateway);
  await stopDaemon(lab.node("vm2"), agentName, "TERM").catch(() => undefined);
  await stopDaemon(gateway, controllerName, "TERM");
  const lane = await openLane(lab);
  const base =
    lab.wish.plan.hosts
      .find((each) => each.host === "vm2")
      ?.networks.at(-1)
      ?.prefix.split("::")[0] ?? "";
  const block = 5000;
  for (let n = 0; n < count; n += block) {
    const changes = Array.from({ length: Math.min(block, count - n) }, (_, i) => ({
      host: "vm2" as HostName,
      to: address(`${base}:${(((n + i) >> 16) + 0x100).toString(16)}:${((n + i) & 0xffff).toString(16)}:1`),
      before: [],
      after: [port8080],
    }));
    await lane.change(changes, instant(Date.now()));
  }
  await lane.end();
  await runController(lab.wish, gateway);
  await agentsConnected(gateway, 1);
  const controller = remoteAt(await openDoor({ lab: "bench-openings" }));
  for (let tries = 0; tries < 600; tries++) {
    const { openings, gateway: there } = await controller.get<Status>("status/1", "/api/v1/status");
    if (there.reached && openings >= count) return;
    await sleep(500);
  }
  throw new Error(`The controller did not take over ${count} openings`);
}

async function openLane(lab: LabUnderTest): Promise<MembersLane> {
  const lane = await lanes.nftables?.open(lab.shell(lab.wish.topology.gateway), deriveFilter(lab.fleet, lab.wish.plan));
  if (lane === undefined) throw new Error("No lane to the gateway");
  return lane;
}

type Seen = {
  readonly told: number;
  readonly inForce: number;
  readonly start: number;
  /** Whether the first packet from the Internet after the start was answered. */
  readonly answered: boolean;
  /** How long the event took to a bare listener. */
  readonly heard: number;
};

async function measure(lab: LabUnderTest, round: number, held: number): Promise<readonly Row[]> {
  const controller = remoteAt(await openDoor({ lab: "bench-openings" }));
  const stop = new AbortController();
  const opened = new Map<string, { readonly at: number; readonly ms: number }>();
  const following = follow(controller, opened, stop.signal);
  const heard = await listen(lab);
  const seen: Seen[] = [];
  try {
    for (let n = 0; n < containers; n++) seen.push(await one(lab, `r${round}n${n}`, n, opened, heard.events));
  } finally {
    stop.abort();
    await following;
    await heard.stop();
  }
  const bare = await bareElement(lab);
  return rowsOf(seen, bare, held.toLocaleString("en-US"));
}

function rowsOf(seen: readonly Seen[], bare: number, held: string): readonly Row[] {
  const at = (values: readonly number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
  const inForce = seen.map((each) => each.inForce - each.told);
  const delivery = seen.map((each) => each.heard);
  const floor = at(delivery, 0.5) + bare;
  const early = seen.filter((each) => each.inForce <= each.start).length;
  const answered = seen.filter((each) => each.answered).length;
  const name = (text: string): string => `${held} held: ${text}`;
  const times = (value: number): Partial<Row> => ({ ratio: floor / value, beside: "the floor" });
  return [
    { name: name("floor: event to a bare listener, and one bare element, p50"), figure: floor, unit: "ms" },
    { name: name("event to element in force, p50"), figure: at(inForce, 0.5), unit: "ms", ...times(at(inForce, 0.5)) },
    {
      name: name("event to element in force, p99"),
      figure: at(inForce, 0.99),
      unit: "ms",
      ...times(at(inForce, 0.99)),
    },
    { name: name("first packet from the Internet answered"), figure: answered, unit: `of ${seen.length}` },
    { name: name("in force before the engine's start event"), figure: early, unit: `of ${seen.length}` },
  ];
}

/** Starts one container, asks for its port from the Internet once it runs, and takes it away again. */
async function one(
  lab: LabUnderTest,
  name: string,
  n: number,
  opened: ReadonlyMap<string, { readonly at: number; readonly ms: number }>,
  heard: readonly Heard[],
): Promise<Seen> {
  const docker = (...words: readonly string[]): Promise<string> => must(lab.shell("vm1"), [dockerClient, ...words]);
  const network = lab.wish.plan.hosts.find((each) => each.host === "vm1")?.networks.find((each) => each.name === "web");
  const to: Address = address(`${network?.prefix.split("::")[0] ?? ""}::${(0x1000 + n).toString(16)}`);
  const began = Date.now();
  await docker(
    "run",
    "-d",
    "--name",
    name,
    "--network",
    "web",
    "--ip6",
    to,
    "-l",
    "sixgate.open=8080",
    labImage,
    "8080",
  );
  // Not before: packets to an address that nobody has yet teach the host that nobody is there.
  const [answer] = await ask(lab.shell("internet"), [{ from: internetAddress, to, transport: "tcp", port: 8080 }]);
  for (let tries = 0; !opened.has(to) && tries < 400; tries++) await sleep(25);
  const event = opened.get(to);
  if (event === undefined) throw new Error(`${name} was not opened`);
  const span = ["--since", String(Math.floor(began / 1000)), "--until", String(Math.ceil(Date.now() / 1000) + 1)];
  const told = await docker(
    "events",
    ...span,
    "--filter",
    `container=${name}`,
    "--filter",
    "event=start",
    "--format",
    "{{.TimeNano}}",
  );
  const start = Number(told.trim().split("\n")[0]) / 1e6;
  await docker("rm", "-f", name);
  const mine = heard.filter((each) => each.at >= began);
  const delivery = Math.min(...mine.map((each) => each.took));
  return { told: event.at - event.ms, inForce: event.at, start, answered: answer?.state === "open", heard: delivery };
}

async function follow(
  controller: Remote,
  opened: Map<string, { readonly at: number; readonly ms: number }>,
  signal: AbortSignal,
): Promise<void> {
  const answer = await controller.stream(
    "/api/v1/events",
    { kinds: "opened" },
    { accept: "text/event-stream" },
    signal,
  );
  try {
    for await (const { event, data } of readEvents(answer)) {
      if (event !== "opened") continue;
      const { at, ms, opening } = JSON.parse(data) as { at: number; ms?: number; opening: { to: string } };
      if (ms !== undefined) opened.set(opening.to, { at, ms });
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
  }
}

type Heard = { readonly at: number; readonly took: number };

/** A listener on vm1's engine that does nothing but look at the clock. */
async function listen(lab: LabUnderTest): Promise<{ readonly events: readonly Heard[]; stop(): Promise<void> }> {
  const script = `const {request}=require("node:http"),{appendFileSync}=require("node:fs");
request({socketPath:"/var/run/docker.sock",path:"/events"},(answer)=>{let rest="";require("node:fs").writeFileSync("/run/heard","");
answer.on("data",(chunk)=>{const now=performance.timeOrigin+performance.now();rest+=chunk;const lines=rest.split("\\n");rest=lines.pop();
for(const line of lines){const event=JSON.parse(line);if(event.Type==="network"&&event.Action==="connect")appendFileSync("/run/heard",event.timeNano/1e6+" "+now+"\\n")}})}).end()`;
  const shell = lab.shell("vm1");
  const started = await must(shell, [
    "sh",
    "-c",
    'rm -f /run/heard; setsid "$@" >/dev/null 2>&1 </dev/null & echo $!',
    "sh",
    process.execPath,
    "-e",
    script,
  ]);
  for (let tries = 0; (await shell.read("/run/heard")) === undefined && tries < 200; tries++) await sleep(50);
  const events: Heard[] = [];
  const read = async (): Promise<void> => {
    const lines = ((await shell.read("/run/heard")) ?? "").trim().split("\n").filter(Boolean);
    for (const line of lines.slice(events.length)) {
      const [at = 0, now = 0] = line.split(" ").map(Number);
      events.push({ at, took: now - at });
    }
  };
  const timer = setInterval(() => void read(), 200);
  return {
    events,
    async stop() {
      clearInterval(timer);
      await read();
      await must(shell, ["kill", started.trim()]);
    },
  };
}

/** Milliseconds of one element written alone, median of 50; each is taken out again. */
async function bareElement(lab: LabUnderTest): Promise<number> {
  const lane = await openLane(lab);
  const network = lab.wish.plan.hosts.find((each) => each.host === "vm1")?.networks.at(-1);
  const to = address(`${network?.prefix.split("::")[0] ?? ""}::ffff`);
  const times: number[] = [];
  for (let n = 0; n < 50; n++) {
    const began = performance.now();
    await lane.change([{ host: "vm1" as HostName, to, before: [], after: [port8080] }], instant(Date.now()));
    times.push(performance.now() - began);
    await lane.change([{ host: "vm1" as HostName, to, before: [port8080], after: [] }], instant(Date.now()));
  }
  await lane.end();
  return times.toSorted((a, b) => a - b)[25] ?? Number.NaN;
}
