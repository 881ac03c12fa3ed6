import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { drivers, lanes } from "../../src/drivers/index.ts";
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
  // One value at a provider that undoes nothing by itself: src/drivers/hetzner/driver.test.ts.
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

test("lanes lead into gateways that there is a driver for", () => {
  expect(Object.keys(lanes).length).toBeGreaterThan(0);
  for (const kind of Object.keys(lanes)) expect(Object.keys(drivers.gateway)).toContain(kind);
});
