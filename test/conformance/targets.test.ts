import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drivers, lanes } from "../../src/drivers/index.ts";
import { against } from "./drivers/against.ts";
import { targets } from "./targets.ts";

test("targets have a test file each, and no test file judges anybody else", () => {
  const files = readdirSync(import.meta.dirname).filter(
    (name) => name.endsWith(".test.ts") && !/^(?:targets|watchdog-systemd|planned-rules|lane-.*)\./.test(name),
  );
  expect(files).toEqual(
    Object.keys(targets)
      .map((name) => `${name}.test.ts`)
      .toSorted(),
  );
});

test("targets judge every driver that a fleet file can name", () => {
  const judged = new Set(
    Object.values(targets).flatMap(({ states }) => states.map(({ layer, driver }) => `${layer} ${driver}`)),
  );
  // One value, nobody else's beside it, and nobody who would undo it: the suite's story can't be told of it. What of it can
  // is in src/drivers/hetzner/driver.test.ts: state to state, a stale plan, a read that fails, and the way back.
  judged.add("provider hetzner");
  const named = Object.entries(drivers).flatMap(([layer, kinds]) =>
    Object.keys(kinds).map((name) => `${layer} ${name}`),
  );
  for (const each of named) expect(judged).toContain(each);
});

test("targets have states that differ from their neighbours", () => {
  for (const { states } of Object.values(targets)) {
    expect(states.length).toBeGreaterThan(1);
    for (const [i, state] of states.entries()) if (i > 0) expect(state).not.toEqual(states[i - 1]);
  }
});

test("targets are all told of in the list of what they are judged against, with files that are there", () => {
  // Robot has tests of its own.
  expect(Object.keys(against).toSorted()).toEqual([...Object.keys(targets), "hetzner"].toSorted());
  for (const { files } of Object.values(against))
    for (const file of files)
      expect([file, existsSync(join(import.meta.dirname, "../..", file))]).toEqual([file, true]);
});

test("lanes lead into gateways that there is a driver for", () => {
  expect(Object.keys(lanes).length).toBeGreaterThan(0);
  for (const kind of Object.keys(lanes)) expect(Object.keys(drivers.gateway)).toContain(kind);
});
