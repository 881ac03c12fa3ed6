import { expect, test } from "vitest";
import { type Asking, type Stand, withApi } from "../../test/web/bench.ts";
import { FakePlanner } from "../../test/web/fake-planner.ts";
import { opening } from "../../test/web/views.ts";
import { type Role, roles } from "./role.ts";
import { routes } from "./routes.ts";

type Who = Role | "nobody";
type Row = {
  /** The least who may. */
  readonly least: Who;
  /** Makes a request that gets through when it is allowed. */
  readonly ask: (stand: Stand) => Asking & { readonly path?: string };
  /** What has to be so before. */
  readonly before?: (stand: Stand) => Promise<unknown>;
};

const { hash: plannedHash } = await new FakePlanner().plan();
const planned = (stand: Stand): Promise<unknown> => stand.ask("/api/v1/plan", { method: "POST", body: {} });
const waiting = async (stand: Stand): Promise<void> => {
  await planned(stand);
  const { hash: seen } = await stand.planner.plan();
  await stand.ask("/api/v1/plan/apply", { method: "POST", body: { hash: seen, reason: "test", asks: true } });
};

/** One row a route. A route without a row fails the first test: nobody forgets to say who may. */
const table: Readonly<Record<string, Row>> = {
  "GET /healthz": { least: "nobody", ask: () => ({}) },
  "GET /metrics": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/status": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/events": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/openings": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/openings/{id}": { least: "viewer", ask: () => ({ path: "/api/v1/openings/known" }) },
  "POST /api/v1/openings": {
    least: "operator",
    ask: () => ({ body: { to: "vm1/web", services: ["443"], from: ["any"], seconds: 60, reason: "test" } }),
  },
  "POST /api/v1/openings/{id}/close": {
    least: "operator",
    ask: () => ({ path: "/api/v1/openings/known/close", body: { reason: "test" } }),
  },
  "GET /api/v1/traffic": { least: "viewer", ask: () => ({ path: "/api/v1/traffic?ids=known" }) },
  "POST /api/v1/probes": {
    least: "operator",
    ask: () => ({
      body: {
        from: "internet",
        answers: [
          {
            to: "2001:db8:1234:321d:23::80",
            transport: "tcp",
            port: 443,
            state: "open",
            reason: "syn-ack",
            ms: 1,
          },
        ],
      },
    }),
  },
  "GET /api/v1/probes": { least: "viewer", ask: () => ({ path: "/api/v1/probes?ids=known" }) },
  "GET /api/v1/why": { least: "viewer", ask: () => ({ path: "/api/v1/why?to=vm1/web:443" }) },
  "GET /api/v1/topology": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/denied": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/addresses": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/addresses/{host}": { least: "viewer", ask: () => ({ path: "/api/v1/addresses/vm1" }) },
  "GET /api/v1/who": { least: "viewer", ask: () => ({ path: "/api/v1/who?address=2001:db8::1" }) },
  "GET /api/v1/review": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/matrix": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/plan": { least: "viewer", ask: () => ({}) },
  "POST /api/v1/plan": { least: "operator", ask: () => ({ body: {} }) },
  "POST /api/v1/plan/apply": {
    least: "admin",
    ask: () => ({ body: { hash: plannedHash, reason: "test" } }),
    before: planned,
  },
  "POST /api/v1/plan/confirm": { least: "admin", ask: () => ({ body: {} }), before: waiting },
  "POST /api/v1/plan/undo": { least: "admin", ask: () => ({ body: {} }), before: waiting },
  "GET /api/v1/refusals": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/suggestions": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/agents": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/hosts/{host}/containers": { least: "viewer", ask: () => ({ path: "/api/v1/hosts/vm1/containers" }) },
  "POST /api/v1/agents/{host}/invite": { least: "admin", ask: () => ({ path: "/api/v1/agents/vm1/invite", body: {} }) },
  "POST /api/v1/agents/{host}/revoke": {
    least: "admin",
    ask: () => ({ path: "/api/v1/agents/vm1/revoke", body: { reason: "test" } }),
  },
  "GET /api/v1/journal": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/journal/verify": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/journal/export": { least: "viewer", ask: () => ({}) },
  "GET /api/v1/tokens": { least: "admin", ask: () => ({}) },
  "POST /api/v1/tokens": { least: "admin", ask: () => ({ body: { name: "robot", role: "viewer" } }) },
  "POST /api/v1/tokens/{name}/revoke": { least: "admin", ask: () => ({ path: "/api/v1/tokens/old/revoke", body: {} }) },
  "POST /api/v1/session": { least: "nobody", ask: (stand) => ({ body: { token: stand.admin } }) },
  "GET /api/v1/session": { least: "viewer", ask: () => ({}) },
  "POST /api/v1/session/end": { least: "viewer", ask: () => ({ body: {} }) },
  "POST /api/v1/session/code": { least: "viewer", ask: () => ({ body: {} }) },
  "GET /api/v1/openapi.json": { least: "viewer", ask: () => ({}) },
};

const everyone: readonly Who[] = ["nobody", ...roles];
const nameOf = (route: (typeof routes)[number]): string => `${route.method.toUpperCase()} ${route.path}`;

test("routes have a row each in the table of who may, and the table has no other", () => {
  expect(Object.keys(table).sort()).toEqual(routes.map(nameOf).sort());
});

test("routes change something by POST only", () => {
  expect(
    routes.filter((route) => route.method === "get" && route.role !== "anyone" && route.role !== "viewer").map(nameOf),
  ).toEqual(["GET /api/v1/tokens"]);
});

function prepare(stand: Stand): Promise<unknown> {
  stand.controller.scene.openings.set("vm1", [opening("known", { askedBy: { kind: "person", name: "x", text: "" } })]);
  return stand.ask("/api/v1/tokens", { method: "POST", body: { name: "old", role: "viewer" } });
}

test.each(routes.map((route) => [nameOf(route), route] as const))("%s lets in exactly who may", async (name, route) => {
  const row = table[name];
  if (row === undefined) throw new Error(`No row for ${name}`);
  await withApi(async (stand) => {
    for (const who of everyone) {
      await prepare(stand);
      await row.before?.(stand);
      const before = stand.controller.journalEntries.length;
      const token = who === "nobody" ? undefined : await stand.tokenOf(who);
      const noted = stand.controller.journalEntries.length;
      const { path = route.path, ...asking } = row.ask(stand);
      const said = await stand.ask(path, { method: route.method.toUpperCase(), token, hangUp: true, ...asking });
      const may = everyone.indexOf(who) >= everyone.indexOf(row.least);
      expect({ who, status: said.status }).toEqual({ who, status: may ? 200 : who === "nobody" ? 401 : 403 });
      if (!may) expect(stand.controller.journalEntries.length).toBe(noted);
      expect(noted).toBeGreaterThanOrEqual(before);
    }
  });
});

test.each(routes.filter((route) => route.role !== "anyone").map((route) => [nameOf(route), route] as const))(
  "%s refuses tokens that are wrong, cut, revoked or have ended",
  async (name, route) => {
    await withApi(async (stand) => {
      await prepare(stand);
      const admin = await stand.tokenOf("admin");
      await stand.json("/api/v1/tokens/t1-admin/revoke", { method: "POST", body: {} });
      const made = await stand.json("/api/v1/tokens", {
        method: "POST",
        body: { name: "short", role: "admin", seconds: 60 },
      });
      stand.later(61_000);
      const { path = route.path, ...asking } = table[name]?.ask(stand) ?? {};
      const wrong = [
        admin,
        String(made["token"]),
        stand.admin.slice(0, -1),
        `${stand.admin.slice(0, -1)}${stand.admin.endsWith("A") ? "B" : "A"}`,
        stand.admin.replace("sgt.admin", "sgt.short"),
        "",
        "null",
      ];
      for (const token of wrong) {
        const said = await stand.ask(path, { method: route.method.toUpperCase(), token, hangUp: true, ...asking });
        expect({ token, status: said.status }).toEqual({ token, status: 401 });
      }
    });
  },
);

test.each([
  ["GET", "/index.html"],
  ["GET", "/assets/"],
  ["GET", "/assets/none.js"],
  ["GET", "/assets/%2e%2e/index.html"],
  ["POST", "/"],
  ["GET", "/api"],
  ["GET", "/api/v1"],
  ["GET", "/api/v1/status/"],
  ["GET", "//api/v1/status"],
  ["GET", "/API/v1/status"],
  ["GET", "/api/v1/%73tatus"],
  ["GET", "/healthz/"],
  ["GET", "/healthz/../api/v1/status"],
  ["POST", "/healthz"],
  ["HEAD", "/healthz"],
  ["GET", "/api/v1/openapi.json?x"],
  ["DELETE", "/api/v1/openings/known"],
  ["PUT", "/api/v1/tokens"],
  ["OPTIONS", "/api/v1/openings"],
  ["TRACE", "/api/v1/status"],
])("%s %s tells nobody without a token anything, not even whether it is there", async (method, path) => {
  await withApi(async (stand) => {
    const said = await stand.ask(path, { method, token: undefined });
    expect(said.status).toBe(401);
  });
});

test("HEAD and unknown paths are not there, with a token too", async () => {
  await withApi(async (stand) => {
    for (const [method, path] of [
      ["HEAD", "/api/v1/events"],
      ["HEAD", "/api/v1/status"],
      ["GET", "/api/v1/nothing"],
      ["DELETE", "/api/v1/openings/known"],
      ["OPTIONS", "/api/v1/openings"],
    ] as const) {
      expect((await stand.ask(path, { method, headers: { "content-type": "application/json" } })).status).toBe(404);
    }
    expect(JSON.parse((await stand.ask("/api/v1/nothing")).text)).toMatchObject({
      format: "sixgate.error/1",
      errors: [{ code: "E960", severity: "error" }],
    });
  });
});
