import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AgentView } from "./controller.ts";
import type { AgentFacts } from "./report-sink.ts";
import type { AgentRecord } from "./trust-records.ts";

type Sign = {
  facts?: AgentFacts;
  /** By the steady clock, and by the time of day for people. */
  at: number;
  seen: Instant;
  isConnected: boolean;
};

/** Milliseconds without a sign of life until an agent counts as silent, connected or not. */
const silentAfter = 30_000;

/** Which agents there are, and when each gave its last sign of life. */
export class AgentRoll {
  readonly #clock: Clock;
  readonly #started: number;
  readonly #signs = new Map<HostName, Sign>();
  #records = new Map<HostName, AgentRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.steady();
  }

  /** Gives those that were enrolled, renewed or revoked since the last time, as they were and as they are. */
  setRecords(
    records: readonly AgentRecord[],
  ): readonly { readonly before: AgentRecord | undefined; readonly after: AgentRecord }[] {
    const known = this.#records;
    this.#records = new Map(records.map((each) => [each.host, each]));
    return records.flatMap((after) => {
      const before = known.get(after.host);
      const isSame =
        before?.generation === after.generation && (before.revoked === undefined) === (after.revoked === undefined);
      return isSame ? [] : [{ before, after }];
    });
  }

  /** Whether an agent may speak for that host. */
  isEnrolled(host: HostName): boolean {
    const record = this.#records.get(host);
    return record !== undefined && record.revoked === undefined;
  }

  hosts(): Iterable<HostName> {
    return new Set([...this.#records.keys(), ...this.#signs.keys()]);
  }

  seen(host: HostName, facts?: AgentFacts): void {
    const sign = this.#signs.get(host) ?? { at: 0, seen: this.#clock.now(), isConnected: true };
    this.#signs.set(host, sign);
    if (facts !== undefined) sign.facts = facts;
    sign.at = this.#clock.steady();
    sign.seen = this.#clock.now();
    sign.isConnected = true;
  }

  lost(host: HostName): void {
    const sign = this.#signs.get(host);
    if (sign !== undefined) sign.isConnected = false;
  }

  /** Milliseconds without a sign of life; a controller that starts begins to count anew. */
  silence(host: HostName): number {
    return this.#clock.steady() - (this.#signs.get(host)?.at ?? this.#started);
  }

  view(host: HostName, containers: number, isStale: boolean): AgentView {
    const sign = this.#signs.get(host);
    const certificateEnds = sign?.facts?.certificateEnds ?? this.#records.get(host)?.ends;
    return {
      host,
      state: this.#stateOf(host, isStale),
      containers,
      ...(sign === undefined ? {} : { seen: sign.seen }),
      ...(sign?.facts === undefined ? {} : { version: sign.facts.version, engine: sign.facts.engine }),
      ...(certificateEnds === undefined ? {} : { certificateEnds }),
    };
  }

  #stateOf(host: HostName, isStale: boolean): AgentView["state"] {
    const record = this.#records.get(host);
    const sign = this.#signs.get(host);
    if (record?.revoked !== undefined) return "revoked";
    if (record === undefined && sign === undefined) return "never";
    if (sign?.isConnected === true && this.silence(host) <= silentAfter) return "connected";
    return isStale ? "stale" : sign === undefined && record === undefined ? "never" : "silent";
  }
}
