import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fakePfSense } from "./index.ts";

// The fake answers what pfREST was asked as pfREST answered it: status and body, but for what is of the moment.

type Exchange = {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly status: number;
  readonly response: { readonly [key: string]: unknown };
};

const folder = join(import.meta.dirname, "../../fixtures/pfsense");
const exchanges = JSON.parse(readFileSync(join(folder, "pfrest-v2-exchanges.json"), "utf8")) as Exchange[];
const fake = await fakePfSense({
  config: readFileSync(join(folder, "pfsense-article-2vm.config.xml"), "utf8"),
  version: "24.5",
});
afterAll(() => fake.stop());

/** Moments, and what was drawn at random. */
const volatile = new Set(["tracker", "created_time", "updated_time", "uniqid"]);

function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      volatile.has(key) && Number(each) !== 1700000001 ? "…" : steady(each),
    ]),
  );
}

/** sixgate does not ask for it, so the fake has it not. */
const left = exchanges.filter(({ request }) => request.path.includes("/config_history/"));

test("the recording has what it had when the fake was written", () => {
  expect([exchanges.length, left.length]).toEqual([45, 1]);
});

test.each(
  exchanges
    .filter((each) => !left.includes(each))
    .map((each, i) => [i, each.request.method, each.request.path, each] as const),
)("the fake answers request %i as recorded: %s %s", async (_, method, path, { request, status, response }) => {
  // The last one was asked without a key that the device knows.
  const key = status === 401 ? "wrong" : fake.device.key;
  const answer = await fetch(`${fake.url}${path}`, {
    method,
    headers: { "x-api-key": key, ...(request.body === undefined ? {} : { "content-type": "application/json" }) },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  expect(steady(await answer.json())).toEqual(steady(response));
  expect(answer.status).toBe(status);
});

test("rules that are made within a second share their tracker, as recorded", () => {
  const trackers = exchanges
    .filter(({ request }) => request.path === "/api/v2/firewall/rule" && request.method === "POST")
    .flatMap(({ response }) => (response["data"] as { tracker?: number }).tracker ?? []);
  expect(new Set(trackers).size).toBe(1);
  expect(trackers.length).toBe(2);
});
