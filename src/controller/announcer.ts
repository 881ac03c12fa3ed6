import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Instant } from "../base/time.ts";
import type { Denied } from "../drivers/members-lane.ts";
import { formatService } from "../openings/services.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AgentView, ControllerEvent, OpeningView, RefusalView } from "./controller.ts";
import type { Journal } from "./journal.ts";
import { Trickle } from "./trickle.ts";

/** Where a controller says what it does. One line a text, encoded by whoever makes it. */
export type ControllerLog = {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
};

/** What a host can make us say by itself: at once, and in a second. The rest is counted. */
const ofHost = { burst: 200, perSecond: 20 } as const;

/** Dropped packets that are told. */
const ofAll = { burst: 100, perSecond: 50 } as const;

/** Says what happens: to who watches, to the log, and for good to the journal. */
export class Announcer {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: ControllerLog;
  readonly #listeners = new Set<(event: ControllerEvent) => void>();
  readonly #refusals: Trickle;
  readonly #alarms: Trickle;
  readonly #denied: Trickle;

  constructor(journal: Journal, clock: Clock, log: ControllerLog) {
    this.#journal = journal;
    this.#clock = clock;
    this.#log = log;
    this.#refusals = new Trickle(ofHost, () => clock.steady());
    this.#alarms = new Trickle(ofHost, () => clock.steady());
    this.#denied = new Trickle(ofAll, () => clock.steady());
  }

  watch(listener: (event: ControllerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  opened(opening: OpeningView, eventAt: Instant | undefined): number | undefined {
    const at = this.#clock.now();
    const ms = eventAt === undefined ? undefined : Math.max(0, at - eventAt);
    this.#journal.append(whoOf(opening), "opened", { ...detailOf(opening), ...(ms === undefined ? {} : { ms }) });
    this.#emit({ kind: "opened", at, opening, ...(ms === undefined ? {} : { ms }) });
    return ms;
  }

  closed(opening: OpeningView, why: string): void {
    this.#journal.append(whoOf(opening), "closed", { ...detailOf(opening), why });
    this.#emit({ kind: "closed", at: this.#clock.now(), opening, why });
  }

  refused(refusal: RefusalView): void {
    const untold = this.#refusals.next(refusal.host);
    if (untold === undefined) return;
    const { host, container, to, at, text, code, why } = refusal;
    this.#journal.append(`agent ${host}`, "refused", {
      container: container.id,
      name: container.name,
      ...(to === undefined ? {} : { to }),
      at,
      text,
      code,
      why,
      ...(untold === 0 ? {} : { untold }),
    });
    this.#emit({ kind: "refused", at: this.#clock.now(), refusal });
  }

  alarm(host: HostName, alarm: string, text: string): void {
    const untold = this.#alarms.next(host);
    if (untold === undefined) return;
    this.#journal.append(`agent ${host}`, "alarm", { alarm, text, ...(untold === 0 ? {} : { untold }) });
    this.#log.warn(`${host}: ${alarm}: ${printable(text)}`);
    this.#emit({ kind: "alarm", at: this.#clock.now(), host, alarm, text });
  }

  agent(agent: AgentView): void {
    if (this.#alarms.next(agent.host) === undefined) return;
    this.#journal.append(`agent ${agent.host}`, `agent-${agent.state}`, {
      ...(agent.version === undefined ? {} : { version: agent.version }),
      ...(agent.engine === undefined ? {} : { engine: agent.engine }),
    });
    this.#log.info(`Agent of ${agent.host}: ${agent.state}`);
    this.#emit({ kind: "agent", at: this.#clock.now(), agent });
  }

  gateway(reached: boolean, text: string): void {
    this.#journal.append("controller", reached ? "gateway-reached" : "gateway-failing", { text });
    if (reached) this.#log.info(text);
    else this.#log.error(text);
    this.#emit({ kind: "gateway", at: this.#clock.now(), reached, text });
  }

  /** Not written down: anybody can send packets. */
  denied(denied: readonly Denied[]): void {
    const at = this.#clock.now();
    for (const each of denied) if (this.#denied.next("") !== undefined) this.#emit({ kind: "denied", at, ...each });
  }

  #emit(event: ControllerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (cause) {
        this.#log.error(`A listener failed: ${printable(String(cause))}`);
      }
    }
  }
}

function whoOf({ askedBy, host }: OpeningView): string {
  switch (askedBy.kind) {
    case "person":
      return askedBy.name;
    case "label":
      return `agent ${host}`;
    case "fleet":
      return "controller";
  }
}

function detailOf(opening: OpeningView): Readonly<Record<string, unknown>> {
  const { id, host, container, to, service, from, askedBy, reason, grantedBy, ends } = opening;
  return {
    id,
    host,
    to,
    service: formatService(service),
    from,
    grantedBy,
    ...(container === undefined ? {} : { container: container.id, name: container.name }),
    ...(askedBy.text === "" ? {} : { asked: askedBy.text }),
    ...(reason === undefined ? {} : { reason }),
    ...(ends === undefined ? {} : { ends }),
  };
}
