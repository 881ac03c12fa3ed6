import { expect, test } from "vitest";
import { type ManualClock, manualClock } from "../../test/manual-clock.ts";
import { idOf, report, vm1, vm2 } from "../../test/openings-rig.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { Intake } from "./intake.ts";

/** Each report costs so many milliseconds of work. */
function bench(cost: number): { clock: ManualClock; intake: Intake; seen: string[] } {
  const clock = manualClock();
  let spent = 0;
  const seen: string[] = [];
  const told = (host: HostName, what: string): void => {
    seen.push(`${host} ${what}`);
    spent += cost;
  };
  const intake = new Intake(
    {
      snapshot: (host, reports) => told(host, `all ${reports.map(({ name }) => name).join(",")}`),
      delta: (host, put, gone) =>
        told(
          host,
          [...gone.map((id) => `-${Number.parseInt(id, 16)}`), ...put.map(({ name }) => `+${name}`)].join(" "),
        ),
    },
    { ...clock, steady: () => clock.steady() + spent },
  );
  return { clock, intake, seen };
}

const received = { at: instant(0) };

test("Intake hands on at once what costs little", () => {
  const { intake, seen } = bench(1);
  for (let n = 0; n < 100; n++) intake.delta(vm1, [report(n, {})], [], received);
  expect(seen).toHaveLength(100);
});

test("Intake makes a host wait that costs much, and no other", async () => {
  const { clock, intake, seen } = bench(100);
  for (let n = 0; n < 1000; n++) intake.delta(vm1, [report(n % 3, {})], [], received);
  expect(seen.length).toBeLessThan(10);
  intake.delta(vm2, [report(1, {})], [], received);
  expect(seen.at(-1)).toBe("vm2 +c1");
  await clock.pass(20_000);
  expect(seen.filter((each) => each.startsWith("vm1")).length).toBeLessThan(12);
  expect(seen.slice(-3).toSorted()).toEqual(["vm1 +c0", "vm1 +c1", "vm1 +c2"]);
});

test("Intake keeps the last of each container, and that it was gone in between", async () => {
  const { clock, intake, seen } = bench(600);
  intake.delta(vm1, [report(9, {})], [], received);
  intake.delta(vm1, [report(1, {}), report(2, {})], [], received);
  intake.delta(vm1, [], [idOf(1)], received);
  intake.delta(vm1, [report(1, {})], [idOf(2)], received);
  seen.length = 0;
  await clock.pass(60_000);
  // What is gone goes first within a report, as it does in one that is handed on at once.
  expect(seen).toEqual(["vm1 -2", "vm1 -1 +c1"]);
});

test("Intake takes a snapshot for all that waited before, and adds what comes after", async () => {
  const { clock, intake, seen } = bench(600);
  intake.delta(vm1, [report(9, {})], [], received);
  intake.delta(vm1, [report(8, {})], [], received);
  intake.snapshot(vm1, [report(1, {}), report(2, {})], received);
  intake.delta(vm1, [report(3, {})], [idOf(1)], received);
  seen.length = 0;
  await clock.pass(60_000);
  expect(seen).toEqual(["vm1 all c2,c3"]);
});
