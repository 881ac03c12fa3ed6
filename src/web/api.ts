import type { Instant } from "../base/time.ts";
import type { Controller } from "../controller/controller.ts";
import type { EventRing } from "./event-ring.ts";
import type { Metrics } from "./metrics.ts";
import type { Sessions } from "./sessions.ts";
import type { TokenBook } from "./token-book.ts";

/** What a line of the log holds: values that the API made or checked, never a token, a body or a query. */
export type ApiLog = (event: string, fields: Readonly<Record<string, string | number>>) => void;

/** What routes work with. */
export type Api = {
  readonly controller: Controller;
  readonly tokens: TokenBook;
  readonly sessions: Sessions;
  readonly events: EventRing;
  readonly metrics: Metrics;
  readonly log: ApiLog;
  readonly now: () => Instant;
};
