import fc from "fast-check";
import { expect, test } from "vitest";
import { securityHeaders } from "../../src/web/headers.ts";
import { routes } from "../../src/web/routes.ts";
import { type Asking, withApi } from "../web/bench.ts";
import { opening } from "../web/views.ts";

/** Text that HTTP lets through in a header or a path, and much that is awkward in both. */
const word = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom(
    "vm1",
    "vm1/web",
    "known",
    "443",
    "any",
    "office",
    "..",
    "%2e%2e",
    "__proto__",
    "constructor",
    "\u202e",
    "-1",
    "1e9",
  ),
);
const bodies = fc.oneof(
  fc.json(),
  fc.string({ maxLength: 200 }),
  fc
    .record(
      {
        to: word,
        services: fc.array(word, { maxLength: 3 }),
        from: fc.array(word, { maxLength: 3 }),
        seconds: fc.double(),
        reason: word,
        name: word,
        role: word,
        token: word,
        code: word,
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
);
const queries = fc.dictionary(
  fc.constantFrom("limit", "after", "host", "container", "within", "state", "by", "to", "from", "kinds", "x"),
  word,
  { maxKeys: 3 },
);

/** A request to a route, with its parameters filled in somehow, or to somewhere else. */
const requests = fc.record({
  place: fc.nat(routes.length - 1),
  parameter: word.filter((text) => text !== ""),
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "right"),
  query: queries,
  body: fc.option(bodies),
  type: fc.constantFrom("application/json", "text/plain", "application/json; charset=utf-16", ""),
  who: fc.constantFrom("admin", "nobody", "wrong"),
});

test("whatever is asked, the API answers: never with a fault, always as its own", async () => {
  await withApi(async (stand) => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ place, parameter, method, query, body, type, who }) => {
        const route = routes[place];
        if (route === undefined) throw new RangeError("No such route");
        stand.controller.scene.openings.set("vm1", [opening("known")]);
        const path = route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(parameter.toWellFormed()));
        const asked = new URLSearchParams();
        for (const [key, text] of Object.entries(query)) asked.set(key, text.toWellFormed());
        const asking: Asking = {
          method: method === "right" ? route.method.toUpperCase() : method,
          token: who === "admin" ? stand.admin : who === "wrong" ? "sgt.x.y" : undefined,
          headers: { "content-type": type },
          hangUp: route.type === "text/event-stream",
          ...(body === null ? {} : { body: body.toWellFormed() }),
        };
        const said = await stand.ask(`${path}?${asked.toString()}`, asking);
        expect(said.status).toBeLessThan(500);
        expect(said.headers).toMatchObject(securityHeaders);
        if (said.status >= 400) expect(JSON.parse(said.text)).toMatchObject({ format: "sixgate.error/1" });
        if (who !== "admin") expect([200, 400, 401, 403, 413]).toContain(said.status);
      }),
      { numRuns: 1500 },
    );
    expect(stand.logged.filter((line) => line.includes('"fault"'))).toEqual([]);
  });
}, 120_000);
