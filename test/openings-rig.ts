import type { HostName } from "../src/base/name.ts";
import { type Instant, seconds } from "../src/base/time.ts";
import { Book, type Rules } from "../src/controller/book.ts";
import { LaneWriter } from "../src/controller/lane-writer.ts";
import { type Address, address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { ContainerReport } from "../src/openings/container-report.ts";
import type { AllowRule, OpeningPolicy } from "../src/openings/policy.ts";
import { containerReport } from "./container-report.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";

export const vm1: HostName = "vm1" as HostName;
export const vm2: HostName = "vm2" as HostName;
export const anywhere = prefix("::/0");

/** Container number `n` of a host's first own network. */
export function addressOn(host: HostName, n: number): Address {
  return address(`2001:db8:1234:321d:${host === vm1 ? "22" : "32"}::${(n + 16).toString(16)}`);
}

export function idOf(n: number): string {
  return n.toString(16).padStart(64, "0");
}

export function allow(over: Partial<AllowRule>): AllowRule {
  return { id: "allow[0]", hosts: "all", services: [], from: [anywhere], by: ["labels", "people"], ...over };
}

export function tcp(first: number, last = first): AllowRule["services"][number] {
  return { kind: "ports", transport: "tcp", ports: { first, last } };
}

export const policy: OpeningPolicy = {
  allow: [
    allow({ id: "web", services: [tcp(80), tcp(443), tcp(8000, 8099), { kind: "ping" }] }),
    allow({ id: "db", hosts: [vm2], services: [tcp(5432)], from: [prefix("2001:db8:1234:321d::/64")] }),
    allow({ id: "short", services: [tcp(9000)], longest: seconds(60) }),
    allow({ id: "ssh", services: [tcp(20, 30)], from: [prefix("3fff:1::/32")], by: ["people"] }),
  ],
  never: [tcp(23)],
  limits: { perContainer: 100, perHost: 1000, lease: seconds(3600) },
  staleAfter: seconds(3600),
  trustImages: [],
};

export const rules: Rules = {
  policy,
  hosts: new Map(
    [vm1, vm2].map((host) => {
      const group = host === vm1 ? "20" : "30";
      const own = [1, 2].map((n) => address(`2001:db8:1234:321d:${group}::${n}`));
      return [host, { block: prefix(`2001:db8:1234:321d:${group}::/76`), own }];
    }),
  ),
  groups: new Map([["office", [prefix("3fff:1::/32")]]]),
};

export function report(
  id: number,
  over: Partial<ContainerReport> & { readonly open?: string; readonly on?: readonly Address[] },
): ContainerReport {
  const { open, on = [], ...rest } = over;
  return containerReport({
    id: idOf(id),
    name: `c${id}`,
    labels: open === undefined ? {} : { "sixgate.open": open },
    endpoints: on.map((each) => ({ network: "front", networkId: "f".repeat(64), address: each })),
    ...rest,
  });
}

/** A book and a writer on a gateway, as a controller ties them together, without its store and journal. */
export class Rig {
  readonly clock: ManualClock = manualClock();
  readonly gateway: FakeGateway = new FakeGateway(this.clock);
  /** First sightings: what a store keeps. */
  readonly sightings = new Map<string, Instant>();
  readonly drifts: Address[] = [];
  readonly rules: Rules;
  book: Book;
  writer: LaneWriter;
  #generation = 0;

  constructor(used: Rules = rules) {
    this.rules = used;
    [this.book, this.writer] = this.#made();
  }

  #made(): [Book, LaneWriter] {
    const generation = ++this.#generation;
    const lane = this.gateway.lane();
    const book: Book = new Book({
      rules: this.rules,
      normalize: (services) => lane.normalize(services),
      since: (host, id, now) => {
        const key = `${host} ${id}`;
        const since = this.sightings.get(key) ?? now;
        this.sightings.set(key, since);
        return since;
      },
      dirty: (mark) => writer.mark(mark),
      refused: () => undefined,
      gone: () => undefined,
    });
    const writer = new LaneWriter({
      lane,
      clock: this.clock,
      wanted: (host, to) => book.wanted(host, to, this.clock.now()),
      isWriter: () => generation === this.#generation,
      mayOpen: () => true,
      prepare: async () => undefined,
      applied: () => undefined,
      reached: () => undefined,
      drifted: (to) => void this.drifts.push(to),
      looked: () => undefined,
      refused: () => undefined,
    });
    return [book, writer];
  }

  async start(): Promise<void> {
    this.book.adopt(await this.writer.start());
  }

  /** The process is gone from one moment to the next; another one starts. */
  async restart(): Promise<void> {
    [this.book, this.writer] = this.#made();
    await this.start();
  }

  snapshot(host: HostName, ...reports: readonly ContainerReport[]): void {
    this.book.snapshot(host, reports, this.clock.now());
  }

  put(host: HostName, ...reports: readonly ContainerReport[]): void {
    this.book.delta(host, reports, [], this.clock.now());
  }

  gone(host: HostName, ...ids: readonly number[]): void {
    this.book.delta(host, [], ids.map(idOf), this.clock.now());
  }

  /** All that is open, once the gateway has it. */
  async open(): Promise<readonly string[]> {
    await this.writer.settled();
    return this.gateway.open();
  }

  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 1000) {
      await this.clock.pass(Math.min(left, 1000));
      this.book.expire(this.clock.now());
    }
    await this.writer.settled();
  }
}
