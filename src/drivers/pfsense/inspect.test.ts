import { afterEach, beforeEach, expect, test } from "vitest";
import { pfState, web } from "../../../test/conformance/pf-states.ts";
import { startArticle } from "../../../test/conformance/target-pfsense.ts";
import { stateOf } from "../../../test/fakes/pfsense/device.ts";
import type { FakePfSense } from "../../../test/fakes/pfsense/index.ts";
import { inspectPfSense } from "./inspect.ts";

let fake: FakePfSense;
beforeEach(async () => {
  fake = await startArticle();
});
afterEach(() => fake.stop());

const desired = pfState({ kind: "pfsense", openings: web });

async function found(by: Parameters<FakePfSense["way"]>[0] = {}, now: number = Date.now()): Promise<string[]> {
  const all = await inspectPfSense(fake.way(by), desired, now);
  return all.map((each) => `${each.code ?? (each.note === true ? "note" : "fine")} ${each.what}: ${each.found}`);
}

test("inspectPfSense finds nothing to say of a device that is fine, and writes nothing", async () => {
  const before = stateOf(fake.device);
  expect(await found()).toEqual([
    "fine pfSense: 2.8.1-RELEASE",
    "fine REST API package: v2.10.0",
    "fine rights of the key: may read all that is read; a right to write is only told by a write (E553)",
    expect.stringMatching(/^fine clock: \d+ s from ours$/),
    expect.stringMatching(/^fine table entries: 400000 at most; \d+ planned, \d+ besides$/),
    "fine states: 0 of 400000",
  ]);
  expect(stateOf(fake.device)).toBe(before);
  expect(fake.device.log.filter((each) => /^(POST|PATCH|DELETE|PUT|write)/.test(each))).toEqual([]);
});

test("inspectPfSense names each right that is missing, an old package, a clock that is off, and what is full", async () => {
  fake.device.denied.add("/firewall/rules").add("/routing/apply");
  fake.device.packageVersion = "v2.3.4";
  fake.device.kernel.limits = { states: 10, entries: 20 };
  fake.device.kernel.states = Array.from({ length: 9 }, (_, i) => ({
    id: `${i}`,
    protocol: "tcp",
    from: "2001:db8:f::1",
    to: "2001:db8:f::2",
    port: 443,
  }));
  expect(await found({}, Date.now() - 3_600_000)).toEqual([
    "fine pfSense: 2.8.1-RELEASE",
    "E608 REST API package: v2.3.4",
    "E610 rights of the key: 2 missing: GET /firewall/rules, GET /routing/apply",
    expect.stringMatching(/^E611 clock: 3[56]\d\d s from ours$/),
    expect.stringMatching(/^E612 table entries: 20 at most/),
    "E613 states: 9 of 10",
  ]);
});

test("inspectPfSense says what it may not ask, and what only a shell tells", async () => {
  fake.device.denied.add("/system/version").add("/system/restapi/version");
  const all = await found({ shell: false });
  expect(all.filter((each) => each.startsWith("note"))).toEqual([
    "note pfSense: may not be asked",
    "note REST API package: there; its version may not be asked (GET /system/restapi/version)",
    "note room in pf: not read: it needs exec",
  ]);
});

test("inspectPfSense rejects for a device without the package, and for a wrong key", async () => {
  await expect(found({ key: "wrong" })).rejects.toThrow("E552");
  fake.device.faults.set("no-package", Number.POSITIVE_INFINITY);
  await expect(found()).rejects.toThrow("E560");
});
