import { expect, test } from "vitest";
import { type Stand, withApi } from "../../../test/web/bench.ts";
import { Failure } from "../../base/failure.ts";
import type { PlanAnswer } from "./schema.ts";

const post = async (stand: Stand, path: string, body: object = {}): Promise<PlanAnswer> =>
  (await stand.json(path, { method: "POST", body })) as unknown as PlanAnswer;
const refused = async (stand: Stand, path: string, body: object = {}): Promise<readonly [number, string]> => {
  const { status, text } = await stand.ask(path, { method: "POST", body });
  return [status, (JSON.parse(text) as { errors: { code: string }[] }).errors[0]?.code ?? ""];
};
const state = async (stand: Stand): Promise<PlanAnswer> => (await stand.json("/api/v1/plan")) as unknown as PlanAnswer;

async function ended(stand: Stand): Promise<PlanAnswer> {
  for (let tries = 0; tries < 1000; tries++) {
    const found = await state(stand);
    if (found.run?.state !== "running") return found;
  }
  throw new Error("The apply does not end");
}

test("a plan that was seen is applied device by device, and stands in the journal with its reason", async () => {
  await withApi(async (stand) => {
    expect((await state(stand)).plan).toBeUndefined();
    const { plan } = await post(stand, "/api/v1/plan");
    expect(plan).toMatchObject({ add: 2, stops: [] });
    await post(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "a new host" });
    const done = await ended(stand);
    expect(done.run).toMatchObject({ state: "applied", by: "admin", reason: "a new host" });
    expect(done.run?.steps.map((step) => step.state)).toEqual(["confirmed", "confirmed"]);
    expect(done.plan).toBeUndefined();
    expect(stand.planner.applied).toEqual(["fw", "vm1"]);
    expect(stand.controller.journalEntries.map(({ what }) => what)).toEqual(["apply begun", "applied"]);
  });
});

test("nothing is applied but the plan that was made last", async () => {
  await withApi(async (stand) => {
    expect(await refused(stand, "/api/v1/plan/apply", { hash: "0".repeat(64), reason: "x" })).toEqual([409, "E986"]);
    const { plan } = await post(stand, "/api/v1/plan");
    stand.planner.devices = stand.planner.devices.slice(1);
    await post(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "x" });
    const done = await ended(stand);
    expect(done.run).toMatchObject({ state: "failed", error: { code: "E986" } });
    expect(stand.planner.applied).toEqual([]);
  });
});

test("a controller without the right applies nothing, whoever asks, and says what does", async () => {
  await withApi(async (stand) => {
    stand.planner.mayApply = false;
    const { plan, mayApply, command } = await post(stand, "/api/v1/plan");
    expect([mayApply, command]).toEqual([false, "sixgate apply -f fleet.yaml"]);
    expect(await refused(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "x" })).toEqual([403, "E987"]);
    expect(stand.controller.journalEntries).toEqual([]);
  });
});

test("a plan that the guard or a test stops is not applied", async () => {
  await withApi(async (stand) => {
    stand.planner.stops = [{ code: "E601", severity: "error", at: "fw", text: "Cuts the way in", fix: "don't" }];
    const { plan } = await post(stand, "/api/v1/plan");
    expect(await refused(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "x" })).toEqual([409, "E986"]);
    expect(stand.planner.applied).toEqual([]);
  });
});

test("a device that asks waits for a person; one apply at a time", async () => {
  await withApi(async (stand) => {
    expect(await refused(stand, "/api/v1/plan/confirm")).toEqual([409, "E989"]);
    const { plan } = await post(stand, "/api/v1/plan");
    const wish = { hash: plan?.hash, reason: "x", asks: true };
    await post(stand, "/api/v1/plan/apply", wish);
    const waits = await state(stand);
    expect(waits.run?.steps[0]).toMatchObject({ state: "applying", asks: true });
    expect((waits.run?.steps[0]?.deadline ?? 0) - (waits.run?.began ?? 0)).toBeGreaterThanOrEqual(59_000);
    expect(await refused(stand, "/api/v1/plan/apply", wish)).toEqual([409, "E988"]);
    await post(stand, "/api/v1/plan/confirm");
    expect(stand.planner.applied).toEqual(["fw"]);
    await post(stand, "/api/v1/plan/undo");
    const done = await ended(stand);
    expect(done.run).toMatchObject({ state: "failed", error: { code: "E990", text: "Taken back by admin" } });
    expect(done.run?.steps.map((step) => step.state)).toEqual(["confirmed", "failed"]);
  });
});

test("an apply that fails says where, and what stays", async () => {
  await withApi(async (stand) => {
    stand.planner.fails = new Failure("E512", "vm1 guest", "Not as planned after the change", "look");
    const { plan } = await post(stand, "/api/v1/plan");
    await post(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "x" });
    const done = await ended(stand);
    expect(done.run).toMatchObject({ state: "failed", error: { code: "E512", at: "vm1 guest" } });
    expect(done.run?.steps.map((step) => step.state)).toEqual(["confirmed", "failed"]);
    expect(stand.controller.journalEntries.map(({ what }) => what)).toEqual(["apply begun", "apply failed"]);
  });
});

test("listeners hear how an apply goes", async () => {
  await withApi(async (stand) => {
    const { plan } = await post(stand, "/api/v1/plan");
    await post(stand, "/api/v1/plan/apply", { hash: plan?.hash, reason: "x" });
    await ended(stand);
    expect((await stand.ask("/api/v1/events?kinds=plan", { hangUp: true })).status).toBe(200);
  });
});
