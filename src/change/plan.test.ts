import { expect, test } from "vitest";
import type { DeviceName } from "../base/name.ts";
import type { Item } from "./item.ts";
import { formatPlan, type Plan, parsePlan } from "./plan.ts";

const route: Item = { key: "route ::/0", value: "via fe80::1 dev eth0", lane: "structure" };
const plan: Plan = {
  format: "sixgate.plan/1",
  fleet: "home",
  ledger: "sha256:00",
  sets: [
    {
      device: "fw" as DeviceName,
      layer: "guest",
      driver: "networkd",
      base: "17",
      changes: [
        { kind: "update", before: { ...route, value: "unreachable" }, after: route },
        { kind: "delete", before: { key: "sysctl a", value: { x: [1, null, true] }, lane: "structure" } },
      ],
    },
  ],
};

function errorsOf(text: string): readonly string[] {
  const parsed = parsePlan(text, "plan.json");
  return parsed.ok ? [] : parsed.errors.map(({ code }) => code);
}

test("parsePlan reads what formatPlan wrote", () => {
  expect(parsePlan(formatPlan(plan), "plan.json")).toEqual({ ok: true, value: plan, warnings: [] });
});

test("formatPlan gives the same bytes for the same plan, whatever the order of its keys", () => {
  const { format, fleet, ledger, sets } = plan;
  expect(formatPlan({ sets, ledger, fleet, format })).toBe(formatPlan(plan));
});

test("parsePlan ignores keys that it does not know", () => {
  expect(errorsOf(JSON.stringify({ ...plan, madeAt: 1 }))).toEqual([]);
});

test.each([
  ['{"format":"sixgate.plan/2"}', "E660"],
  ["{}", "E660"],
  ["[]", "E661"],
  ["null", "E661"],
  ["{", "E661"],
  ["", "E661"],
  [JSON.stringify({ ...plan, fleet: 1 }), "E661"],
  [JSON.stringify({ ...plan, sets: {} }), "E661"],
  [JSON.stringify({ ...plan, sets: [{ ...plan.sets[0], device: "a; reboot" }] }), "E661"],
  [JSON.stringify({ ...plan, sets: [{ ...plan.sets[0], layer: "roof" }] }), "E661"],
  [JSON.stringify({ ...plan, sets: [{ ...plan.sets[0], changes: [{ kind: "replace", after: route }] }] }), "E661"],
  [
    JSON.stringify({
      ...plan,
      sets: [{ ...plan.sets[0], changes: [{ kind: "create", after: { key: "a", lane: "structure" } }] }],
    }),
    "E661",
  ],
  [JSON.stringify({ ...plan, sets: [{ ...plan.sets[0], changes: plan.sets[0]?.changes.toReversed() }] }), "E661"],
])("parsePlan refuses %s with %s", (text, code) => {
  expect(errorsOf(text)).toEqual([code]);
});
