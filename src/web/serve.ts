import type { IncomingMessage, RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { type Instant, instant } from "../base/time.ts";
import type { Controller } from "../controller/controller.ts";
import type { Store } from "../store/store.ts";
import type { Api, ApiLog, Prove } from "./api.ts";
import { makeApp } from "./app.ts";
import { EventRing } from "./event-ring.ts";
import { FailedLogins } from "./failed-logins.ts";
import { ensureFirstToken } from "./first-token.ts";
import { type ListenAt, type Listening, listenAt, type TlsPair } from "./listen.ts";
import { DeniedBook } from "./map/denied-book.ts";
import { metricsOf } from "./metrics.ts";
import { readPageFiles } from "./page-files.ts";
import { PlanDesk } from "./planner/desk.ts";
import type { Planner } from "./planner/planner.ts";
import type { ApplyRun } from "./planner/schema.ts";
import { ProbeBook } from "./probes/probe-book.ts";
import { Sessions } from "./sessions.ts";
import { TokenBook } from "./token-book.ts";
import { Traffic } from "./traffic/traffic.ts";

export type ServeWish = {
  readonly controller: Controller;
  /** Where tokens are kept, as hashes. */
  readonly store: Store;
  /** Listens there and nowhere else. */
  readonly listen: readonly ListenAt[];
  /** Where the first admin token is written, readable by its owner only. */
  readonly tokenFile: string;
  /** Adds the proof from the gateway's rules to `why`. */
  readonly prove?: Prove;
  /** Where the built page is; `pageFolder` unless it is told. */
  readonly page?: string;
  /** Makes plans, and applies them where it may. */
  readonly planner?: Planner;
  readonly log: ApiLog;
  readonly now?: () => Instant;
};

/** The API, listening. */
export type Served = {
  /** As clients name them, in the order of `listen`. */
  readonly urls: readonly string[];
  /** The first admin token was written at this start: nobody can have been here before. */
  readonly first: boolean;
  /** A certificate was renewed: new connections get the new one. */
  renew(tls: TlsPair): void;
  /** Ends streams and connections, and listens no more. */
  close(): Promise<void>;
};

/** Serves a controller's API. Rejects, and listens nowhere, when one of the places can't be had. */
export async function serveApi(wish: ServeWish): Promise<Served> {
  const now = wish.now ?? (() => instant(Date.now()));
  const tokens = new TokenBook(wish.store, now);
  const first = await ensureFirstToken(wish.tokenFile, tokens);
  if (first) wish.log("admin token written", { file: wish.tokenFile });
  const events = new EventRing(wish.controller);
  const books = booksOf(wish.controller, now);
  const metrics = metricsOf(wish.controller, () => events.listeners);
  const sessions = new Sessions(now);
  const { controller, planner, prove, log } = wish;
  const tell = (run: ApplyRun): void => events.tell("plan", JSON.stringify({ kind: "plan", at: now(), run }));
  const desk = planner === undefined ? undefined : new PlanDesk({ planner, controller, now, tell });
  const page = await readPageFiles(wish.page);
  if (page === undefined) log("page not built", { code: "E980" });
  const listening: Listening[] = [];
  const origins = (): readonly string[] => listening.map(({ url }) => url).filter((url) => /^https?:/.test(url));
  const api = {
    controller,
    tokens,
    sessions,
    events,
    ...books,
    metrics,
    prove,
    desk,
    page,
    origins,
    log,
    now,
  };
  const app = makeApp(api, new FailedLogins(now));
  const listener = (scheme: "http" | "https"): RequestListener =>
    getRequestListener(
      (request, env) => app.fetch(request, { source: sourceOf(env.incoming as IncomingMessage), scheme }),
      {
        overrideGlobalObjects: false,
      },
    );
  const close = async (): Promise<void> => {
    events.end();
    books.denied.end();
    books.probes.end();
    metrics.end();
    await Promise.all(listening.map((each) => each.close()));
  };
  try {
    for (const at of wish.listen) listening.push(await listenAt(at, listener));
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    urls: listening.map((each) => each.url),
    first,
    renew: (tls) => {
      for (const each of listening) each.renew(tls);
    },
    close,
  };
}

/** What is known for pictures: none of it outlives the process. */
function booksOf(controller: Controller, now: () => Instant): Pick<Api, "denied" | "probes" | "traffic"> {
  return {
    denied: new DeniedBook(controller),
    probes: new ProbeBook(controller),
    traffic: new Traffic(controller, now),
  };
}

/** Undefined on a unix socket. */
function sourceOf(incoming: IncomingMessage): string | undefined {
  return incoming.socket.remoteAddress;
}
