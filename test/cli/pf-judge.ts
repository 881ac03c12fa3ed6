import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Faults } from "../fakes/faults.ts";
import { fine, type Struck } from "./pf-faults.ts";
import type { Rig } from "./rig.ts";

type Device<Fault extends string> = { readonly faults: Faults<Fault>; lifetime: number };
type Judged<Fault extends string, D> = {
  readonly product: string;
  readonly faults: readonly Struck<Fault>[];
  readonly bench: (work: (rig: Rig<{ readonly device: D }>) => Promise<void>) => Promise<void>;
  readonly stateOf: (device: D) => string;
  /** Files of ours on the device. */
  readonly leftovers: (device: D) => readonly string[];
  /** Somebody changes a rule of ours. */
  readonly meddle: (device: D) => void;
};

const ports = "www, ports: [80, 443, 443/udp, ping]";
const other = "www, ports: [80, 443, 8443, ping]";

/**
 * Each fault alone, through the command line as a process, on one device after the other: what was planned is in force, or
 * nothing of it.
 */
export function judgeFaults<Fault extends string, D extends Device<Fault>>(judged: Judged<Fault, D>): void {
  const { product, faults, stateOf, leftovers, meddle } = judged;
  let rig: Rig<{ readonly device: D }>;
  let close: () => Promise<void>;
  // The fleet file asks for the one or the other; the device has what was asked last.
  let changed = false;
  const toggle = (): void => {
    rig.edit(changed ? other : ports, changed ? ports : other);
    changed = !changed;
  };
  const errorsOf = async (words: readonly string[]): Promise<readonly string[]> => {
    const said = await rig.call(["--json", ...words]);
    expect(said.code).toBe(1);
    return (JSON.parse(said.out) as { errors: readonly { code: string }[] }).errors.map(({ code }) => code);
  };

  beforeAll(async () => {
    [rig, close] = await opened(judged.bench);
    expect((await rig.call(["apply", "--yes"])).code).toBe(0);
  }, 300_000);
  afterAll(() => close());

  test.each(faults)(
    `${product} fault $fault: apply $ends`,
    async ({ fault, times, ends }) => {
      const { device } = rig.fake;
      const before = stateOf(device);
      toggle();
      device.faults.set(fault, times);
      if (ends === fine) {
        const said = await rig.call(["apply", "--yes"]);
        device.faults.clear();
        expect([fault, said.err]).toEqual([fault, expect.stringMatching(/changes?, confirmed/)]);
        expect((await rig.call(["plan", "--detailed-exitcode"])).code).toBe(0);
      } else {
        const errors = await errorsOf(["apply", "--yes"]);
        device.faults.clear();
        expect([fault, errors]).toEqual([fault, [ends]]);
        expect(stateOf(device)).toBe(before);
        toggle();
      }
      expect(leftovers(device)).toEqual([]);
    },
    200_000,
  );

  test(`${product}: a change that is cut off half-way goes back by itself, told in one error`, async () => {
    const { device } = rig.fake;
    const before = stateOf(device);
    toggle();
    // Past the arming, before the last write.
    device.lifetime = 16;
    expect(await errorsOf(["apply", "--yes", "--confirm-within", "5"])).toHaveLength(1);
    device.lifetime = Number.POSITIVE_INFINITY;
    // The dead-man needs its seconds, and slow machines more.
    // What tells of the undo stays; while its script is there it runs, and the next plan is refused (E554).
    const waits = (): readonly string[] => leftovers(device).filter((each) => /^conf.sixgate.*\.sh$/.test(each));
    const isBack = (): boolean => stateOf(device) === before && waits().length === 0;
    for (let waited = 0; waited < 120 && !isBack(); waited++) await pause(500);
    expect(stateOf(device)).toBe(before);
    expect(waits()).toEqual([]);
    toggle();
  }, 200_000);

  test(`${product}: what somebody changed since the plan refuses it with E510, and the device is left as it was`, async () => {
    toggle();
    expect((await rig.call(["plan", "-o", "plan.json"])).code).toBe(0);
    meddle(rig.fake.device);
    const before = stateOf(rig.fake.device);
    expect(await errorsOf(["apply", "plan.json", "--yes"])).toEqual(["E510"]);
    expect(stateOf(rig.fake.device)).toBe(before);
  }, 200_000);
}

/** The bench as a thing that is closed later. */
async function opened<Fault extends string, D>(
  bench: Judged<Fault, D>["bench"],
): Promise<readonly [rig: Rig<{ readonly device: D }>, close: () => Promise<void>]> {
  const { promise: closed, resolve: end } = Promise.withResolvers<void>();
  const { promise, resolve, reject } = Promise.withResolvers<Rig<{ readonly device: D }>>();
  const ended = bench(async (rig) => {
    resolve(rig);
    await closed;
  });
  ended.catch(reject);
  return [
    await promise,
    () => {
      end();
      return ended;
    },
  ];
}
