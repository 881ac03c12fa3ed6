import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { seconds } from "../src/base/time.ts";
import { type ChangeSet, keyOf } from "../src/change/change-set.ts";
import { diff } from "../src/change/diff.ts";
import type { GatewayDesired } from "../src/desired/desired.ts";
import type { Driver, DriverKind, Pending } from "../src/drivers/driver.ts";
import type { ApiWay } from "../src/runtime/way.ts";
import { more, type PfVariant, pfState, web } from "./conformance/pf-states.ts";
import type { Faults } from "./fakes/faults.ts";
import { leftovers, type Machine } from "./fakes/firewall.ts";

/** A fake firewall, as far as both products' are driven here. */
export type Tried = {
  readonly device: Machine & { readonly faults: Faults<string>; readonly config: object };
  way(): ApiWay;
  reboot(): Promise<void>;
  stop(): Promise<void>;
};

/** A driver of firewalls with the fake that it is tried on. */
export type PfTrial<Fake extends Tried> = {
  readonly kind: DriverKind<GatewayDesired>;
  readonly product: PfVariant["kind"];
  /** A device on which somebody followed the article by hand, with names of their own. */
  readonly start: () => Promise<Fake>;
  /** Everything that an apply could have changed, as text. */
  readonly stateOf: (device: Fake["device"]) => string;
  /** What belongs to others, as text. */
  readonly foreignOf: (device: Fake["device"]) => string;
};

type At = (way: ApiWay, desired: GatewayDesired) => Driver;

export type PfWalk<Fake extends Tried> = PfTrial<Fake> & {
  /** One that is ended after its test: as the trial starts it, or another. */
  readonly started: (fake?: Promise<Fake>) => Promise<Fake>;
  /** One that is at `from`, with nothing left to do, and is ended after its test. */
  readonly startedThere: () => Promise<Fake>;
  /** Ends one before its test does. */
  readonly end: (fake: Fake) => Promise<void>;
  readonly state: (variant?: Omit<PfVariant, "kind">) => GatewayDesired;
  /** The states that most tests go between. */
  readonly from: GatewayDesired;
  readonly to: GatewayDesired;
  readonly planned: (way: ApiWay, desired: GatewayDesired, at?: At) => Promise<ChangeSet>;
  readonly applied: (
    way: ApiWay,
    desired: GatewayDesired,
    by?: { readonly within?: number; readonly at?: At },
  ) => Promise<Pending>;
  /** Applies and confirms; nothing is left to do then. */
  readonly reach: (fake: Fake, desired: GatewayDesired) => Promise<void>;
};

export function pfWalk<Fake extends Tried>(trial: PfTrial<Fake>): PfWalk<Fake> {
  const { kind, product } = trial;
  const running: Fake[] = [];
  afterEach(async () => {
    for (const fake of running.splice(0)) await fake.stop();
  });
  const usual: At = (way, desired) => kind.at(way, desired);
  const planned: PfWalk<Fake>["planned"] = async (way, desired, at = usual) => {
    const { items, revision } = await at(way, desired).observe();
    const changes = diff(items, kind.normalize(desired));
    return { device: desired.device, layer: "gateway", driver: product, base: revision, changes };
  };
  const applied: PfWalk<Fake>["applied"] = async (way, desired, { within = 60, at = usual } = {}) =>
    at(way, desired).apply(await planned(way, desired, at), seconds(within));
  const state: PfWalk<Fake>["state"] = (variant = {}) => pfState({ kind: product, ...variant });
  const from = state({ openings: web });
  const started: PfWalk<Fake>["started"] = async (starting = trial.start()) => {
    const fake = await starting;
    running.push(fake);
    return fake;
  };
  const reach: PfWalk<Fake>["reach"] = async (fake, desired) => {
    await (await applied(fake.way(), desired)).confirm();
    expect((await planned(fake.way(), desired)).changes).toEqual([]);
  };
  let left: Promise<object> | undefined;
  return {
    ...trial,
    planned,
    applied,
    state,
    started,
    reach,
    from,
    to: state({ openings: more, hosts: 3, policy: "{ between-hosts: open }" }),
    // One device is brought to `from`; the others are started with what that left, as after a restart, and are there too.
    async startedThere() {
      const fake = await started();
      left ??= started().then(async (first) => {
        await reach(first, from);
        return structuredClone(first.device.config);
      });
      Object.assign(fake.device.config, structuredClone(await left));
      await fake.reboot();
      expect((await planned(fake.way(), from)).changes).toEqual([]);
      return fake;
    },
    async end(fake) {
      running.splice(running.indexOf(fake), 1);
      await fake.stop();
    },
  };
}

export function keysOf({ changes }: ChangeSet): readonly string[] {
  return changes.map(keyOf);
}

/** What goes wrong on a device, and how often. */
export type Faulty<Fault extends string, Fake extends Tried> = {
  /** `after` judges what is of others, where they change it meanwhile. */
  readonly passing: readonly {
    readonly fault: Fault;
    readonly times?: number;
    readonly after?: (device: Fake["device"]) => void;
  }[];
  readonly staying: readonly (readonly [fault: Fault, times: number, error: RegExp])[];
};

export const forever: number = Number.POSITIVE_INFINITY;

/** What both drivers of firewalls keep, whatever goes wrong on the way. `wrong` is a way with a key that is none. */
export function pfSuite<Fake extends Tried>(
  walk: PfWalk<Fake>,
  faulty: Faulty<string, Fake>,
  wrong: { readonly way: (fake: Fake) => ApiWay; readonly error: string },
): void {
  faultTests(walk, faulty);
  accessTests(walk, wrong);
  deathTests(walk);
  undoTests(walk);
}

function faultTests<Fake extends Tried>(
  { kind, startedThere, planned, applied, foreignOf, stateOf, from, to }: PfWalk<Fake>,
  { passing, staying }: Faulty<string, Fake>,
): void {
  test("apply goes through each fault that passes, and the second plan is empty", async () => {
    await Promise.all(
      passing.map(async ({ fault, times = 1, after }) => {
        const fake = await startedThere();
        const foreign = foreignOf(fake.device);
        fake.device.faults.set(fault, times);
        await (await applied(fake.way(), to)).confirm();
        expect([fault, (await planned(fake.way(), to)).changes]).toEqual([fault, []]);
        expect([fault, fake.device.faults.is(fault)]).toEqual([fault, times === forever]);
        if (after === undefined) expect(foreignOf(fake.device)).toBe(foreign);
        else after(fake.device);
        expect(leftovers(fake.device)).toEqual([]);
      }),
    );
  }, 120_000);

  test("apply fails with one clear error at each fault that stays, and the device is as it was", async () => {
    await Promise.all(
      staying.map(async ([fault, times, error]) => {
        const fake = await startedThere();
        const way = fake.way();
        const set = await planned(way, to);
        const before = stateOf(fake.device);
        fake.device.faults.set(fault, times);
        await expect(kind.at(way, to).apply(set, seconds(60)), fault).rejects.toThrow(error);
        fake.device.faults.clear();
        expect(stateOf(fake.device), fault).toBe(before);
        expect((await planned(way, from)).changes, fault).toEqual([]);
      }),
    );
  }, 120_000);
}

function accessTests<Fake extends Tried>(
  { kind, started, stateOf, from }: PfWalk<Fake>,
  wrong: { readonly way: (fake: Fake) => ApiWay; readonly error: string },
): void {
  test("a wrong key is E552 at the first question, and a device that is not reached E503", async () => {
    const fake = await started();
    const before = stateOf(fake.device);
    const way = wrong.way(fake);
    await expect(kind.at(way, from).observe()).rejects.toThrow(wrong.error);
    expect(stateOf(fake.device)).toBe(before);
    await fake.stop();
    await expect(kind.at(way, from).observe()).rejects.toThrow("E503 Not reached");
  });
}

function deathTests<Fake extends Tried>({ kind, startedThere, end, planned, stateOf, from, to }: PfWalk<Fake>): void {
  /** What becomes of a device whose controller dies after so many steps. */
  async function die(after: number, within: number): Promise<string> {
    const fake = await startedThere();
    try {
      const before = stateOf(fake.device);
      const way = fake.way();
      const plan = await planned(way, to);
      fake.device.lifetime = after;
      const ended = await kind
        .at(way, to)
        .apply(plan, seconds(within))
        .then((pending) => pending.confirm())
        .then(
          () => "confirmed",
          () => "died",
        );
      fake.device.lifetime = forever;
      // The dead-man needs its time, and the device's PHP what it needs.
      const most = 60_000 + within * 1000;
      for (let waited = 0; waited < most && ended === "died" && stateOf(fake.device) !== before; waited += 250) {
        if (waited > 6000 + within * 1000 && (await planned(fake.way(), to)).changes.length === 0) break;
        await pause(250);
      }
      const old = stateOf(fake.device) === before;
      const done = !old && (await planned(fake.way(), to)).changes.length === 0;
      if (ended === "confirmed") expect(done).toBe(true);
      if (old || done) return old ? "old" : "new";
      return `between after ${after}, ${ended}: back ${keysOf(await planned(fake.way(), from)).join(", ")}`;
    } finally {
      await end(fake);
    }
  }

  test("a controller that dies after any step leaves the old or the new state, never what is between", async () => {
    const counting = await startedThere();
    const set = await planned(counting.way(), to);
    counting.device.lifetime = 10_000;
    const began = performance.now();
    await (await kind.at(counting.way(), to).apply(set, seconds(30))).confirm();
    // No step takes as long as all of them do: one that did would be caught by the dead-man with its write under way.
    const within = Math.max(2, Math.ceil((performance.now() - began) / 1000));
    const steps = 10_000 - counting.device.lifetime;
    expect(steps).toBeGreaterThan(30);
    const outcomes: string[] = [];
    // Eight at a time: most of it is waiting for a dead-man.
    const all = Array.from({ length: steps }, (_, i) => i).values();
    const some = async (): Promise<void> => {
      for (const after of all) outcomes.push(await die(after, within));
    };
    await Promise.all(Array.from({ length: 8 }, some));
    expect(outcomes.filter((each) => each.startsWith("between"))).toEqual([]);
    expect(outcomes.filter((each) => each === "old").length).toBeGreaterThan(steps / 2);
  }, 900_000);
}

function undoTests<Fake extends Tried>({
  kind,
  startedThere,
  reach,
  planned,
  applied,
  state,
  stateOf,
  to,
}: PfWalk<Fake>): void {
  test("where the device went back while a write was under way, what that wrote is taken back too", async () => {
    const fake = await startedThere();
    const before = stateOf(fake.device);
    fake.device.faults.set("stalled", 1);
    await expect(applied(fake.way(), to, { within: 2 })).rejects.toThrow(/E514 .*the device went back/);
    expect(stateOf(fake.device)).toBe(before);
    expect(leftovers(fake.device)).toEqual([]);
  }, 120_000);

  test("a restart before the confirmation takes the change back, one after it keeps it", async () => {
    const fake = await startedThere();
    const before = stateOf(fake.device);
    const pending = await applied(fake.way(), to);
    expect(stateOf(fake.device)).not.toBe(before);
    await fake.reboot();
    expect(stateOf(fake.device)).toBe(before);
    await expect(pending.confirm()).rejects.toThrow("E515 Nothing is left of the undo");
    expect(leftovers(fake.device)).toEqual([]);
    await reach(fake, to);
    const confirmed = stateOf(fake.device);
    await fake.reboot();
    expect(stateOf(fake.device)).toBe(confirmed);
    expect((await planned(fake.way(), to)).changes).toEqual([]);
  }, 60_000);

  test("a second apply waits for the first: E554, and nothing is written", async () => {
    const fake = await startedThere();
    const first = await applied(fake.way(), to);
    const during = stateOf(fake.device);
    await expect(applied(fake.way(), state({ hosts: 1 }))).rejects.toThrow("E554 Another change waits");
    expect(stateOf(fake.device)).toBe(during);
    await first.confirm();
  });

  test("openings come and go without a dead-man, and go back", async () => {
    const fake = await startedThere();
    const before = stateOf(fake.device);
    const opened = state({ openings: web.replace("[{", "[{ to: vm2/web, ports: [443], from: any }, {") });
    const set = await planned(fake.way(), opened);
    expect(set.changes.map((each) => (each.kind === "delete" ? each.before : each.after).lane)).toEqual(["members"]);
    const pending = await kind.at(fake.way(), opened).apply(set, seconds(60));
    expect(fake.device.kernel.tables.get("sgf_tcp_443")).toContain("2001:db8:10ff:1:32::80");
    expect(leftovers(fake.device)).toEqual([]);
    await pending.rollback();
    expect(stateOf(fake.device)).toBe(before);
  });
}
