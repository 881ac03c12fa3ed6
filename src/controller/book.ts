import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Held } from "../drivers/members-lane.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { DecisionContext, Granted, HostGround } from "../openings/decide.ts";
import { openServices } from "../openings/open-services.ts";
import type { OpenService } from "../openings/opening.ts";
import type { OpeningPolicy } from "../openings/policy.ts";
import type { Refusal } from "../openings/refusal.ts";
import { coverService } from "../openings/services.ts";
import { Agenda } from "./agenda.ts";
import type { Mark } from "./dirty.ts";
import { Found } from "./found.ts";
import { type BookSurroundings, HostBook } from "./host-book.ts";
import type { State } from "./lane-state.ts";
import { Peers } from "./peers.ts";
import { without } from "./same-services.ts";

/** What is decided by: the fleet file's part of it. */
export type Rules = {
  readonly policy: OpeningPolicy;
  readonly hosts: ReadonlyMap<HostName, HostGround>;
  readonly groups: ReadonlyMap<string, readonly Prefix[]>;
};

export type BookOptions = {
  readonly rules: Rules;
  /** The lane's. */
  readonly normalize: (services: readonly OpenService[]) => readonly OpenService[];
  readonly since: (host: HostName, id: string, now: Instant) => Instant;
  readonly dirty: (mark: Mark) => void;
  readonly refused: (host: HostName, report: ContainerReport, refusals: readonly Refusal[]) => void;
  readonly gone: (host: HostName, id: string) => void;
};

/** What the gateway held at an address whose host has not reported yet. */
const heldMark = "held ";

/**
 * What should be open at every address of the fleet. Nothing in it reads or writes anything: reports come in, marks of
 * addresses go out, and who asks is told what should be there. What it does not know it leaves as it is: a host that has
 * not reported keeps what the gateway held for it.
 */
export class Book {
  readonly #options: BookOptions;
  readonly #hosts = new Map<HostName, HostBook>();
  readonly #held = new Map<HostName, Found>();
  readonly #complete = new Set<HostName>();
  readonly #stale = new Set<HostName>();
  readonly #peers = new Peers();
  readonly #agenda = new Agenda();
  readonly #names = new Set<string>();
  readonly #around: BookSurroundings;
  #rules: Rules;
  #context: DecisionContext;
  #eventAt: Instant | undefined;

  constructor(options: BookOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#context = contextOf(options.rules, this.#peers);
    this.#around = {
      policy: () => this.#rules.policy,
      context: () => this.#context,
      peers: this.#peers,
      since: options.since,
      dirty: (host, to) => this.#dirty(host, to),
      renamed: (names) => {
        for (const name of names) this.#names.add(name);
      },
      endsAt: (at, host, id) => this.#agenda.add({ at, host, id }),
      isHeld: ({ host, to, service }) => {
        const services = this.#held.get(host)?.get(to) ?? [];
        return coverService(
          services.map((each) => each.service),
          service,
        );
      },
      refused: options.refused,
      gone: options.gone,
    };
  }

  get context(): DecisionContext {
    return this.#context;
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** Takes over what the gateway holds: it stays until its host has reported. */
  adopt(held: readonly Held[]): void {
    for (const { host, to, services } of held) {
      // It has reported before the gateway could be read.
      if (this.#complete.has(host)) {
        this.#dirty(host, to);
        continue;
      }
      let there = this.#held.get(host);
      if (there === undefined) this.#held.set(host, (there = new Found()));
      there.add(to, services);
      // A host that is not in the fleet file any more will never report.
      if (!this.#rules.hosts.has(host)) this.#dirty(host, to);
    }
    for (const host of this.#held.keys()) if (!this.#rules.hosts.has(host)) this.#held.delete(host);
    this.#agendaOfHeld();
  }

  snapshot(host: HostName, reports: readonly ContainerReport[], now: Instant, eventAt?: Instant): void {
    this.#during(eventAt, now, () => {
      this.host(host).snapshot(reports, now);
      const held = this.#held.get(host);
      if (held !== undefined) for (const to of held.addresses()) this.#dirty(host, to);
      this.#held.delete(host);
      this.#complete.add(host);
      if (this.#stale.delete(host)) for (const to of this.host(host).addresses()) this.#dirty(host, to);
    });
  }

  /** Does nothing before the host's first snapshot: what a delta does not name would stay unknown. */
  delta(
    host: HostName,
    put: readonly ContainerReport[],
    gone: readonly string[],
    now: Instant,
    eventAt?: Instant,
  ): void {
    if (!this.#complete.has(host)) return;
    this.#during(eventAt, now, () => this.host(host).delta(put, gone, now));
  }

  /** Nobody has heard of the host for so long that its openings end. They come back with its next snapshot. */
  expireHost(host: HostName): readonly Address[] {
    const addresses = new Set([
      ...(this.#held.get(host)?.addresses() ?? []),
      ...(this.#hosts.get(host)?.addresses() ?? []),
    ]);
    this.#stale.add(host);
    this.#complete.delete(host);
    this.#held.delete(host);
    for (const to of addresses) this.#dirty(host, to);
    return [...addresses];
  }

  /** Ends what is over. */
  expire(now: Instant): void {
    this.#during(undefined, now, () => {
      for (const { host, id } of this.#agenda.take(now)) {
        if (id.startsWith(heldMark)) this.#dirty(host, id.slice(heldMark.length) as Address);
        else this.#hosts.get(host)?.reconsider(id, now);
      }
    });
  }

  /** Another fleet file. */
  rebase(rules: Rules, now: Instant): void {
    this.#rules = rules;
    this.#context = contextOf(rules, this.#peers);
    this.#agenda.clear();
    this.#during(undefined, now, () => {
      for (const book of this.#hosts.values()) book.rebase(now);
    });
    this.#agendaOfHeld();
    for (const [host, held] of this.#held) {
      if (rules.hosts.has(host)) continue;
      for (const to of held.addresses()) this.#dirty(host, to);
      this.#held.delete(host);
    }
  }

  /** The time of day was set by so many milliseconds. */
  shift(by: number, now: Instant): void {
    this.#agenda.clear();
    for (const held of this.#held.values()) held.change((services) => services.map((each) => later(each, by)));
    this.#during(undefined, now, () => {
      for (const book of this.#hosts.values()) book.shift(by, now);
    });
    this.#agendaOfHeld();
  }

  wish(granted: Granted, now: Instant): void {
    this.#during(undefined, now, () => this.host(granted.request.host).wish(granted, now));
  }

  /** Ends what a person had opened. */
  unwish(granted: Granted, now: Instant): void {
    const { host, to, key } = granted.request;
    this.#held.get(host)?.change((services) => without(services, this.#servicesOf([granted], to)), to);
    this.#during(undefined, now, () => this.host(host).unwish(key));
  }

  /** What should be open at an address. */
  wanted(host: HostName, to: Address, now: Instant): State {
    const book = this.#hosts.get(host);
    const all = book?.grantsAt(to) ?? [];
    // What a person opened where no container is depends on no report.
    const grants = this.#stale.has(host) ? all.filter(({ request }) => request.holder === undefined) : all;
    const held = this.#held.get(host)?.get(to) ?? [];
    const lasting = held.filter(({ ends }) => ends === undefined || ends > now);
    const services = this.#servicesOf(grants, to);
    return {
      host,
      owner: book?.ownerOf(to),
      services: lasting.length === 0 ? services : this.#options.normalize([...without(lasting, services), ...services]),
      grants,
    };
  }

  find(host: HostName): HostBook | undefined {
    return this.#hosts.get(host);
  }

  host(host: HostName): HostBook {
    const there = this.#hosts.get(host) ?? new HostBook(host, this.#around);
    this.#hosts.set(host, there);
    return there;
  }

  books(): Iterable<HostBook> {
    return this.#hosts.values();
  }

  /** What the gateway held and is still held, for hosts that have not reported. */
  held(host: HostName): Iterable<readonly [Address, readonly OpenService[]]> {
    return this.#held.get(host)?.entries() ?? [];
  }

  heldHosts(): readonly HostName[] {
    return [...this.#held.keys()];
  }

  /** How many openings are held so. */
  get heldCount(): number {
    let count = 0;
    for (const held of this.#held.values()) count += held.count;
    return count;
  }

  completeHosts(): Iterable<HostName> {
    return this.#complete;
  }

  isComplete(host: HostName): boolean {
    return this.#complete.has(host);
  }

  isStale(host: HostName): boolean {
    return this.#stale.has(host);
  }

  get nextEnd(): Instant | undefined {
    return this.#agenda.next;
  }

  #servicesOf(grants: readonly Granted[], to: Address): readonly OpenService[] {
    return grants.length === 0 ? [] : this.#options.normalize(openServices(grants).get(to) ?? []);
  }

  #agendaOfHeld(): void {
    for (const [host, addresses] of this.#held)
      for (const [to, services] of addresses.entries())
        for (const { ends } of services)
          if (ends !== undefined) this.#agenda.add({ at: ends, host, id: heldMark + to });
  }

  /** Runs what a report or the time brings, then asks again for those whose `%name` stands for others since. */
  #during(eventAt: Instant | undefined, now: Instant, work: () => void): void {
    this.#eventAt = eventAt;
    work();
    const names = [...this.#names];
    this.#names.clear();
    const dependents = new Map(
      names.flatMap((name) => this.#peers.dependentsOf(name).map((each) => [`${each.host} ${each.id}`, each])),
    );
    for (const { host, id } of dependents.values()) this.#hosts.get(host)?.reconsider(id, now);
    this.#eventAt = undefined;
  }

  #dirty(host: HostName, to: Address): void {
    this.#options.dirty({ host, to, ...(this.#eventAt === undefined ? {} : { eventAt: this.#eventAt }) });
  }
}

function later(service: OpenService, by: number): OpenService {
  return service.ends === undefined ? service : { ...service, ends: instant(service.ends + by) };
}

function contextOf({ hosts, groups }: Rules, peers: Peers): DecisionContext {
  return { hosts, groups, containers: (name, host) => peers.addressesOf(name, host) };
}
