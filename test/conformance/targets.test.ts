import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drivers, lanes } from "../../src/drivers/index.ts";
import { opnsenseFaults, pfsenseFaults } from "../cli/pf-faults.ts";
import { robotFaults } from "../cli/robot-faults.ts";
import { against, filesOf } from "./drivers/against.ts";
import { pagePath } from "./drivers/page.ts";
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
  expect(Object.keys(against).toSorted()).toEqual(Object.keys(targets).toSorted());
  for (const [name, each] of Object.entries(against))
    for (const file of filesOf(name, each))
      expect([file, existsSync(join(import.meta.dirname, "../..", file))]).toEqual([file, true]);
});

test("lanes have a suite each, and both lanes of pf more, in the list of what their driver is judged against", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^lane-.*\.test\.ts$/.test(name));
  const lanesOf = (list: readonly string[]): readonly string[] =>
    list.flatMap((file) => /^test\/conformance\/(lane-.*)$/.exec(file)?.[1] ?? []);
  const suites = lanesOf(Object.values(against).flatMap(({ lanes: listed = [] }) => listed));
  const ofBoth = lanesOf(against["pfsense"]?.more ?? []);
  expect(lanesOf(against["opnsense"]?.more ?? [])).toEqual(ofBoth);
  expect([...suites, ...ofBoth].toSorted()).toEqual(files.toSorted());
});

test("docs/conformance-drivers.md tells of every driver, every case of the suite and every fault", () => {
  const page = readFileSync(pagePath, "utf8");
  const missing = [
    ...Object.keys(against).filter((name) => !page.includes(`| ${name} | `)),
    ...titlesIn("suite.ts").filter((title) => !page.includes(`| ${title.replace(/ state %i,/, " each state,")} |`)),
    ...titlesIn("lane-suite.ts").filter((title) => !page.includes(`| ${title} |`)),
    ...[...pfsenseFaults, ...opnsenseFaults, ...robotFaults].filter(
      ({ fault, ends }) => !page.includes(`| ${fault} | ${ends} |`),
    ),
  ];
  expect(missing, "run `npm run conformance -- drivers` as root").toEqual([]);
  expect(page).not.toContain("**failed**");
});

/** Titles of the tests that a file of this folder has. */
function titlesIn(file: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  return [...text.matchAll(/^ {2}(?:test(?:\.each\(.*\))?\(|const deadMan = )\s*"([^"]+)"/gm)].flatMap(
    ([, title]) => title ?? [],
  );
}

test("lanes lead into gateways that there is a driver for", () => {
  expect(Object.keys(lanes).length).toBeGreaterThan(0);
  for (const kind of Object.keys(lanes)) expect(Object.keys(drivers.gateway)).toContain(kind);
});
