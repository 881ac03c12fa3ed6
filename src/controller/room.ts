import type { TLSSocket } from "node:tls";
import type { ByeReason } from "../agent/frames.ts";
import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Authority } from "./authority.ts";
import type { Rate } from "./bucket.ts";
import type { Enrolment } from "./enrolment.ts";
import type { ReportSink } from "./report-sink.ts";
import type { Memory } from "./session.ts";

/** What one agent may cost. A report, and each container in it, counts one. Who sends more is read more slowly. */
export type Quota = { readonly reports: Rate; readonly bytes: Rate; readonly containers: number };

export const standardQuota: Quota = {
  reports: { burst: 8192, perSecond: 500 },
  bytes: { burst: 16 * 1_048_576, perSecond: 1_048_576 },
  containers: 4096,
};

/** Deadlines, in milliseconds. */
export type Patience = {
  /** From connecting until a hello or an enrolment was said in full, TLS handshake included. */
  readonly hello: number;
  /** Between two frames of an agent; it is told to beat in a third of it. */
  readonly silence: number;
  /** For the older of two connections of one host to say that it is still there. */
  readonly there: number;
};

export const standardPatience: Patience = { hello: 10_000, silence: 30_000, there: 3_000 };

/** What an inbox says to a log: never a secret, and nothing unencoded. */
export type InboxLog = (level: "info" | "warn", text: string) => void;

export type InboxOptions = {
  readonly authority: Authority;
  readonly enrolment: Enrolment;
  readonly sink: ReportSink;
  /** The block of a host now; undefined where the fleet has no such host. */
  readonly blockOf: (host: HostName) => Prefix | undefined;
  /** DNS names and addresses that agents reach it by. */
  readonly names: readonly string[];
  /** An address of the management network; every address when it is absent. Port 0 is any free one. */
  readonly listen?: { readonly address?: string; readonly port?: number };
  readonly clock: () => Instant;
  readonly log?: InboxLog;
  readonly quota?: Quota;
  readonly patience?: Patience;
};

/** The connection that speaks for a host now. */
export type Live = {
  /** Where it comes from, for messages. */
  readonly from: string;
  readonly block: Prefix | undefined;
  /** Whether the other end answers. A machine that lost its power leaves a connection that looks alive. */
  stillThere(): Promise<boolean>;
  /** Says goodbye and closes. Nothing that comes after counts. */
  end(reason: ByeReason, text: string): void;
};

/** What the connections share. */
export type Room = Required<Pick<InboxOptions, "log" | "quota" | "patience">> &
  InboxOptions & {
    readonly live: Map<HostName, Live>;
    memoryOf(host: HostName): Memory;
    /** A connection that has said who it is: no stranger any more. */
    known(socket: TLSSocket): void;
  };
