import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { HostName } from "../src/base/name.ts";
import { openAuthority } from "../src/controller/authority.ts";
import type { Basis } from "../src/controller/controller.ts";
import { lazyLane } from "../src/controller/lazy-lane.ts";
import { type RunningController, startController } from "../src/controller/start-controller.ts";
import { openState } from "../src/controller/state.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import type { Address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { OpenService } from "../src/openings/opening.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { FakeGateway } from "../test/fake-gateway.ts";
import { addressOf, basisOf, containerOf } from "./churn-fleet.ts";
import { type GatewayUnder, kernelGateway } from "./kernel-gateway.ts";
import { printTable, type Row } from "./measure.ts";

const wholeSeconds = Number(process.env["SECONDS"] ?? 60);
const perSecond = 200;
const hosts = 20;
const each = 500;

/**
 * A whole controller with its store and journal on disk, without the wire before it: 10,000 containers, 200 changes a
 * second for a minute, half of them starts at addresses that were freed a moment ago. Then what a change costs, and a
 * start, with up to a million openings held.
 */
export async function run(options: { readonly json: boolean }): Promise<void> {
  const rows = [...(await churn("memory", memory()))];
  const kernel = await kernelGateway(basisOf(hosts, 4 * each));
  if (typeof kernel === "string") console.error(`without the kernel's sets: ${kernel}`);
  else rows.push(...(await churn("kernel", kernel)));
  rows.push(...(await growth("memory", async () => memory())));
  if (typeof kernel !== "string") rows.push(...(await growth("kernel", mustHaveKernel)));
  if (options.json) console.log(JSON.stringify({ suite: "churn", rows }));
  else printTable(`churn: ${hosts * each} containers, ${perSecond} changes/s for ${wholeSeconds} s`, rows);
}

function memory(): GatewayUnder {
  const gateway = new FakeGateway(systemClock, false);
  return { lane: () => Promise.resolve(gateway.lane()), end: async () => undefined };
}

async function mustHaveKernel(basis: Basis): Promise<GatewayUnder> {
  const kernel = await kernelGateway(basis);
  if (typeof kernel === "string") throw new Error(kernel);
  return kernel;
}

type Rig = { readonly running: RunningController; readonly basis: Basis; stop(): Promise<void> };

async function started(basis: Basis, under: GatewayUnder): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-churn-"));
  const state = await openState({ folder, clock: systemClock });
  const authority = await openAuthority(folder, () => systemClock.now());
  const quiet = { info: () => undefined, warn: () => undefined, error: (text: string) => console.error(text) };
  const running = await startController({
    basis,
    state,
    authority,
    clock: systemClock,
    version: "bench",
    log: quiet,
    lane: () => lazyLane(() => under.lane()),
  });
  await running.adopted;
  return {
    running,
    basis,
    async stop() {
      await running.stop();
      await state.end();
      await rm(folder, { recursive: true });
    },
  };
}

async function churn(name: string, under: GatewayUnder): Promise<readonly Row[]> {
  const rig = await started(basisOf(hosts, 4 * each), under);
  const crowd = new Crowd(rig);
  crowd.fill();
  await rig.running.settled();
  const latencies: number[] = [];
  let opened = 0;
  const unwatch = rig.running.controller.watch((event) => {
    if (event.kind !== "opened") return;
    opened++;
    crowd.untold.delete(event.opening.container?.id ?? "");
    latencies.push(performance.now() - (crowd.began.get(event.opening.container?.id ?? "") ?? Number.NaN));
  });
  const before = memoryNow();
  const began = performance.now();
  for (let n = 0; n < wholeSeconds * perSecond; n++) {
    const due = began + (n * 1000) / perSecond;
    const ahead = due - performance.now();
    if (ahead > 1) await sleep(ahead);
    crowd.change();
  }
  await rig.running.settled();
  unwatch();
  const after = memoryNow();
  const lane = await under.lane();
  const lost = await crowd.differences(lane);
  const floor = await bare(lane, rig.basis);
  await lane.end();
  const wrong = await rig.running.controller.verifyJournal();
  const { entries } = rig.running.controller.status().journal;
  await rig.stop();
  await under.end();
  if (lost > 0 || crowd.untold.size > 0 || wrong !== undefined) process.exitCode = 3;
  const at = (share: number): number =>
    latencies.sort((a, b) => a - b)[Math.ceil(latencies.length * share) - 1] ?? Number.NaN;
  return [
    {
      name: `${name}: event to in force, p50`,
      figure: at(0.5),
      unit: "ms",
      ratio: floor / at(0.5),
      beside: "one bare element",
    },
    {
      name: `${name}: event to in force, p99`,
      figure: at(0.99),
      unit: "ms",
      ratio: floor / at(0.99),
      beside: "one bare element",
    },
    { name: `${name}: event to in force, the longest`, figure: at(1), unit: "ms" },
    { name: `${name}: starts that came into force`, figure: opened, unit: `of ${crowd.starts}` },
    { name: `${name}: starts that did not, and were not stopped before`, figure: crowd.untold.size, unit: "" },
    { name: `${name}: openings lost or too many at the end`, figure: lost, unit: "" },
    { name: `${name}: journal entries, all fitting`, figure: entries, unit: "" },
    { name: `${name}: heap before`, figure: before, unit: "MB" },
    { name: `${name}: heap after`, figure: after, unit: "MB" },
  ];
}

/** The floor: one element, and nothing around it. The median of 300, each way. */
async function bare(lane: MembersLane, basis: Basis): Promise<number> {
  const host = basis.plan.hosts[0]?.host as HostName;
  const to = addressOf(basis, host, 3 * each);
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const start = performance.now();
    await lane.change([{ host, to, before: [], after: [openPort(80)] }], systemClock.now());
    times.push(performance.now() - start);
    await lane.change([{ host, to, before: [openPort(80)], after: [] }], systemClock.now());
  }
  return times.sort((a, b) => a - b)[150] ?? Number.NaN;
}

function openPort(port: number): OpenService {
  return { service: { kind: "ports", transport: "tcp", ports: { first: port, last: port } }, from: [prefix("::/0")] };
}

/** The containers that run, and those that come and go. */
class Crowd {
  readonly #rig: Rig;
  readonly #running: { readonly host: HostName; readonly number: number; readonly to: Address }[] = [];
  readonly #free: { readonly host: HostName; readonly to: Address }[] = [];
  #number = 0;
  #state = 1;
  starts = 0;
  /** When each began, by its id. */
  readonly began = new Map<string, number>();
  /** Those that have not come into force yet. */
  readonly untold = new Set<string>();

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  fill(): void {
    for (const { host } of this.#rig.basis.plan.hosts) {
      const reports = Array.from({ length: each }, (_, n) => {
        const to = addressOf(this.#rig.basis, host, n);
        const number = ++this.#number;
        this.#running.push({ host, number, to });
        return containerOf(number, to, "80,443");
      });
      this.#rig.running.sink.snapshot(host, reports, { at: systemClock.now() });
    }
  }

  /** Stops one; then, the next time, starts another at the address that it had. */
  change(): void {
    const { sink } = this.#rig.running;
    const now = systemClock.now();
    const freed = this.#free.pop();
    if (freed === undefined) {
      const at = this.#random(this.#running.length);
      const last = this.#running.pop();
      const gone = at === this.#running.length ? last : this.#running[at];
      if (gone === undefined || last === undefined) return;
      if (gone !== last) this.#running[at] = last;
      this.#free.push({ host: gone.host, to: gone.to });
      // Started and stopped within one transaction: it never was in force.
      this.untold.delete(gone.number.toString(16).padStart(64, "0"));
      sink.delta(gone.host, [], [gone.number.toString(16).padStart(64, "0")], { at: now, eventAt: now });
      return;
    }
    const number = ++this.#number;
    this.#running.push({ ...freed, number });
    this.starts++;
    const report = containerOf(number, freed.to, "80");
    this.began.set(report.id, performance.now());
    this.untold.add(report.id);
    sink.delta(freed.host, [report], [], { at: now, eventAt: now });
  }

  /** Addresses at which the gateway does not hold just what should be. */
  async differences(lane: MembersLane): Promise<number> {
    const held = new Map((await lane.read()).map(({ to, services }) => [to, services.length]));
    const wrong = this.#running.filter(({ number, to }) => held.get(to) !== (number <= hosts * each ? 2 : 1)).length;
    return wrong + held.size - this.#running.length;
  }

  #random(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }
}

/** What a start and a change cost with more and more held. */
async function growth(name: string, make: (basis: Basis) => Promise<GatewayUnder>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const held of [10, 100_000, 1_000_000]) {
    const basis = basisOf(hosts, 2 * each);
    const under = await make(basis);
    const host = basis.plan.hosts.at(-1)?.host as HostName;
    await fill(await under.lane(), basis, held);
    const usage = process.cpuUsage();
    const began = performance.now();
    const rig = await started(basis, under);
    const took = performance.now() - began;
    const { user, system } = process.cpuUsage(usage);
    rig.running.sink.snapshot(host, [], { at: systemClock.now() });
    const times: number[] = [];
    for (let n = 0; n < 300; n++) {
      const start = performance.now();
      rig.running.sink.delta(host, [containerOf(n, addressOf(basis, host, n))], [], { at: systemClock.now() });
      await rig.running.settled();
      times.push(performance.now() - start);
    }
    await rig.stop();
    await under.end();
    const label = held.toLocaleString("en-US");
    const median = times.sort((a, b) => a - b)[150] ?? Number.NaN;
    rows.push(
      { name: `${name}: start with ${label} openings held`, figure: took / 1000, unit: "s" },
      { name: `${name}: the same, processor`, figure: (user + system) / 1e6, unit: "s" },
      { name: `${name}: one change with ${label} held, median`, figure: median, unit: "ms" },
    );
  }
  return rows;
}

/** Holds so many openings on all hosts but the last. */
async function fill(lane: MembersLane, basis: Basis, held: number): Promise<void> {
  const batch = 2000;
  for (let from = 0; from < held; from += batch) {
    const changes = Array.from({ length: Math.min(batch, held - from) }, (_, i) => {
      const n = from + i;
      const host = basis.plan.hosts[n % (hosts - 1)]?.host as HostName;
      const to = addressOf(basis, host, 100 + Math.floor(n / (hosts - 1)));
      return { host, to, before: [], after: [openPort(80)] };
    });
    await lane.change(changes, systemClock.now());
  }
  await lane.end();
}

/** Megabytes that are in use, garbage taken away. */
function memoryNow(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}
