import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { HostName } from "../src/base/name.ts";
import { openAuthority } from "../src/controller/authority.ts";
import type { Basis } from "../src/controller/controller.ts";
import { type RunningController, startController } from "../src/controller/start-controller.ts";
import { openState } from "../src/controller/state.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import type { Address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { OpenService } from "../src/openings/opening.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { FakeGateway } from "../test/fake-gateway.ts";
import { addressOf, basisOf, containerOf } from "./churn-fleet.ts";
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
  const rows = [...(await churn("memory", memory())), ...(await growth())];
  if (options.json) console.log(JSON.stringify({ suite: "churn", rows }));
  else printTable(`churn: ${hosts * each} containers, ${perSecond} changes/s for ${wholeSeconds} s`, rows);
}

/** A gateway to write to. */
export type Under = { readonly lane: (basis: Basis) => MembersLane; end(): Promise<void> };

function memory(): Under {
  const gateway = new FakeGateway(systemClock, false);
  return { lane: () => gateway.lane(), end: async () => undefined };
}

type Rig = { readonly running: RunningController; readonly basis: Basis; stop(): Promise<void> };

async function started(basis: Basis, under: Under): Promise<Rig> {
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
    lane: (now) => under.lane(now),
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

async function churn(name: string, under: Under): Promise<readonly Row[]> {
  const rig = await started(basisOf(hosts, 4 * each), under);
  const crowd = new Crowd(rig);
  crowd.fill();
  await rig.running.settled();
  const latencies: number[] = [];
  let opened = 0;
  const unwatch = rig.running.controller.watch((event) => {
    if (event.kind !== "opened") return;
    opened++;
    latencies.push(event.ms ?? Number.NaN);
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
  const lost = await crowd.differences(under.lane(rig.basis));
  const wrong = await rig.running.controller.verifyJournal();
  const { entries } = rig.running.controller.status().journal;
  await rig.stop();
  await under.end();
  if (lost > 0 || opened !== crowd.starts || wrong !== undefined) process.exitCode = 3;
  const at = (share: number): number =>
    latencies.sort((a, b) => a - b)[Math.ceil(latencies.length * share) - 1] ?? Number.NaN;
  return [
    { name: `${name}: event to in force, p50`, figure: at(0.5), unit: "ms" },
    { name: `${name}: event to in force, p99`, figure: at(0.99), unit: "ms" },
    { name: `${name}: event to in force, the longest`, figure: at(1), unit: "ms" },
    { name: `${name}: starts that were told as opened`, figure: opened, unit: `of ${crowd.starts}` },
    { name: `${name}: openings lost or too many at the end`, figure: lost, unit: "" },
    { name: `${name}: journal entries, all fitting`, figure: entries, unit: "" },
    { name: `${name}: heap before`, figure: before, unit: "MB" },
    { name: `${name}: heap after`, figure: after, unit: "MB" },
  ];
}

/** The containers that run, and those that come and go. */
class Crowd {
  readonly #rig: Rig;
  readonly #running: { readonly host: HostName; readonly number: number; readonly to: Address }[] = [];
  readonly #free: { readonly host: HostName; readonly to: Address }[] = [];
  #number = 0;
  #state = 1;
  starts = 0;

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
      sink.delta(gone.host, [], [gone.number.toString(16).padStart(64, "0")], { at: now, eventAt: now });
      return;
    }
    const number = ++this.#number;
    this.#running.push({ ...freed, number });
    this.starts++;
    sink.delta(freed.host, [containerOf(number, freed.to, "80")], [], { at: now, eventAt: now });
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
async function growth(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const held of [10, 100_000, 1_000_000]) {
    const basis = basisOf(hosts, 2 * each);
    const gateway = new FakeGateway(systemClock, false);
    const open: OpenService = {
      service: { kind: "ports", transport: "tcp", ports: { first: 80, last: 80 } },
      from: [prefix("::/0")],
    };
    for (let n = 0; n < held; n++) {
      const host = basis.plan.hosts[n % (hosts - 1)]?.host as HostName;
      gateway.foreignAdd(host, addressOf(basis, host, 100 + Math.floor(n / (hosts - 1))), open);
    }
    const began = performance.now();
    const rig = await started(basis, { lane: () => gateway.lane(), end: async () => undefined });
    const took = performance.now() - began;
    const host = basis.plan.hosts.at(-1)?.host as HostName;
    rig.running.sink.snapshot(host, [], { at: systemClock.now() });
    const times: number[] = [];
    for (let n = 0; n < 300; n++) {
      const start = performance.now();
      rig.running.sink.delta(host, [containerOf(n, addressOf(basis, host, n))], [], { at: systemClock.now() });
      await rig.running.settled();
      times.push(performance.now() - start);
    }
    await rig.stop();
    const label = held.toLocaleString("en-US");
    rows.push(
      { name: `start with ${label} openings held`, figure: took / 1000, unit: "s" },
      {
        name: `one change with ${label} held, median`,
        figure: times.sort((a, b) => a - b)[150] ?? Number.NaN,
        unit: "ms",
      },
    );
  }
  return rows;
}

/** Megabytes that are in use, garbage taken away. */
function memoryNow(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}
