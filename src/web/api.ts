import type { Instant } from "../base/time.ts";
import type { Controller } from "../controller/controller.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Service } from "../openings/opening.ts";
import type { EventRing } from "./event-ring.ts";
import type { DeniedBook } from "./map/denied-book.ts";
import type { Metrics } from "./metrics.ts";
import type { PageFiles } from "./page-files.ts";
import type { PlanDesk } from "./planner/desk.ts";
import type { ProbeBook } from "./probes/probe-book.ts";
import type { Sessions } from "./sessions.ts";
import type { TokenBook } from "./token-book.ts";
import type { Traffic } from "./traffic/traffic.ts";
import type { Link } from "./why/link.ts";

/** What a line of the log holds: values that the API made or checked, never a token, a body or a query. */
export type ApiLog = (event: string, fields: Readonly<Record<string, string | number>>) => void;

/** Whether the gateway's own rules let that in, from a read of all of them. */
export type Prove = (asked: {
  readonly to: Address;
  readonly service: Service;
  readonly from: readonly Prefix[];
}) => Promise<Link>;

/** What routes work with. */
export type Api = {
  readonly controller: Controller;
  readonly tokens: TokenBook;
  readonly sessions: Sessions;
  readonly events: EventRing;
  readonly denied: DeniedBook;
  readonly traffic: Traffic;
  readonly probes: ProbeBook;
  readonly metrics: Metrics;
  /** A link more in the chain of `why`: the proof from the gateway's own rules, where there is one. */
  readonly prove: Prove | undefined;
  /** Plans and tests; undefined where nobody makes them. */
  readonly desk: PlanDesk | undefined;
  /** The page's files; undefined where it was not built. */
  readonly page: PageFiles | undefined;
  /** Where browsers reach it, as `https://10.10.10.2:6465`; empty where it listens on its unix socket only. */
  readonly origins: () => readonly string[];
  readonly log: ApiLog;
  readonly now: () => Instant;
};
