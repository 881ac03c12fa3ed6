import { type Context, Hono } from "hono";
import { Failure } from "../base/failure.ts";
import { type Admitted, admit } from "./admit.ts";
import { errorBody, statusOf, Turned, turned } from "./answer.ts";
import type { Api } from "./api.ts";
import { readBody } from "./body.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { securityHeaders } from "./headers.ts";
import { isAllowed } from "./role.ts";
import type { Call, Route } from "./route.ts";
import { routes } from "./routes.ts";
import { forgery } from "./same-origin.ts";

/** How a request came in, as the listener knows it; `source` is undefined on the unix socket, which only root reaches. */
export type Arrival = { readonly source: string | undefined; readonly scheme: "http" | "https" };

type Env = { Bindings: Arrival; Variables: { admitted: Admitted; cache: string } };

/**
 * The API as one function from request to answer. Everything is refused until it was let in: a request for what is
 * not there needs a token too, so that nobody learns what is.
 */
export function makeApp(api: Api, logins: FailedLogins): Hono<Env> {
  const app = new Hono<Env>({ strict: true });
  app.use("*", async (c, next) => {
    const began = performance.now();
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
    const cache = c.get("cache");
    if (cache !== undefined) c.res.headers.set("cache-control", cache);
    api.metrics.answered(c.res.status);
    // Method, status and who: no path beyond the route's own, no query, no body.
    api.log("request", {
      method: c.req.method,
      route: routeOf(c),
      status: c.res.status,
      who: c.get("admitted")?.bearer?.person.name ?? "-",
      from: c.env.source ?? "unix",
      ms: Math.round(performance.now() - began),
    });
  });
  // The page's own files hold no secret and are the same for everybody: a browser needs them to show the login.
  app.get("/", (c) => pageFile(c, api));
  app.get("/assets/:name", (c, next) => (api.page?.has(c.req.path) ? pageFile(c, api) : next()));
  app.use("*", async (c, next) => {
    const open = routes.some(
      (route) => route.role === "anyone" && route.path === c.req.path && route.method.toUpperCase() === c.req.method,
    );
    c.set("admitted", await admit(api, logins, { source: c.env.source, header: (name) => c.req.header(name), open }));
    refuseForged(c);
    // The router would answer HEAD by a GET whose stream nobody reads to its end.
    if (c.req.method === "HEAD") return c.notFound();
    return next();
  });
  for (const route of routes) {
    app.on(route.method, route.path.replaceAll(/\{(.+?)\}/g, ":$1"), (c) => answer(route, c, api, logins));
  }
  app.notFound((c) => {
    const error = turned(
      404,
      "E960",
      "path",
      "Nothing under this path and method",
      "GET /api/v1/openapi.json says what there is",
    );
    return answerError(error, c, api);
  });
  app.onError((error, c) => answerError(error, c, api));
  return app;
}

/** Orders that another site made in somebody's browser. */
function refuseForged(c: Context<Env>): void {
  const forged = forgery({
    method: c.req.method,
    scheme: c.env.scheme,
    host: c.req.header("host"),
    site: c.req.header("sec-fetch-site"),
    origin: c.req.header("origin"),
    contentType: c.req.header("content-type"),
    cookie: c.get("admitted").cookie,
  });
  if (forged === undefined) return;
  const fix = "send it from this API's own page, or as application/json with a token";
  throw turned(403, "E958", "request", forged, fix);
}

function pageFile(c: Context<Env>, api: Api): Response | Promise<Response> {
  const file = api.page?.get(c.req.path);
  if (file === undefined) return c.text(notBuilt, 503);
  c.set("cache", file.cache);
  return c.body(file.bytes, 200, { "content-type": file.type });
}

const notBuilt = `E980 The page was not built\n  fix: start the controller again: in a clone that builds it; \`npm run build:page\` shows why it can't\n`;

async function answer(route: Route, c: Context<Env>, api: Api, logins: FailedLogins): Promise<Response> {
  const admitted = c.get("admitted");
  const { bearer } = admitted;
  if (route.role !== "anyone" && (bearer === undefined || !isAllowed(bearer.person.role, route.role)))
    throw turned(
      403,
      "E957",
      `${route.method.toUpperCase()} ${route.path}`,
      `For ${route.role}; the token's role is ${bearer?.person.role ?? "none"}`,
      `use a token of role ${route.role}: \`sixgate token create NAME --role ${route.role}\``,
    );
  const headers = new Headers();
  const call: Call = {
    api,
    bearer,
    params: c.req.param(),
    query: queryOf(c),
    body: route.method === "post" ? await readBody(c.req.raw) : undefined,
    header: (name) => c.req.header(name),
    alive: () => admitted.alive(),
    loginFailed: () => {
      if (c.env.source !== undefined) logins.failed(c.env.source);
    },
    set: (name, value) => headers.append(name, value),
  };
  const response = await route.run(call).catch((thrown: unknown) => {
    // Hono answers for Errors only.
    throw thrown instanceof Error ? thrown : new Error("Something that is no Error was thrown", { cause: thrown });
  });
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/** A key given twice is a list, which no schema takes: nobody wonders which of the two counted. */
function queryOf(c: Context): Call["query"] {
  return Object.fromEntries(
    Object.entries(c.req.queries()).map(([key, values]) => [key, values.length === 1 ? (values[0] ?? "") : values]),
  );
}

function answerError(error: unknown, c: Context<Env>, api: Api): Response {
  if (error instanceof Turned)
    return Response.json(errorBody(error.errors), { status: error.status, headers: error.headers });
  if (error instanceof Failure) {
    const status = statusOf(error.diagnostic.code);
    return Response.json(errorBody([error.diagnostic]), { status });
  }
  // What it says may hold anything: it stays here, under a number that the answer names.
  const number = crypto.randomUUID();
  api.log("fault", {
    number,
    route: routeOf(c),
    error: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  });
  const fault = turned(
    500,
    "E964",
    "controller",
    `Fault ${number}`,
    "look for that number in the controller's log, and report it",
  );
  return Response.json(errorBody(fault.errors), { status: 500 });
}

function routeOf(c: Context): string {
  const path = c.req.routePath;
  return path === "*" || path === "/*" ? "-" : path;
}
