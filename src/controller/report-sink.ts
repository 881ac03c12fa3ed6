import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { ContainerReport } from "../openings/container-report.ts";

/** When a report was made and when it came in. `eventAt`: the engine's own time of the event that caused it, if one did. */
export type Received = { readonly at: Instant; readonly eventAt?: Instant };

/**
 * Where the inbox hands over what agents say, after it has checked certificate, shape, sequence and size. `host` is
 * the certificate's, never what the report claims. What a report asks is still only a wish.
 */
export type ReportSink = {
  /** The whole truth of that host. What it does not name is gone. */
  snapshot(host: HostName, containers: readonly ContainerReport[], received: Received): void;
  /** `gone` are container ids. */
  delta(host: HostName, put: readonly ContainerReport[], gone: readonly string[], received: Received): void;
  /** A sign of life without news, or the first after a connection was made. */
  seen(host: HostName, agent: AgentFacts, received: Received): void;
  /** The connection ended. Nothing closes by that alone. */
  lost(host: HostName, received: Received): void;
  alarm(host: HostName, kind: AlarmKind, text: string): void;
};

/**
 * Something that an honest agent doesn't do. `foreign`: it claims an address outside its block (that endpoint is left
 * out, the rest counts). `clone`: two speak for one host, or an old key is used again. `token`: a join token was used twice.
 */
export type AlarmKind = "replay" | "clone" | "flood" | "malformed" | "foreign" | "token";

export type AgentFacts = {
  readonly version: string;
  /** Version and API version of its engine; both empty while that doesn't answer. */
  readonly engine: string;
  readonly apiVersion: string;
  /** When its certificate ends. */
  readonly certificateEnds: Instant;
};
