import { afterEach, expect, test } from "vitest";
import { pfState, web } from "../../../test/conformance/pf-states.ts";
import { startOpnSense } from "../../../test/conformance/target-opnsense.ts";
import type { FakeOpnSense } from "../../../test/fakes/opnsense/index.ts";
import { inspectOpnSense } from "./inspect.ts";

const running: FakeOpnSense[] = [];
afterEach(async () => {
  for (const fake of running.splice(0)) await fake.stop();
});

const desired = pfState({ kind: "opnsense", openings: web });

async function found(fake: FakeOpnSense, shell = true): Promise<string[]> {
  const all = await inspectOpnSense(fake.way({ shell }), desired, Date.now());
  return all.map((each) => `${each.code ?? (each.note === true ? "note" : "fine")} ${each.what}: ${each.found}`);
}

async function start(version?: string): Promise<FakeOpnSense> {
  const fake = await startOpnSense(version);
  running.push(fake);
  return fake;
}

test("inspectOpnSense finds nothing to say of a device that is fine", async () => {
  expect(await found(await start())).toEqual([
    "fine OPNsense: 26.7.2",
    "fine rights of the key: may read all that is read; a right to write is only told by a write (E553)",
    expect.stringMatching(/^fine clock: \d+ s from ours$/),
    expect.stringMatching(/^fine table entries: 400000 at most; \d+ planned, \d+ besides$/),
    "fine states: 0 of 400000",
  ]);
});

test("inspectOpnSense asks the API for room where there is no shell, and it may refuse", async () => {
  const fake = await start();
  expect((await found(fake, false)).at(-1)).toMatch(/^fine table entries: 1000000 at most/);
  fake.device.denied.add("/firewall/alias/getTableSize").add("/firewall/alias_util/aliases");
  expect((await found(fake, false)).filter((each) => !each.startsWith("fine"))).toEqual([
    "E610 rights of the key: 1 missing: /firewall/alias_util/aliases",
    "note room in pf: not told",
  ]);
});

test("inspectOpnSense says what a version's API lacks of this plan", async () => {
  const old = await found(await start("24.7.12"), false);
  expect(old.filter((each) => !each.startsWith("fine"))).toEqual([
    "E609 ping openings: not by this version's API: a rule would let all of ICMPv6 in",
    "E609 kernel settings: not by this version's API, and there is no exec",
    "note loaded rules: this version's API does not tell them, and there is no exec",
  ]);
  expect((await found(await start("27.1")))[0]).toMatch(/^note OPNsense: 27\.1, newer than 26\.7/);
});
