import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { type Stand, withApi } from "../../test/web/bench.ts";
import { FakePlanner } from "../../test/web/fake-planner.ts";
import { opening, refusal, suggestion, vm1 } from "../../test/web/views.ts";
import { instant } from "../base/time.ts";
import { address } from "../net/address.ts";
import { openApi, routes } from "./routes.ts";

type Schema = Record<string, unknown>;
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: Schema }> }>;
};
type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema>; readonly securitySchemes: Record<string, Schema> };
};
const document = JSON.parse(JSON.stringify(openApi)) as Document;
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
);

/** Compiles a schema of the document with everything that it refers to. OpenAPI 3.1 uses JSON Schema 2020-12. */
function compiled(schema: Schema): (value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: true, validateFormats: false, allowUnionTypes: true });
  ajv.addVocabulary(["example", "components"]);
  const check = ajv.compile({ ...schema, components: document.components });
  return (value) => (check(value) ? undefined : ajv.errorsText(check.errors));
}

test("the document is OpenAPI 3.1 and has every route, once", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(operations.map(({ name }) => name).sort()).toEqual(
    routes.map(({ method, path }) => `${method} ${path}`).sort(),
  );
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test("the document says of every route who may, its parameters, and how it fails", () => {
  for (const { name, path, operation } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const named = (operation.parameters ?? []).filter((each) => each.in === "path").map((each) => each.name);
    expect({ name, named }).toEqual({ name, named: inPath });
    const role = routes.find((route) => `${route.method} ${route.path}` === name)?.role;
    expect({ name, security: operation.security.length }).toEqual({ name, security: role === "anyone" ? 0 : 2 });
    expect(operation.responses["default"]?.content["application/json"]?.schema).toEqual({
      $ref: "#/components/schemas/Errors",
    });
    expect(operation.summary).not.toBe("");
  }
});

test("the document's schemas are JSON Schema, and what they refer to is there", () => {
  const all = [
    ...Object.values(document.components.schemas),
    ...operations.flatMap(({ operation }) => [
      ...(operation.parameters ?? []).map((each) => each.schema),
      ...Object.values(operation.requestBody?.content ?? {}).map((each) => each.schema),
      ...Object.values(operation.responses).flatMap((each) =>
        Object.values(each.content).map((content) => content.schema),
      ),
    ]),
  ];
  expect(all.length).toBeGreaterThan(60);
  for (const schema of all) expect(() => compiled(schema)).not.toThrow();
});

/** Requests that make each JSON route answer with as much as it can have. */
const { hash: plannedHash } = await new FakePlanner().plan();

const requests: readonly (readonly [name: string, path: string, body?: object])[] = [
  ["get /api/v1/status", "/api/v1/status"],
  ["get /api/v1/openings", "/api/v1/openings?limit=2"],
  ["get /api/v1/openings/{id}", "/api/v1/openings/a"],
  [
    "post /api/v1/openings",
    "/api/v1/openings",
    { to: "vm1/web", services: ["443", "ping", "1-9/udp"], from: ["office"], seconds: 60, reason: "x" },
  ],
  ["post /api/v1/openings/{id}/close", "/api/v1/openings/p/close", { reason: "x" }],
  ["get /api/v1/traffic", "/api/v1/traffic?ids=a,p,q,nobody"],
  [
    "post /api/v1/probes",
    "/api/v1/probes",
    {
      from: "internet",
      answers: [
        {
          to: "2001:db8:1234:321d:23::80",
          transport: "tcp",
          port: 443,
          state: "open",
          reason: "syn-ack",
          ms: 1.5,
        },
      ],
    },
  ],
  ["get /api/v1/probes", "/api/v1/probes?ids=a,p,q"],
  ["get /api/v1/why", "/api/v1/why?to=vm1/web:443/udp&from=office"],
  ["get /api/v1/topology", "/api/v1/topology"],
  ["get /api/v1/denied", "/api/v1/denied"],
  ["get /api/v1/addresses", "/api/v1/addresses"],
  ["get /api/v1/addresses/{host}", "/api/v1/addresses/vm1"],
  ["get /api/v1/who", "/api/v1/who?address=2001:db8:1234:321d:23::80"],
  ["get /api/v1/review", "/api/v1/review"],
  ["get /api/v1/matrix", "/api/v1/matrix"],
  ["post /api/v1/plan", "/api/v1/plan", {}],
  ["post /api/v1/plan/apply", "/api/v1/plan/apply", { hash: plannedHash, reason: "x", asks: true }],
  ["get /api/v1/plan", "/api/v1/plan"],
  ["post /api/v1/plan/confirm", "/api/v1/plan/confirm", {}],
  ["post /api/v1/plan/undo", "/api/v1/plan/undo", {}],
  ["get /api/v1/refusals", "/api/v1/refusals"],
  ["get /api/v1/suggestions", "/api/v1/suggestions"],
  ["get /api/v1/agents", "/api/v1/agents"],
  ["get /api/v1/hosts/{host}/containers", "/api/v1/hosts/vm1/containers"],
  ["post /api/v1/agents/{host}/invite", "/api/v1/agents/vm1/invite", {}],
  ["post /api/v1/agents/{host}/revoke", "/api/v1/agents/vm1/revoke", { reason: "x" }],
  ["get /api/v1/journal", "/api/v1/journal"],
  ["get /api/v1/journal/verify", "/api/v1/journal/verify"],
  ["get /api/v1/tokens", "/api/v1/tokens"],
  ["post /api/v1/tokens", "/api/v1/tokens", { name: "robot", role: "viewer" }],
  ["post /api/v1/tokens/{name}/revoke", "/api/v1/tokens/robot/revoke", {}],
  ["get /api/v1/session", "/api/v1/session"],
  ["post /api/v1/session/end", "/api/v1/session/end", {}],
  ["post /api/v1/session/code", "/api/v1/session/code", {}],
  ["get /api/v1/openapi.json", "/api/v1/openapi.json"],
];

function fill(stand: Stand): void {
  const { scene } = stand.controller;
  scene.openings.set("vm1", [
    opening("a"),
    opening("p", { askedBy: { kind: "person", name: "x", text: "" }, reason: "y", ends: instant(9), state: "held" }),
    opening("q", { service: { kind: "ping" } }),
  ]);
  scene.refusals.set("vm1", [refusal()]);
  stand.controller.emit({
    kind: "denied",
    at: instant(Date.now()),
    from: address("2600::1"),
    to: address("2001:db8:1234:321d:23::80"),
    transport: "tcp",
    port: 22,
    count: 1,
  });
  scene.suggestions.set("vm1", [suggestion()]);
  scene.gateway = { reached: false, error: "gone", drift: 1 };
  scene.agents.push({
    host: vm1,
    state: "connected",
    containers: 1,
    seen: instant(1),
    version: "1",
    engine: "28",
    certificateEnds: instant(2),
  });
  scene.containers.set("vm1", [
    {
      id: "a".repeat(64),
      name: "web",
      project: "site",
      service: "web",
      image: "caddy:2",
      mode: "container",
      sharesWith: "b",
      state: "running",
      labels: { "sixgate.open": "443" },
      imageLabels: {},
      published: [{ transport: "tcp", ports: { first: 443, last: 443 } }],
      exposed: [],
      endpoints: [{ network: "web", networkId: "n", address: address("2001:db8::1") }],
    },
  ]);
}

test("every JSON route answers as the document says, to the last key", async () => {
  const asked = new Set([...requests.map(([name]) => name), "post /api/v1/session"]);
  const json = operations.filter(
    ({ operation }) => operation.responses["200"]?.content["application/json"] !== undefined,
  );
  expect(json.map(({ name }) => name).filter((name) => !asked.has(name))).toEqual([]);
  await withApi(async (stand) => {
    fill(stand);
    for (const [name, path, body] of requests) {
      const answer = await stand.json(path, body === undefined ? {} : { method: "POST", body });
      const schema = operations.find((each) => each.name === name)?.operation.responses["200"]?.content[
        "application/json"
      ]?.schema;
      expect({ name, wrong: compiled(schema ?? {})(answer) }).toEqual({ name, wrong: undefined });
      // Zod leaves out what a schema does not name: nothing of the sort may be in an answer.
      const route = routes.find((each) => `${each.method} ${each.path}` === name);
      expect(route?.answer.parse(answer)).toEqual(answer);
    }
  });
});

test("every error answers as the document says", async () => {
  await withApi(async (stand) => {
    const check = compiled({ $ref: "#/components/schemas/Errors" });
    for (const [path, asking] of [
      ["/api/v1/status", { token: undefined }],
      ["/api/v1/nothing", {}],
      ["/api/v1/openings?limit=x", {}],
      ["/api/v1/openings", { method: "POST", body: { to: 1 } }],
      ["/api/v1/openings", { method: "POST", body: "{", headers: { "content-type": "application/json" } }],
    ] as const) {
      const said = await stand.ask(path, asking);
      expect(said.status).toBeGreaterThanOrEqual(400);
      expect(check(JSON.parse(said.text))).toBeUndefined();
    }
  });
});
