import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Address } from "../net/address.ts";
import { contains } from "../net/prefix.ts";
import type { ContainerReport, Endpoint } from "../openings/container-report.ts";
import { type DecisionContext, decide, type Granted } from "../openings/decide.ts";
import { overLimits } from "../openings/decide-all.ts";
import type { OpeningPolicy } from "../openings/policy.ts";
import type { Refusal } from "../openings/refusal.ts";
import type { Request } from "../openings/request.ts";
import { requestsOf } from "../openings/requests-of.ts";
import { type Asked, Grants, type Known, namesIn, nextEnd, nothingAsked } from "./asks.ts";
import { type Claim, Claims, contested, type Moved, ownerText } from "./claims.ts";
import type { Named, Peers } from "./peers.ts";
import { allowance, overBudget } from "./request-budget.ts";
import { Roster } from "./roster.ts";

/** What a host's book is kept by, and whom it tells. */
export type BookSurroundings = {
  policy(): OpeningPolicy;
  context(): DecisionContext;
  readonly peers: Peers;
  /** When a container was first seen, as far as anybody remembers. */
  since(host: HostName, id: string, now: Instant): Instant;
  /** Something at this address may be different now. */
  dirty(host: HostName, to: Address): void;
  /** These names stand for other addresses now. */
  renamed(names: readonly string[]): void;
  /** An opening of that container, or of that person's wish, ends at that moment. */
  endsAt(at: Instant, host: HostName, id: string): void;
  /** Whether the gateway held it when this controller started. */
  isHeld(request: Request): boolean;
  /** All that a container was refused, as it is now. */
  refused(host: HostName, report: ContainerReport, refusals: readonly Refusal[]): void;
  gone(host: HostName, id: string): void;
};

/**
 * What the containers of one host ask for, what of it is granted, and at which addresses. One container's change costs
 * what it and those who share its networks ask for; a host at its limits costs as much as it asks for in all.
 */
export class HostBook {
  readonly host: HostName;
  readonly #around: BookSurroundings;
  readonly #known = new Map<string, Known>();
  readonly #roster = new Roster();
  readonly #named = new Map<string, Named>();
  readonly #wishes = new Map<string, Granted>();
  readonly #claims = new Claims();
  #grants: Grants;
  #requests = 0;
  /** Keys of requests that are granted and one too many. */
  #over: ReadonlyMap<string, Refusal> = new Map();
  /** Within one report: keys that were not granted before it, and containers whose refusals may differ. */
  readonly #fresh = new Set<string>();
  readonly #touched = new Set<string>();

  constructor(host: HostName, around: BookSurroundings) {
    this.host = host;
    this.#around = around;
    this.#grants = new Grants(around.policy().limits);
  }

  get directory(): ReadonlyMap<string, ContainerReport> {
    return this.#roster.directory;
  }

  get size(): number {
    return this.#known.size;
  }

  container(id: string): Known | undefined {
    return this.#known.get(id);
  }

  containers(): Iterable<Known> {
    return this.#known.values();
  }

  ownerOf(to: Address): string | undefined {
    return this.#claims.ownerOf(to);
  }

  /** Everything of this host: what is not there is gone. */
  snapshot(reports: readonly ContainerReport[], now: Instant): void {
    const coming = new Map(reports.map((each) => [each.id, each]));
    for (const id of this.#known.keys()) if (!coming.has(id)) this.#drop(id, now);
    const doubtful = contested([...coming.values()].map((report) => this.#claimOf(report)));
    for (const report of coming.values()) this.#put(report, now);
    for (const to of doubtful) this.#move(this.#claims.void(to));
    this.#finish();
  }

  delta(put: readonly ContainerReport[], gone: readonly string[], now: Instant): void {
    for (const id of gone) this.#drop(id, now);
    for (const report of put) this.#put(report, now);
    this.#finish();
  }

  /** Asks policy again about one container or one person's wish: time has passed, or a name stands for somebody else. */
  reconsider(id: string, now: Instant): void {
    const known = this.#known.get(id);
    const wish = this.#wishes.get(id);
    if (known !== undefined) this.#answer(known, known.asked.requests, known.asked.unread, now);
    if (wish !== undefined) this.#wishAgain(wish, now);
    this.#finish();
  }

  /** The fleet file is another one: everything is asked again. */
  rebase(now: Instant): void {
    for (const to of this.#grants.addresses()) this.#around.dirty(this.host, to);
    this.#grants = new Grants(this.#around.policy().limits);
    this.#requests = 0;
    const all = [...this.#known.values()];
    for (const known of all) {
      this.#around.peers.depend({ host: this.host, id: known.report.id }, known.asked.names, []);
      const endpoints = this.#groundedOf(known.report);
      this.#known.set(known.report.id, { ...known, endpoints, asked: nothingAsked });
      // Who has an address does not change by this, but where the host's block did: nobody has reported anything.
      if (JSON.stringify(endpoints) !== JSON.stringify(known.endpoints))
        this.#move(this.#claims.put({ id: known.report.id, before: known.endpoints, after: endpoints }));
    }
    for (const { report } of all) this.#name(report.id);
    for (const { report } of all) this.#ask(report.id, now);
    for (const wish of this.#wishes.values()) this.#wishAgain(wish, now);
    this.#finish();
  }

  /** Time of day was set: leases go on as long as they were to. */
  shift(by: number, now: Instant): void {
    for (const [id, known] of this.#known) this.#known.set(id, { ...known, since: instant(known.since + by) });
    for (const [key, wish] of this.#wishes) this.#wishes.set(key, shifted(wish, by));
    this.rebase(now);
  }

  /** What a person may open. Its key is its id. */
  wish(granted: Granted, now: Instant): void {
    this.#wishes.set(granted.request.key, granted);
    this.#wishAgain(granted, now);
    this.#finish();
  }

  wishes(): Iterable<Granted> {
    return this.#wishes.values();
  }

  /** The wish is over. */
  unwish(key: string): void {
    const wish = this.#wishes.get(key);
    if (wish === undefined) return;
    this.#wishes.delete(key);
    this.#grants.drop(wish.request);
    this.#around.dirty(this.host, wish.request.to);
    this.#finish();
  }

  /** Why a request that is granted by itself is not open; undefined where it is. */
  isOver(key: string): boolean {
    return this.#over.has(key);
  }

  /** What is granted at an address to whom it belongs now, within the limits. */
  grantsAt(to: Address): readonly Granted[] {
    const owner = this.#claims.ownerOf(to);
    const found: Granted[] = [];
    for (const granted of this.#grants.at(to)) {
      const { key, holder } = granted.request;
      const whose = holder === undefined ? undefined : ownerText(holder.container, holder.networkId);
      if (whose === owner && !this.#over.has(key)) found.push(granted);
    }
    return found;
  }

  addresses(): Iterable<Address> {
    return this.#grants.addresses();
  }

  /** Distinct openings that are granted, wishes included: for the limit. */
  get openings(): number {
    return this.#grants.size;
  }

  refusalsOf({ asked }: Known): readonly Refusal[] {
    const refused = asked.decisions.flatMap((each): readonly Refusal[] => {
      const refusal = each.kind === "granted" ? this.#over.get(each.request.key) : each.refusal;
      return refusal === undefined ? [] : [refusal];
    });
    return [...asked.unread, ...refused];
  }

  #put(report: ContainerReport, now: Instant): void {
    const before = this.#known.get(report.id);
    const text = JSON.stringify(report);
    if (before?.text === text && before.endpoints.every((each) => this.#isMine(report.id, each))) return;
    const claim = this.#claimOf(report);
    this.#known.set(report.id, {
      report,
      text,
      endpoints: claim.after,
      since: before?.since ?? this.#around.since(this.host, report.id, now),
      asked: before?.asked ?? nothingAsked,
    });
    this.#roster.replace(before?.report, report);
    this.#move(this.#claims.put(claim));
    this.#name(report.id);
    this.#ask(report.id, now);
    for (const id of this.#roster.sharersOf(before?.report, report)) if (id !== report.id) this.#ask(id, now);
  }

  #drop(id: string, now: Instant): void {
    const before = this.#known.get(id);
    if (before === undefined) return;
    this.#replace(before, nothingAsked);
    this.#known.delete(id);
    this.#roster.replace(before.report, undefined);
    this.#move(this.#claims.put({ id, before: before.endpoints, after: [] }));
    this.#name(id);
    for (const sharer of this.#roster.sharersOf(before.report)) this.#ask(sharer, now);
    this.#around.refused(this.host, before.report, []);
    this.#around.gone(this.host, id);
  }

  #claimOf(report: ContainerReport): Claim {
    return {
      id: report.id,
      before: this.#known.get(report.id)?.endpoints ?? [],
      after: this.#groundedOf(report),
    };
  }

  /** Attachments that this host can have: a container's own, in the host's block. */
  #groundedOf(report: ContainerReport): readonly Endpoint[] {
    const ground = this.#around.context().hosts.get(this.host);
    if (ground === undefined || report.mode !== "bridge") return [];
    return report.endpoints.filter(({ address }) => contains(ground.block, address) && !ground.own.includes(address));
  }

  #move(moved: readonly Moved[]): void {
    for (const { to, lost } of moved) {
      this.#around.dirty(this.host, to);
      if (lost !== undefined) this.#name(lost);
    }
  }

  /** Tells what addresses the container's names stand for now. */
  #name(id: string): void {
    const known = this.#known.get(id);
    const before = this.#named.get(id);
    const after = known === undefined ? undefined : this.#namedOf(known);
    if (after === undefined) this.#named.delete(id);
    else this.#named.set(id, after);
    this.#around.renamed(this.#around.peers.rename(before, after));
  }

  #isMine(id: string, { address, networkId }: Endpoint): boolean {
    return this.#claims.ownerOf(address) === ownerText(id, networkId);
  }

  #namedOf({ report, endpoints }: Known): Named {
    const mine = endpoints.filter(
      (each) => this.#claims.ownerOf(each.address) === ownerText(report.id, each.networkId),
    );
    const names =
      report.project === undefined || report.project === report.name ? [report.name] : [report.name, report.project];
    return { host: this.host, id: report.id, names, addresses: mine.map((each) => each.address) };
  }

  #ask(id: string, now: Instant): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    const { requests, refusals } = requestsOf(known.report, {
      host: this.host,
      directory: this.#roster.directory,
      trustImages: this.#around.policy().trustImages,
      since: known.since,
    });
    const others = this.#requests - known.asked.requests.length;
    const within = allowance(this.#around.policy().limits, others);
    if (requests.length <= within) this.#answer(known, requests, refusals, now);
    else this.#answer(known, [], [...refusals, overBudget(known.report, requests.length, within)], now);
  }

  #answer(known: Known, requests: Asked["requests"], unread: Asked["unread"], now: Instant): void {
    const policy = this.#around.policy();
    const context = this.#around.context();
    const decisions = requests.map((request) => decide(policy, request, context, now));
    this.#replace(known, { requests, decisions, unread, names: namesIn(requests), ends: nextEnd(decisions) });
  }

  #replace(known: Known, asked: Asked): void {
    const { id } = known.report;
    const before = known.asked;
    const kept = new Set(asked.decisions.flatMap((each) => (each.kind === "granted" ? [each.request.key] : [])));
    for (const each of before.decisions) {
      if (each.kind !== "granted") continue;
      this.#around.dirty(this.host, each.request.to);
      if (!kept.has(each.request.key)) this.#grants.drop(each.request);
    }
    for (const each of asked.decisions) if (each.kind === "granted") this.#grant(each);
    this.#requests += asked.requests.length - before.requests.length;
    this.#around.peers.depend({ host: this.host, id }, before.names, asked.names);
    if (asked.ends !== undefined && asked.ends !== before.ends) this.#around.endsAt(asked.ends, this.host, id);
    this.#known.set(id, { ...known, asked });
    this.#touched.add(id);
  }

  #grant(granted: Granted): void {
    if (this.#grants.put(granted)) this.#fresh.add(granted.request.key);
    this.#around.dirty(this.host, granted.request.to);
  }

  #wishAgain(wish: Granted, now: Instant): void {
    const decision = decide(this.#around.policy(), wish.request, this.#around.context(), now);
    if (decision.kind === "granted") {
      // Its end was told to the person, and does not move.
      this.#grant({ ...decision, ...(wish.ends === undefined ? {} : { ends: wish.ends }) });
      if (wish.ends !== undefined) this.#around.endsAt(wish.ends, this.host, wish.request.key);
    } else {
      this.#grants.drop(wish.request);
      this.#around.dirty(this.host, wish.request.to);
    }
  }

  /** What a report leads to as a whole: who is one too many, and what is told of refusals. */
  #finish(): void {
    const before = this.#over;
    this.#over = this.#grants.isWithinLimits() ? new Map() : this.#tooMany();
    for (const granted of before.size + this.#over.size > 0 ? this.#grants.all() : []) {
      const { key, to, container } = granted.request;
      if (before.has(key) === this.#over.has(key)) continue;
      this.#around.dirty(this.host, to);
      if (container !== undefined) this.#touched.add(container);
    }
    this.#fresh.clear();
    for (const id of this.#touched) {
      const known = this.#known.get(id);
      if (known !== undefined) this.#around.refused(this.host, known.report, this.refusalsOf(known));
    }
    this.#touched.clear();
  }

  /** Those that stood before stand first; after a start, those that the gateway holds. */
  #tooMany(): ReadonlyMap<string, Refusal> {
    const stands = (request: Request): boolean =>
      this.#around.isHeld(request) || (!this.#fresh.has(request.key) && !this.#over.has(request.key));
    const over = overLimits(this.#around.policy().limits, [...this.#grants.all()], stands);
    return new Map([...over].map(([{ key }, { refusal }]) => [key, refusal]));
  }
}

function shifted(wish: Granted, by: number): Granted {
  const request = { ...wish.request, since: instant(wish.request.since + by) };
  return { ...wish, request, ...(wish.ends === undefined ? {} : { ends: instant(wish.ends + by) }) };
}
