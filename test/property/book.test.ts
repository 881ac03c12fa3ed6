import fc from "fast-check";
import { expect, test } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import type { Instant } from "../../src/base/time.ts";
import { type Address, address } from "../../src/net/address.ts";
import { contains, prefixOf } from "../../src/net/prefix.ts";
import type { ContainerReport } from "../../src/openings/container-report.ts";
import { decide, type Granted } from "../../src/openings/decide.ts";
import { openServices } from "../../src/openings/open-services.ts";
import { requestsOf } from "../../src/openings/requests-of.ts";
import { formatService } from "../../src/openings/services.ts";
import { settled } from "../manual-clock.ts";
import { addressOn, idOf, policy, Rig, report, rules, vm1, vm2 } from "../openings-rig.ts";

/** More by hand: `RUNS=10000`. */
const runs = Number(process.env["RUNS"] ?? 250);

const hosts = [vm1, vm2];
const foreign = [address("2001:db8:1234:321d:20::2"), address("3fff::80"), address("2001:db8:1234:321d:42::5")];
const labels = [
  undefined,
  "80",
  "80,443; ping",
  "443 from 3fff:1::/32",
  "22",
  "5432 from %c1",
  "5432 from %vm1/app",
  "8000-8003 for 40s",
  "9000",
  "80 for 20s; 80 from 3fff:1::/32",
  "8000-8010,8005",
  "garbage!!",
  "23",
  "ping for 10s",
];

type Op =
  | { readonly kind: "put"; readonly host: HostName; readonly reports: readonly ContainerReport[] }
  | { readonly kind: "gone"; readonly host: HostName; readonly ids: readonly number[] }
  | { readonly kind: "snapshot"; readonly host: HostName; readonly reports: readonly ContainerReport[] }
  | { readonly kind: "again"; readonly host: HostName }
  | { readonly kind: "pass"; readonly seconds: number }
  | { readonly kind: "restart" | "flush" | "busy" | "free" | "fault-before" | "fault-after" | "rebase" }
  | { readonly kind: "stale"; readonly host: HostName }
  | { readonly kind: "foreign"; readonly host: HostName; readonly n: number };

const host = fc.constantFrom(...hosts);
const container = fc.record({
  n: fc.integer({ min: 1, max: 4 }),
  open: fc.constantFrom(...labels),
  on: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 2 }),
  stray: fc.option(fc.constantFrom(...foreign), { nil: undefined, freq: 6 }),
  network: fc.constantFrom("f", "f", "f", "e"),
  project: fc.constantFrom(undefined, "app"),
  shares: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 5 }),
});
const ops: fc.Arbitrary<readonly Op[]> = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant("put" as const),
          host,
          reports: fc.array(container, { minLength: 1, maxLength: 2 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("gone" as const),
          host,
          ids: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 2 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant("snapshot" as const),
          host,
          reports: fc.array(container, { maxLength: 4 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("again" as const), host }) },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 30 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constantFrom(
            "restart" as const,
            "flush" as const,
            "busy" as const,
            "free" as const,
            "fault-before" as const,
            "fault-after" as const,
            "rebase" as const,
          ),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("stale" as const), host }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant("foreign" as const), host, n: fc.integer({ min: 0, max: 3 }) }),
      },
    ),
    { maxLength: 30 },
  )
  .map((all) =>
    all.map(
      (each): Op =>
        "reports" in each ? { ...each, reports: each.reports.map((one) => reportOf(each.host, one)) } : each,
    ),
  );

type Made = {
  n: number;
  open: string | undefined;
  on: number[];
  stray: Address | undefined;
  network: string;
  project: string | undefined;
  shares: number | undefined;
};

function reportOf(on: HostName, { n, open, on: places, stray, network, project, shares }: Made): ContainerReport {
  const id = n + (on === vm1 ? 0 : 100);
  const addresses = [...places.map((each) => addressOn(on, each)), ...(stray === undefined ? [] : [stray])];
  return report(id, {
    ...(open === undefined ? {} : { open }),
    name: `c${n}`,
    ...(project === undefined ? {} : { project }),
    ...(shares === undefined ? {} : { mode: "container" as const, sharesWith: `c${shares}` }),
    endpoints: addresses.map((each) => ({ network: "front", networkId: network.repeat(64), address: each })),
  });
}

/** One container's claim to an address: when it came up, and whether a later one has beaten it. */
type Claim = { readonly key: string; readonly container: string; beaten: boolean };

/**
 * The same, told as plainly as possible: everything is computed anew from what was reported. Ownership is told by who
 * came when, not by who owns what.
 */
class Model {
  readonly reported = new Map<HostName, Map<string, ContainerReport>>();
  readonly claims = new Map<HostName, Map<Address, Claim[]>>();
  /** What a host that has not reported since the start keeps. */
  kept = new Map<HostName, ReadonlySet<string>>();
  readonly stale = new Set<HostName>();

  put(on: HostName, each: ContainerReport): void {
    const all = this.reported.get(on) ?? new Map<string, ContainerReport>();
    this.reported.set(on, all);
    this.#claim(on, each.id, each.mode === "bridge" ? each.endpoints : []);
    all.set(each.id, each);
  }

  gone(on: HostName, id: string): void {
    this.#claim(on, id, []);
    this.reported.get(on)?.delete(id);
  }

  snapshot(on: HostName, all: readonly ContainerReport[]): void {
    const last = new Map(all.map((each) => [each.id, each]));
    for (const id of this.reported.get(on)?.keys() ?? []) if (!last.has(id)) this.gone(on, id);
    const before = new Map([...this.#of(on)].map(([to, claims]) => [to, new Set(claims.map(({ key }) => key))]));
    for (const each of last.values()) this.put(on, each);
    for (const [to, claims] of this.#of(on)) {
      const fresh = claims.filter(({ key }) => before.get(to)?.has(key) !== true);
      if (fresh.length > 1) for (const each of claims) each.beaten = true;
    }
    this.kept.delete(on);
    this.stale.delete(on);
  }

  restart(open: ReadonlyMap<HostName, ReadonlySet<string>>): void {
    this.reported.clear();
    this.claims.clear();
    this.stale.clear();
    this.kept = new Map(open);
  }

  expire(on: HostName): void {
    this.kept.delete(on);
    this.stale.add(on);
  }

  knows(on: HostName): boolean {
    return this.reported.has(on) && !this.stale.has(on);
  }

  expected(now: Instant, since: (on: HostName, id: string) => Instant): readonly string[] {
    const open: string[] = [];
    for (const on of hosts) {
      if (this.stale.has(on)) continue;
      open.push(...(this.kept.get(on) ?? []));
      const granted: Granted[] = [];
      const directory = this.reported.get(on) ?? new Map<string, ContainerReport>();
      for (const each of directory.values()) {
        const { requests } = requestsOf(each, { host: on, directory, trustImages: [], since: since(on, each.id) });
        for (const request of requests) {
          const decision = decide(
            policy,
            request,
            { ...rules, containers: (name, where) => this.#named(name, where) },
            now,
          );
          if (
            decision.kind === "granted" &&
            this.#owner(on, request.to) === `${request.holder?.container} ${request.holder?.networkId}`
          )
            granted.push(decision);
        }
      }
      for (const [to, services] of openServices(granted))
        open.push(...services.map(({ service, from }) => `${to} ${formatService(service)} from ${from.join(",")}`));
    }
    return open.sort();
  }

  #of(on: HostName): Map<Address, Claim[]> {
    const there = this.claims.get(on) ?? new Map<Address, Claim[]>();
    this.claims.set(on, there);
    return there;
  }

  #claim(on: HostName, container: string, endpoints: ContainerReport["endpoints"]): void {
    const ground = rules.hosts.get(on);
    const keyOf = (networkId: string): string => `${container} ${networkId}`;
    const wanted = endpoints.filter(
      (each) => ground !== undefined && contains(ground.block, each.address) && !ground.own.includes(each.address),
    );
    for (const [to, claims] of this.#of(on))
      this.#of(on).set(
        to,
        claims.filter(
          (each) =>
            each.container !== container ||
            wanted.some((one) => one.address === to && keyOf(one.networkId) === each.key),
        ),
      );
    for (const { address: to, networkId } of wanted) {
      const claims = this.#of(on).get(to) ?? [];
      const mine = claims.find(({ key }) => key === keyOf(networkId));
      if (mine === undefined) {
        for (const each of claims) each.beaten = true;
        this.#of(on).set(to, [...claims, { key: keyOf(networkId), container, beaten: false }]);
      } else if (claims.every(({ beaten }) => beaten)) mine.beaten = false;
    }
  }

  #owner(on: HostName, to: Address): string | undefined {
    return this.#of(on)
      .get(to)
      ?.find(({ beaten }) => !beaten)?.key;
  }

  #named(name: string, where: HostName | undefined): readonly Address[] {
    const found: Address[] = [];
    for (const on of hosts) {
      if (where !== undefined && where !== on) continue;
      for (const each of this.reported.get(on)?.values() ?? []) {
        if (each.name !== name && each.project !== name) continue;
        if (each.mode !== "bridge") continue;
        for (const { address: to, networkId } of each.endpoints)
          if (this.#owner(on, to) === `${each.id} ${networkId}` && prefixOf(to, 64) === prefixOf(addressOn(on, 0), 64))
            found.push(to);
      }
    }
    return found;
  }
}

/** What the gateway holds of each host, as the model's texts. */
function openByHost(rig: Rig): ReadonlyMap<HostName, ReadonlySet<string>> {
  const found = new Map<HostName, Set<string>>();
  for (const { host: on, to, services } of rig.gateway.held()) {
    const texts = found.get(on) ?? new Set<string>();
    for (const { service, from } of services) texts.add(`${to} ${formatService(service)} from ${from.join(",")}`);
    found.set(on, texts);
  }
  return found;
}

/** Never, whatever happens: an element that policy or block forbids, where nobody else but us writes. */
function forbidden(rig: Rig): readonly string[] {
  return rig.gateway.open().filter((text) => {
    const [to = "", what = ""] = text.split(" ");
    const on = hosts.find((each) => {
      const ground = rules.hosts.get(each);
      return ground !== undefined && contains(ground.block, to as Address) && !ground.own.includes(to as Address);
    });
    if (on === undefined) return true;
    if (what === "ping") return false;
    const [ports = "", transport] = what.split("/");
    const [first = 0, last = first] = ports.split("-").map(Number);
    const isWeb = [
      [80, 80],
      [443, 443],
      [8000, 8099],
      [9000, 9000],
    ].some(([a = 0, b = 0]) => a <= first && last <= b);
    return transport !== "tcp" || !(isWeb || (first === 5432 && last === 5432 && on === vm2));
  });
}

async function play(all: readonly Op[]): Promise<void> {
  const rig = new Rig();
  const model = new Model();
  await rig.start();
  for (const each of hosts) {
    rig.snapshot(each);
    model.snapshot(each, []);
    model.reported.set(each, new Map());
  }
  let free: () => void = () => undefined;
  let foreignAdded = false;
  for (const op of all) {
    switch (op.kind) {
      case "put":
        rig.put(op.host, ...op.reports);
        if (model.knows(op.host)) for (const each of op.reports) model.put(op.host, each);
        break;
      case "gone": {
        const ids = op.ids.map((n) => n + (op.host === vm1 ? 0 : 100));
        rig.gone(op.host, ...ids);
        if (model.knows(op.host)) for (const id of ids) model.gone(op.host, idOf(id));
        break;
      }
      case "snapshot":
        rig.snapshot(op.host, ...op.reports);
        model.snapshot(op.host, op.reports);
        if (!model.reported.has(op.host)) model.reported.set(op.host, new Map());
        break;
      case "again": {
        const same = [...(model.reported.get(op.host)?.values() ?? [])];
        if (!model.knows(op.host)) break;
        rig.snapshot(op.host, ...same);
        model.snapshot(op.host, same);
        break;
      }
      case "pass":
        free();
        await rig.pass(op.seconds * 1000);
        break;
      case "restart":
        free();
        await settled();
        rig.gateway.faults.length = 0;
        await rig.restart();
        model.restart(openByHost(rig));
        break;
      case "flush":
        rig.gateway.foreignFlush();
        break;
      case "foreign":
        foreignAdded = true;
        rig.gateway.foreignAdd(op.host, addressOn(op.host, op.n), {
          service: { kind: "ports", transport: "tcp", ports: { first: 1, last: 1 } },
          from: [prefixOf(foreign[1] as Address, 20)],
        });
        break;
      case "busy":
        free();
        rig.gateway.busy = new Promise((resolve) => {
          free = resolve;
        });
        break;
      case "free":
        free();
        await settled();
        break;
      case "fault-before":
        rig.gateway.faults.push("before");
        break;
      case "fault-after":
        rig.gateway.faults.push("after");
        break;
      case "rebase":
        // Another fleet file, and the first one again.
        rig.book.rebase({ ...rules, policy: { ...policy, allow: [] } }, rig.clock.now());
        rig.book.rebase(rules, rig.clock.now());
        break;
      case "stale":
        rig.book.expireHost(op.host);
        model.expire(op.host);
        break;
    }
    if (!foreignAdded) expect(forbidden(rig)).toEqual([]);
  }
  free();
  rig.gateway.faults.length = 0;
  // Long enough for every retry and one look at all that the gateway holds.
  await rig.pass(65_000);
  await rig.pass(2000);
  const kept = [...model.kept.values()].flatMap((each) => [...each]);
  const now = rig.clock.now();
  const expected = model.expected(now, (on, id) => rig.sightings.get(`${on} ${id}`) ?? now);
  const open = rig.gateway.open();
  // What was held and had an end is over by now, or not: the kernel says so, the model does not know.
  const ended = new Set(kept.filter((each) => !open.includes(each)));
  expect(open).toEqual(expected.filter((each) => !ended.has(each)));
  expect(forbidden(rig).filter(() => !foreignAdded)).toEqual([]);
}

test("what is open is what a plain model says, whatever comes in whatever order", { timeout: 600_000 }, async () => {
  await fc.assert(fc.asyncProperty(ops, play), { numRuns: runs });
});
