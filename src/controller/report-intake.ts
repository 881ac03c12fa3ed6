import type { HostName } from "../base/name.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { Core } from "./core.ts";
import { Intake } from "./intake.ts";
import type { AgentFacts, AlarmKind, Received, ReportSink } from "./report-sink.ts";

/** What the inbox hands over, into the book. */
export function reportSink(core: Core): ReportSink {
  const { book, roll, announcer, clock } = core;
  const intake = new Intake(
    {
      snapshot: (host, reports, eventAt) => book.snapshot(host, reports, clock.now(), eventAt),
      delta: (host, put, gone, eventAt) => book.delta(host, put, gone, clock.now(), eventAt),
    },
    clock,
  );
  return {
    snapshot(host: HostName, containers: readonly ContainerReport[], received: Received) {
      roll.seen(host);
      core.revoked.delete(host);
      intake.snapshot(host, containers, received);
      core.tellAgent(host);
    },
    delta(host, put, gone, received) {
      roll.seen(host);
      intake.delta(host, put, gone, received);
    },
    seen(host: HostName, facts: AgentFacts) {
      roll.seen(host, facts);
      core.tellAgent(host);
    },
    lost(host: HostName) {
      roll.lost(host);
      core.tellAgent(host);
    },
    alarm: (host: HostName, kind: AlarmKind, text: string) => announcer.alarm(host, kind, text),
  };
}
