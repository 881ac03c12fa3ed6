import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allocate } from "../src/addressing/allocate.ts";
import { emptyLedger } from "../src/addressing/ledger.ts";
import { Failure } from "../src/base/failure.ts";
import type { HostName } from "../src/base/name.ts";
import { openAuthority } from "../src/controller/authority.ts";
import type { Basis, Controller, ControllerEvent, Person } from "../src/controller/controller.ts";
import type { Journal } from "../src/controller/journal.ts";
import { type RunningController, startController } from "../src/controller/start-controller.ts";
import { type ControllerState, openState } from "../src/controller/state.ts";
import type { MembersLane } from "../src/drivers/members-lane.ts";
import { parseFleet } from "../src/fleet/parse-fleet.ts";
import type { ContainerReport } from "../src/openings/container-report.ts";
import type { Store } from "../src/store/store.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { type ManualClock, manualClock, settled } from "./manual-clock.ts";
import { idOf } from "./openings-rig.ts";

export const ada: Person = { name: "ada", role: "operator" };
export const root: Person = { name: "root", role: "admin" };

const article = await readFile(new URL("../examples/article.yaml", import.meta.url), "utf8");

/** The article's fleet with this policy; every port from anywhere, when nothing is said. */
export function basisWith(policy: string, without?: string): Basis {
  const all = article.replace(/\npolicy:\n(?: .*\n|\n)+/, `\npolicy:\n${policy}\n`);
  const text = without === undefined ? all : all.replace(new RegExp(`\n  ${without}:\n(?:    .*\n)+`), "\n");
  const fleet = parseFleet(text, "fleet.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const plan = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!plan.ok) throw new Error(JSON.stringify(plan.errors));
  return { fleet: fleet.value, plan: plan.value.plan };
}

export const usualPolicy = `
  allow:
    - { name: web, ports: [80, 443, 8000-8099, ping], from: any, by: anyone }
    - { name: short, ports: [9000], from: any, for: 60s, by: anyone }
    - { name: ssh, ports: [22], from: [3fff:1::/32], by: people }
  never: [23]
  limits: { per-container: 50, per-host: 100, lease: 8h }
  stale-after: 1h
`;

/** Controllers one after the other, on one state folder and one gateway. */
export class ControllerRig {
  readonly clock: ManualClock = manualClock();
  readonly gateway: FakeGateway = new FakeGateway(this.clock);
  readonly folder: string;
  readonly events: ControllerEvent[] = [];
  readonly said: string[] = [];
  basis: Basis = basisWith(usualPolicy);
  #all: Started[] = [];
  readonly #states: ControllerState[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<ControllerRig> {
    return new ControllerRig(await mkdtemp(join(tmpdir(), "sixgate-controller-")));
  }

  /** Starts one, letting time pass while it waits for another's lease. */
  async start(options: StartOptions = {}): Promise<Started> {
    const { acceptLoss, killAt, journalFails } = options;
    const clock = this.clock.fork();
    const opened = await openState({ folder: this.folder, clock, ...(acceptLoss === undefined ? {} : { acceptLoss }) });
    const wire = { isCut: false };
    const die = (): Promise<never> => {
      wire.isCut = true;
      clock.kill();
      return new Promise(() => undefined);
    };
    const state: ControllerState = {
      ...opened,
      store: killAt === undefined ? opened.store : deadlyStore(opened.store, killAt, die),
      journal: journalFails === undefined ? opened.journal : fullJournal(opened.journal, journalFails),
    };
    this.#states.push(opened);
    const authority = await openAuthority(this.folder, () => clock.now());
    let isUp = false;
    const starting = startController({
      basis: this.basis,
      state,
      authority,
      clock,
      version: "0.0.0",
      lane: () => mortal(this.gateway.lane(), wire),
      log: {
        info: (text) => void this.said.push(text),
        warn: (text) => void this.said.push(text),
        error: (text) => void this.said.push(`error ${text}`),
      },
    }).finally(() => {
      isUp = true;
    });
    for (let n = 0; n < 200 && !isUp; n++) {
      await breathe();
      if (!isUp) await this.clock.pass(1000);
    }
    const running = await starting;
    running.controller.watch((event) => void this.events.push(event));
    const started: Started = {
      ...running,
      async end() {
        await running.stop();
        await state.end();
      },
      async kill() {
        await breathe();
        wire.isCut = true;
        clock.kill();
      },
    };
    this.#all.push(started);
    await breathe();
    return started;
  }

  snapshot(on: Started, host: string, ...reports: readonly ContainerReport[]): void {
    on.sink.snapshot(host as HostName, reports, { at: this.clock.now(), eventAt: this.clock.now() });
  }

  put(on: Started, host: string, ...reports: readonly ContainerReport[]): void {
    on.sink.delta(host as HostName, reports, [], { at: this.clock.now(), eventAt: this.clock.now() });
  }

  gone(on: Started, host: string, ...ids: readonly number[]): void {
    on.sink.delta(host as HostName, [], ids.map(idOf), { at: this.clock.now() });
  }

  async open(on: Started): Promise<readonly string[]> {
    await on.settled();
    return this.gateway.open();
  }

  async pass(milliseconds: number, step = 5000): Promise<void> {
    for (let left = milliseconds; left > 0; left -= step) {
      await this.clock.pass(Math.min(left, step));
      // Whatever waits for a disk has to be done before more time passes, however slow the disk is.
      for (const { journal } of this.#states) await journal.flush().catch(() => undefined);
      await breathe();
    }
  }

  /** Lets time pass until it is settled. */
  async waitFor<T>(work: Promise<T>): Promise<T> {
    let isSettled = false;
    const watched = work.finally(() => {
      isSettled = true;
    });
    watched.catch(() => undefined);
    for (let n = 0; n < 300 && !isSettled; n++) await this.pass(1000);
    return await watched;
  }

  async until(met: () => boolean): Promise<void> {
    for (let n = 0; n < 300 && !met(); n++) await this.pass(1000);
    if (!met()) throw new Error("Waited in vain");
  }

  async what(on: { readonly controller: Controller }): Promise<readonly string[]> {
    const entries = await on.controller.journal(0, 1000);
    return entries.map(({ who, what }) => `${who}: ${what}`);
  }

  async remove(): Promise<void> {
    for (const each of this.#all) await each.kill();
    // What a killed process had open, its kernel would have closed.
    for (const { journal, store } of this.#states) await Promise.allSettled([journal.end(), store.end()]);
    await rm(this.folder, { recursive: true });
  }
}

export type StartOptions = {
  readonly acceptLoss?: boolean;
  /** The process is killed at that commit, before the disk has it or after. */
  readonly killAt?: (keys: readonly string[]) => "before" | "after" | undefined;
  /** The journal's disk takes nothing while this is true. */
  readonly journalFails?: () => boolean;
};

function deadlyStore(store: Store, killAt: NonNullable<StartOptions["killAt"]>, die: () => Promise<never>): Store {
  return {
    ...store,
    async commit(writes) {
      const when = killAt(writes.map(({ key }) => key));
      if (when === "before") return await die();
      const revision = await store.commit(writes);
      return when === "after" ? await die() : revision;
    },
  };
}

function fullJournal(journal: Journal, fails: () => boolean): Journal {
  const failure = new Failure("E947", "journal", "The journal can't be written: no space", "make some");
  return {
    ...journal,
    flush: () => (fails() ? Promise.reject(failure) : journal.flush()),
    failing: () => (fails() ? failure : journal.failing()),
  };
}

export type Started = RunningController & {
  /** In good order. */
  end(): Promise<void>;
  /** From one moment to the next: nothing of it happens any more. */
  kill(): Promise<void>;
};

function mortal(lane: MembersLane, wire: { readonly isCut: boolean }): MembersLane {
  const forever = new Promise<never>(() => undefined);
  return {
    normalize: (services) => lane.normalize(services),
    read: (signal) => (wire.isCut ? forever : lane.read(signal)),
    readAt: (to, signal) => (wire.isCut ? forever : lane.readAt(to, signal)),
    change: (changes, now, signal) => (wire.isCut ? forever : lane.change(changes, now, signal)),
    end: async () => undefined,
  };
}

/** Lets a disk do what it was told. */
export async function breathe(): Promise<void> {
  for (let n = 0; n < 5; n++) {
    await settled();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
