import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Instant, instant } from "../../src/base/time.ts";
import { memoryStore } from "../../src/store/memory-store.ts";
import type { Store } from "../../src/store/store.ts";
import type { Prove } from "../../src/web/api.ts";
import { type ListenAt } from "../../src/web/listen.ts";
import type { Role } from "../../src/web/role.ts";
import { type Served, serveApi } from "../../src/web/serve.ts";
import { FakePlanner } from "./fake-planner.ts";
import { MemoryController } from "./memory-controller.ts";

export type Said = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
};

export type Asking = {
  readonly method?: string;
  readonly token?: string | undefined;
  /** Sent as JSON unless a content type is among the headers. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which of the places; the first by default. */
  readonly url?: string | undefined;
  readonly ca?: string;
  /** Answers as soon as the headers of a success are there, and hangs up: for streams. */
  readonly hangUp?: boolean;
};

/** An API that is served for one test, and what it needs. */
export type Stand = {
  readonly controller: MemoryController;
  readonly planner: FakePlanner;
  readonly served: Served;
  readonly store: Store;
  readonly folder: string;
  readonly logged: string[];
  /** The first admin token. */
  readonly admin: string;
  /** Moves the API's clock. */
  later(ms: number): void;
  tokenOf(role: Role): Promise<string>;
  ask(path: string, asking?: Asking): Promise<Said>;
  json(path: string, asking?: Asking): Promise<Record<string, unknown>>;
};

/** Serves on a unix socket in a folder of its own and ends all of it after the work. `page`: the folder of a built one. */
export async function withApi(
  work: (stand: Stand) => Promise<void>,
  more: readonly ListenAt[] = [],
  controllerOf: (now: () => Instant) => MemoryController = (now) => new MemoryController(now),
  prove?: Prove,
  page?: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-api-"));
  let offset = 0;
  const now = (): Instant => instant(Date.now() + offset);
  const controller = controllerOf(now);
  const planner = new FakePlanner(now);
  const logged: string[] = [];
  const tokenFile = join(folder, "admin.token");
  const store = memoryStore();
  try {
    const served = await serveApi({
      controller,
      store,
      listen: [{ kind: "unix", path: join(folder, "api.sock") }, ...more],
      tokenFile,
      log: (event, fields) => logged.push(JSON.stringify({ event, ...fields })),
      now,
      planner,
      ...(prove === undefined ? {} : { prove }),
      ...(page === undefined ? {} : { page }),
    });
    try {
      await work(
        standOf({ controller, planner, served, store, folder, logged, tokenFile, later: (ms) => (offset += ms) }),
      );
    } finally {
      await served.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function standOf(parts: {
  readonly controller: MemoryController;
  readonly planner: FakePlanner;
  readonly served: Served;
  readonly store: Store;
  readonly folder: string;
  readonly logged: string[];
  readonly tokenFile: string;
  readonly later: (ms: number) => void;
}): Stand {
  const { tokenFile, ...rest } = parts;
  const admin = readFileSync(tokenFile, "utf8").trim();
  const ask: Stand["ask"] = (path, asking = {}) =>
    send(asking.url ?? rest.served.urls[0] ?? "", path, { token: admin, ...asking });
  const json: Stand["json"] = async (path, asking) => {
    const said = await ask(path, asking);
    if (said.status !== 200) throw new Error(`${path}: ${said.status} ${said.text}`);
    return JSON.parse(said.text) as Record<string, unknown>;
  };
  let made = 0;
  const tokenOf = async (role: Role): Promise<string> => {
    made += 1;
    const answer = await json("/api/v1/tokens", { method: "POST", body: { name: `t${made}-${role}`, role } });
    return String(answer["token"]);
  };
  return { ...rest, admin, ask, json, tokenOf };
}

function lengthOf(body: string, headers: Asking["headers"]): Readonly<Record<string, string>> {
  return headers?.["transfer-encoding"] === undefined ? { "content-length": String(Buffer.byteLength(body)) } : {};
}

/** One request over a new connection. */
export function send(url: string, path: string, asking: Asking): Promise<Said> {
  const body =
    asking.body === undefined ? undefined : typeof asking.body === "string" ? asking.body : JSON.stringify(asking.body);
  const headers: Record<string, string> = {
    ...(asking.token === undefined ? {} : { authorization: `Bearer ${asking.token}` }),
    ...(body === undefined ? {} : { "content-type": "application/json", ...lengthOf(body, asking.headers) }),
    ...asking.headers,
  };
  const at = url.startsWith("unix:") ? { socketPath: url.slice(5) } : whereOf(url);
  return new Promise((resolve, reject) => {
    const request = (url.startsWith("https:") ? secure : plain)(
      {
        ...at,
        path,
        method: asking.method ?? "GET",
        headers,
        agent: false,
        ...(asking.ca === undefined ? {} : { ca: asking.ca }),
      },
      (response) => {
        if (asking.hangUp === true && response.statusCode === 200) {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: "" });
          response.destroy();
          return;
        }
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

function whereOf(url: string): { readonly host: string; readonly port: string } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ""), port };
}
