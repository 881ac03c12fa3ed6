import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { compareKeys } from "../base/order.ts";
import type { Instant } from "../base/time.ts";
import { deriveOpenings } from "../desired/derive-openings.ts";
import type { MembersLane } from "../drivers/members-lane.ts";
import type { Granted } from "../openings/decide.ts";
import { formatService } from "../openings/services.ts";
import type { Clock } from "../runtime/clock.ts";
import { AgentRoll } from "./agent-roll.ts";
import { Announcer, type ControllerLog } from "./announcer.ts";
import { Book } from "./book.ts";
import { containerOf } from "./claims.ts";
import type { AgentView, Basis, OpeningView } from "./controller.ts";
import type { State } from "./lane-state.ts";
import { LaneWriter, laneFailure } from "./lane-writer.ts";
import { Latency } from "./latency.ts";
import { openingId } from "./opening-id.ts";
import { OpeningRegister } from "./opening-register.ts";
import { People } from "./people.ts";
import { RefusalRegister } from "./refusal-register.ts";
import { rulesOf } from "./rules-of.ts";
import { Sightings } from "./sightings.ts";
import type { ControllerState } from "./state.ts";
import { readAgents } from "./trust-records.ts";

export type CoreOptions = {
  readonly basis: Basis;
  readonly state: ControllerState;
  /** The way into the gateway; made anew when the fleet file is another one. */
  readonly lane: (basis: Basis) => MembersLane;
  readonly isWriter: () => boolean;
  readonly clock: Clock;
  readonly log: ControllerLog;
};

/** The parts of a controller, tied together: what is known, what is told, and to whom. No network, no timers of its own. */
export class Core {
  readonly clock: Clock;
  readonly log: ControllerLog;
  readonly state: ControllerState;
  readonly started: Instant;
  readonly announcer: Announcer;
  readonly roll: AgentRoll;
  readonly people: People;
  readonly sightings: Sightings;
  readonly book: Book;
  readonly writer: LaneWriter;
  readonly register: OpeningRegister;
  readonly refusals: RefusalRegister;
  readonly latency: Latency = new Latency();
  /** Why a person's opening was closed, for the moment between the wish's end and the gateway's answer. */
  readonly reasons: Map<string, string> = new Map();
  /** Hosts whose openings were closed because their agent was revoked. */
  readonly revoked: Set<HostName> = new Set();
  readonly #agentStates = new Map<HostName, AgentView["state"]>();
  readonly #whenApplied = new Set<() => void>();
  basis: Basis;
  lane: MembersLane;
  /** Addresses at which somebody else had changed the gateway, found at the last look and put right. */
  drift = 0;
  /** Whether the gateway was read, and what it holds is taken over. */
  isAdopted = false;
  isJournalFailing = false;
  #notAdopted: Failure | undefined;
  #statics: readonly OpeningView[];
  readonly #options: CoreOptions;

  constructor(options: CoreOptions) {
    const { basis, state, clock, log } = options;
    this.#options = options;
    this.basis = basis;
    this.state = state;
    this.clock = clock;
    this.log = log;
    this.started = clock.now();
    this.announcer = new Announcer(state.journal, clock, log);
    this.roll = new AgentRoll(clock);
    this.people = new People(state.store);
    this.sightings = new Sightings(state.store);
    this.refusals = new RefusalRegister((refusal) => this.announcer.refused(refusal));
    this.register = this.#makeRegister();
    this.lane = options.lane(basis);
    this.book = this.#makeBook();
    this.writer = this.#makeWriter();
    this.#statics = staticsOf(basis, this.started);
  }

  /** What the fleet file opens by itself. */
  statics(host?: HostName): readonly OpeningView[] {
    return host === undefined ? this.#statics : this.#statics.filter((each) => each.host === host);
  }

  /** What the fleet file opens belongs to an address: named is the container that has it now, as its host says. */
  named(view: OpeningView): OpeningView {
    const host = this.book.find(view.host);
    const owner = host?.ownerOf(view.to);
    const report = owner === undefined ? undefined : host?.container(containerOf(owner))?.report;
    return report === undefined ? view : { ...view, container: { id: report.id, name: report.name } };
  }

  /** Loads what is kept, and puts people's openings back. */
  async load(): Promise<void> {
    await this.sightings.load();
    const now = this.clock.now();
    for (const { granted } of await this.people.load()) this.book.wish(granted, now);
  }

  /** Who is enrolled now: what comes after is news. */
  async loadAgents(): Promise<void> {
    this.roll.setRecords(await readAgents(this.state.store));
  }

  /** Takes over what the gateway holds. Rejects where it can't be read. */
  async adopt(): Promise<void> {
    const held = await this.writer.start();
    this.isAdopted = true;
    if (this.#notAdopted !== undefined) this.announcer.gateway(true, "The gateway answers");
    this.#notAdopted = undefined;
    this.book.adopt(held);
    for (const { granted } of this.people.all()) this.#mark(granted);
    // What was reported before has waited for this.
    this.writer.resume();
  }

  /** The gateway could not be read at the start; it is tried again. */
  notAdopted(cause: unknown): void {
    const failure = cause instanceof Failure ? cause : laneFailure(cause);
    if (this.#notAdopted === undefined) this.announcer.gateway(false, failure.message);
    this.#notAdopted = failure;
  }

  /** Why the gateway is not as it should be. */
  failure(): Failure | undefined {
    return this.#notAdopted ?? this.writer.failing();
  }

  /** Of the fleet file, and all others of which something is known; in order of names. */
  hosts(): readonly HostName[] {
    const all = new Set([
      ...this.basis.fleet.hosts.keys(),
      ...this.register.hosts(),
      ...this.refusals.hosts(),
      ...this.book.heldHosts(),
    ]);
    return [...all].sort(compareKeys);
  }

  agent(host: HostName): AgentView {
    return this.roll.view(host, this.book.find(host)?.size ?? 0, this.book.isStale(host));
  }

  /** Says it where an agent is in another state than it was. */
  tellAgent(host: HostName): void {
    const view = this.agent(host);
    if ((this.#agentStates.get(host) ?? "never") === view.state) return;
    this.#agentStates.set(host, view.state);
    this.announcer.agent(view);
  }

  tellAgents(): void {
    for (const host of this.roll.hosts()) this.tellAgent(host);
  }

  /** Resolves when all of these are in force; rejects with E950 when they are not in time. */
  whenOpen(keys: readonly string[], milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!keys.every((key) => this.register.isOpen(key))) return;
        callOff();
        this.#whenApplied.delete(look);
        resolve();
      };
      const callOff = this.clock.after(milliseconds, () => {
        this.#whenApplied.delete(look);
        const last = this.failure() ?? this.writer.lastFailure;
        reject(laneFailure(`It did not take it in time${last === undefined ? "" : `: ${last.message}`}`));
      });
      this.#whenApplied.add(look);
    });
  }

  /** Another fleet file: everything is asked again. */
  async rebase(basis: Basis): Promise<void> {
    this.basis = basis;
    this.#statics = staticsOf(basis, this.clock.now());
    const before = this.lane;
    this.lane = this.#options.lane(basis);
    await this.writer.use(this.lane, new Set(basis.plan.hosts.map((each) => each.host)));
    await before.end();
    this.book.rebase(rulesOf(basis.fleet, basis.plan), this.clock.now());
  }

  #mark({ request: { host, to } }: Granted): void {
    this.writer.mark({ host, to });
  }

  #makeBook(): Book {
    return new Book({
      rules: rulesOf(this.basis.fleet, this.basis.plan),
      normalize: (services) => this.lane.normalize(services),
      since: (host, id, now) => this.sightings.first(host, id, now),
      dirty: (mark) => this.writer.mark(mark),
      refused: (host, report, refusals) => this.refusals.set(host, report, refusals, this.clock.now()),
      gone: (host, id) => this.sightings.gone(host, id, this.clock.now()),
    });
  }

  #makeWriter(): LaneWriter {
    const { journal } = this.state;
    return new LaneWriter({
      lane: this.lane,
      clock: this.clock,
      wanted: (host, to) => this.book.wanted(host, to, this.clock.now()),
      isWriter: this.#options.isWriter,
      mayOpen: () => journal.failing() === undefined,
      prepare: (states) => this.#prepare(states),
      applied: (applied) => {
        this.register.apply(applied);
        for (const look of this.#whenApplied) look();
      },
      reached: (failure) =>
        this.announcer.gateway(failure === undefined, failure?.message ?? "The gateway answers again"),
      looked: (differences) => {
        this.drift = differences;
      },
      drifted: (to, host) => {
        this.announcer.alarm(host, "drift", `Somebody else had changed what is open at ${to}`);
      },
      refused: (to, host, failure) =>
        this.announcer.alarm(host, "gateway-refused", `The gateway does not take ${to}: ${failure.message}`),
    });
  }

  #makeRegister(): OpeningRegister {
    return new OpeningRegister({
      nameOf: (host, container) => this.book.host(host).container(container)?.report.name,
      personOf: (key) => this.people.find(key),
      whyClosed: (granted) => this.#whyClosed(granted),
      opened: (view, eventAt) => {
        const ms = this.announcer.opened(view, eventAt);
        if (ms !== undefined) this.latency.add(ms);
      },
      closed: (view, why) => this.announcer.closed(view, why),
    });
  }

  /** Leases begin to count on disk before they do in the kernel. */
  async #prepare(states: readonly State[]): Promise<void> {
    for (const { grants } of states)
      for (const { request, ends } of grants)
        if (ends !== undefined && request.container !== undefined)
          this.sightings.keep(request.host, request.container, request.since);
    await this.sightings.save();
  }

  #whyClosed({ request, ends }: Granted): string {
    const { key, host, container, holder, to } = request;
    const told = this.reasons.get(key);
    this.reasons.delete(key);
    if (told !== undefined) return told;
    if (ends !== undefined && ends <= this.clock.now()) return "its time has passed";
    if (this.book.isStale(host))
      return this.revoked.has(host) ? "its agent was revoked" : "its host was silent for too long";
    const whose = holder?.container ?? container;
    if (container !== undefined && this.book.host(host).container(container) === undefined)
      return "its container is gone";
    const owner = this.book.host(host).ownerOf(to);
    if (owner !== undefined && whose !== undefined && !owner.startsWith(`${whose} `))
      return "its address has gone to another container";
    return "it is not asked for, or not granted any more";
  }
}

/** What a fleet file opens by itself. */
export function staticsOf({ fleet, plan }: Basis, since: Instant): readonly OpeningView[] {
  return deriveOpenings(fleet, plan).map(({ host, to, service, from }) => ({
    id: openingId(`fleet ${to} ${formatService(service)}`),
    host,
    to,
    service,
    from,
    state: "open",
    askedBy: { kind: "fleet", name: "fleet.yaml", text: "openings" },
    grantedBy: "fleet.yaml",
    since,
  }));
}
