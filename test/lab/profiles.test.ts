import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { derive } from "../../src/desired/derive.ts";
import { planDevice } from "../../src/drivers/plan-device.ts";
import { cacheFolder } from "../../src/lab/cache.ts";
import { builtEngineRoot } from "../../src/lab/engine-root.ts";
import { askTruth, truthTable } from "../../src/lab/truth.ts";
import { bringUp, isRoot, type LabUnderTest } from "./harness.ts";

// Profiles P2 and P3 need Docker 27 or later, which Debian 12 and 13 do not have: with an engine root that
// `sixgate lab up --engine 28.5` made.
const engine = isRoot ? await builtEngineRoot("28.5", cacheFolder()) : undefined;
if (engine === undefined)
  console.log("skipped: no engine root of Docker 28.5 (`sixgate lab up --engine 28.5` makes one)");

for (const profile of ["gateway-only", "routed", "two-gates"]) {
  describe.skipIf(engine === undefined)(`lab with Docker 28.5, profile ${profile}`, () => {
    let lab: LabUnderTest;
    beforeAll(async () => {
      const edit = (text: string): string =>
        text.replaceAll('engine: "20.10"', 'engine: "28.5"').replaceAll("profile: gateway-only", `profile: ${profile}`);
      lab = await bringUp({
        name: `test-${profile}`,
        file: "examples/lab.yaml",
        containers: "docker",
        edit,
        ...(engine === undefined ? {} : { engine }),
      });
    });
    afterAll(() => lab?.down());

    test("every row of the truth table is as the fleet file says, and no device drifted", async () => {
      const verdicts = await askTruth(truthTable(lab.fleet, lab.wish.plan, lab.running, lab.nodes));
      const failed = verdicts.filter((verdict) => !verdict.passed);
      expect(
        failed.map(({ row, answer }) => `${row.from} → ${row.to} ${row.what}: ${answer.state} ${answer.reason}`),
      ).toEqual([]);
      expect(verdicts.filter(({ answer }) => answer.state === "open").length).toBeGreaterThan(6);
      for (const desired of derive(lab.fleet, lab.wish.plan)) {
        expect((await planDevice(lab.shell(desired.device), desired)).set.changes).toEqual([]);
      }
    });
  });
}
