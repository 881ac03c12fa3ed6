import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { seconds } from "../../src/base/time.ts";
import type { ChangeSet } from "../../src/change/change-set.ts";
import { diff } from "../../src/change/diff.ts";
import type { Desired } from "../../src/desired/desired.ts";
import type { Pending } from "../../src/drivers/driver.ts";
import type { Bench, Target } from "./bench.ts";

const long = seconds(60);
/** Of a change that nobody confirms; more where changes take their time. */
const shortest = 6;

/** What every driver has to do, told as one story on one device: the tests go on from each other. */
export async function judge<D extends Desired>(target: Target<D>): Promise<void> {
  const reason = await target.missing();
  if (reason !== undefined) {
    notRun(target.name, "the suite", reason);
    return;
  }
  describe(`driver ${target.name}`, () => story(target));
}

function story<D extends Desired>(target: Target<D>): void {
  let bench: Bench<D>;
  let foreign: string;
  /** Milliseconds that the slowest change took. */
  let slowest = 0;
  const applied = async (state: D): Promise<Pending> => {
    const set = await planned(bench, state);
    const began = performance.now();
    const pending = await bench.kind.at(bench.way, state).apply(set, long);
    slowest = Math.max(slowest, performance.now() - began);
    return pending;
  };
  beforeAll(async () => {
    bench = await target.open();
    foreign = await bench.foreign();
  }, 60_000);
  afterAll(async () => bench?.close());

  const [first, second] = [stateOf(target, 0), stateOf(target, 1)];

  test("finds nothing to say against the states", () => {
    for (const state of target.states) expect(bench.kind.audit(state)).toEqual([]);
  });

  test.each(target.states.map((_, i) => i))(
    "goes to state %i, and the second plan is empty",
    async (i) => {
      const state = stateOf(target, i);
      expect((await planned(bench, state)).changes).not.toEqual([]);
      await (await applied(state)).confirm();
      expect((await planned(bench, state)).changes).toEqual([]);
    },
    60_000,
  );

  test("goes back to the first state from the last", async () => {
    await (await applied(first)).confirm();
    expect((await planned(bench, first)).changes).toEqual([]);
  }, 60_000);

  test("reads the same twice, sorted or not, each key once", async () => {
    const { items, revision } = await bench.kind.at(bench.way, first).observe();
    const again = await bench.kind.at(bench.way, first).observe();
    expect(again.revision).toBe(revision);
    expect(diff(items, again.items)).toEqual([]);
  });

  test("refuses a plan made from an older state with E510, and changes nothing", async () => {
    const stale = await planned(bench, second);
    await bench.meddle();
    const before = await itemsOf(bench, first);
    await expect(bench.kind.at(bench.way, second).apply(stale, long)).rejects.toThrow("E510");
    expect(await itemsOf(bench, first)).toEqual(before);
  }, 60_000);

  test("sees what somebody else changed and takes it back", async () => {
    expect((await planned(bench, first)).changes).not.toEqual([]);
    await (await applied(first)).confirm();
    expect((await planned(bench, first)).changes).toEqual([]);
  }, 60_000);

  test("rejects a read that failed: unknown is not empty", async () => {
    const drivers = bench.blind(first);
    expect(drivers.length).toBeGreaterThan(0);
    for (const driver of drivers) await expect(driver.observe()).rejects.toThrow();
  }, 60_000);

  test("shows a change as done before it is confirmed, and goes back by a rollback", async () => {
    const before = await itemsOf(bench, first);
    const driver = bench.kind.at(bench.way, second);
    const pending = await driver.apply(await planned(bench, second), long);
    const [during] = await Promise.allSettled([driver.observe()]);
    await pending.rollback();
    if (during.status === "rejected") throw during.reason;
    expect(diff(during.value.items, bench.kind.normalize(second))).toEqual([]);
    expect(await itemsOf(bench, first)).toEqual(before);
    await expect(pending.confirm()).rejects.toThrow("E514");
  }, 60_000);

  test("says truly whether anybody undoes what is not confirmed", () => {
    expect(bench.kind.undo).toBe(target.noUndo === undefined ? "watchdog" : "none");
  });

  const deadMan = "goes back by itself when nobody confirms, and refuses the late confirm";
  if (target.noUndo !== undefined) notRun(target.name, deadMan, target.noUndo);
  else
    test(deadMan, async () => {
      const before = await itemsOf(bench, first);
      const set = await planned(bench, second);
      expect(set.changes).not.toEqual([]);
      const short = seconds(Math.max(shortest, Math.ceil((4 * slowest) / 1000)));
      const pending = await bench.kind.at(bench.way, second).apply(set, short);
      await pause(short * 1000);
      // The deadline is over: what is undone takes its time, on a busy machine more.
      const isBack = (): Promise<boolean> =>
        itemsOf(bench, first).then(
          (items) => isDeepStrictEqual(items, before),
          () => false,
        );
      for (let tries = 0; tries < 100 && !(await isBack()); tries++) await pause(250);
      expect(await itemsOf(bench, first)).toEqual(before);
      await expect(pending.confirm()).rejects.toThrow("E514");
      expect(await itemsOf(bench, first)).toEqual(before);
    }, 240_000);

  test("leaves alone what belongs to others", async () => {
    expect(await bench.foreign()).toBe(foreign);
  });
}

/** Told on the terminal, and in the title, from where `npm run conformance -- drivers` has it. */
export function notRun(name: string, title: string, reason: string): void {
  process.stderr.write(`conformance of ${name}: ${title} (not run: ${reason})\n`);
  test.skip(`${title} (not run: ${reason})`);
}

function stateOf<D extends Desired>(target: Target<D>, i: number): D {
  const state = target.states[i];
  if (state === undefined) throw new RangeError(`${target.name} has no state ${i}`);
  return state;
}

async function planned<D extends Desired>({ kind, way }: Bench<D>, state: D): Promise<ChangeSet> {
  const { items, revision } = await kind.at(way, state).observe();
  return {
    device: state.device,
    layer: state.layer,
    driver: state.driver,
    base: revision,
    changes: diff(items, kind.normalize(state)),
  };
}

async function itemsOf<D extends Desired>({ kind, way }: Bench<D>, state: D): Promise<readonly unknown[]> {
  const { items } = await kind.at(way, state).observe();
  return items.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
