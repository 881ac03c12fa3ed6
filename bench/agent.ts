import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { engineClient } from "../src/agent/engine-client.ts";
import { FakeEngine, flavours } from "../test/fake-engine.ts";
import { ModelEngine } from "../test/model-engine.ts";
import { type RecordingSink, type Trust, trust, until, vm1 } from "../test/trust.ts";
import { printTable, type Row } from "./measure.ts";

const containers = 1_000;
const events = 1_000;
const idleSeconds = 65;
const networks = 14;
const launcher = join(import.meta.dirname, "../sixgate");
/** A process that does nothing, under the same Node: what an agent can't be smaller than. */
const idle = "setInterval(() => undefined, 60_000)";

type Cost = { readonly rss: number; readonly cpu: number };

/** Resident memory in MB and processor time in ms, from the kernel's books. */
function costOf(child: ChildProcess): Cost {
  const pid = child.pid ?? 0;
  const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  const fields = (readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1] ?? "").split(" ");
  // utime and stime (proc(5)), in ticks of 10 ms.
  return { rss: Number(rss) / 1024, cpu: (Number(fields[11]) + Number(fields[12])) * 10 };
}

function median(figures: readonly number[], part = 0.5): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length * part)] ?? Number.NaN;
}

/** Starts and ends containers one by one, as they would on a busy host, and waits for each report. */
async function churn(engine: FakeEngine, sink: RecordingSink): Promise<readonly number[]> {
  const took: number[] = [];
  for (let n = 0; n < events / 2; n++) {
    const id = engine.model.create({ networks: [networkOf(engine, n)] });
    const began = performance.now();
    engine.act((model) => model.attach(id));
    await seen(() => sink.hosts.get("vm1")?.has(id) === true);
    took.push(performance.now() - began);
    engine.act((model) => model.start(id));
    engine.act((model) => model.remove(id));
    await seen(() => sink.hosts.get("vm1")?.has(id) === false);
  }
  return took;
}

function networkOf(engine: FakeEngine, n: number): string {
  return engine.model.networkIds[n % networks] ?? "";
}

/** What the engine takes for the two answers that a start needs, asked side by side by somebody who does nothing else. */
async function answers(engine: FakeEngine): Promise<readonly number[]> {
  const client = engineClient(engine.path);
  const { signal } = new AbortController();
  await client.greet(signal);
  const [id = ""] = engine.model.containers.keys();
  const took: number[] = [];
  for (let n = 0; n < events / 2; n++) {
    const began = performance.now();
    await Promise.all([client.network(networkOf(engine, n), signal), client.containers([id], signal)]);
    took.push(performance.now() - began);
  }
  client.end();
  return took;
}

/** Looks at every turn of the loop: a timer would be coarser than what is measured. */
async function seen(look: () => boolean): Promise<void> {
  const late = performance.now() + 10_000;
  while (!look()) {
    if (performance.now() > late) throw new Error("No report within 10 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function measure(
  fleet: Trust,
  engine: FakeEngine,
): Promise<{ readonly rows: readonly Row[]; readonly json: object }> {
  const state = await fleet.enrolled(vm1);
  const children = [
    spawn(launcher, ["agent", "--state", state, "--docker", engine.path], { stdio: "ignore" }),
    spawn(process.execPath, ["-e", idle], { stdio: "ignore" }),
  ];
  const [agent, floor] = children;
  if (agent === undefined || floor === undefined) throw new Error("no process");
  try {
    await until(() => fleet.sink.hosts.get("vm1")?.size === containers, "the snapshot");
    await sleep(2_000);
    const before = costOf(agent);
    await sleep(idleSeconds * 1000);
    const calm = costOf(agent);
    const took = await churn(engine, fleet.sink);
    const after = costOf(agent);
    const alone = await answers(engine);
    const bare = costOf(floor);
    const idleCpu = ((calm.cpu - before.cpu) / (idleSeconds * 1000)) * 100;
    const perEvent = (after.cpu - calm.cpu) / ((events / 2) * 5);
    const rows: Row[] = [
      { name: "an idle Node", figure: bare.rss, unit: "MB" },
      { name: `agent, ${containers} containers, at rest`, figure: calm.rss, unit: "MB" },
      { name: `agent, after ${events / 2} more came and went`, figure: after.rss, unit: "MB" },
      { name: "processor at rest, a full listing every 30 s", figure: idleCpu, unit: "% of a core" },
      { name: "processor for each event", figure: perEvent, unit: "ms" },
      { name: "the engine's two answers to a start alone, p50", figure: median(alone), unit: "ms" },
      { name: "event written until report received, p50", figure: median(took), unit: "ms" },
      { name: "event written until report received, p99", figure: median(took, 0.99), unit: "ms" },
    ];
    const json = {
      bare,
      calm,
      after,
      idleCpu,
      perEvent,
      answers: median(alone),
      p50: median(took),
      p99: median(took, 0.99),
    };
    return { rows, json };
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** The agent as a process, before an engine that is a fake and answers at once, and a controller's inbox. */
export async function run({ json }: { readonly json: boolean }): Promise<void> {
  const fleet = await trust();
  const engine = await FakeEngine.start(flavours["28.5"]);
  try {
    engine.model = new ModelEngine({ networks });
    for (let n = 0; n < containers; n++) engine.model.start(engine.model.create({ networks: [networkOf(engine, n)] }));
    const measured = await measure(fleet, engine);
    if (json) console.log(JSON.stringify({ suite: "agent", containers, ...measured.json }));
    else printTable("An agent on a host with 1,000 containers, beside a Node that does nothing", measured.rows);
  } finally {
    await engine.end();
    await fleet.end();
  }
}
