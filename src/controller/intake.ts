import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { Clock } from "../runtime/clock.ts";
import { Bucket } from "./bucket.ts";
import type { Received } from "./report-sink.ts";

/** Where reports go when it is their turn. */
export type IntakeTarget = {
  snapshot(host: HostName, reports: readonly ContainerReport[], eventAt: Instant | undefined): void;
  delta(host: HostName, put: readonly ContainerReport[], gone: readonly string[], eventAt: Instant | undefined): void;
};

/** Milliseconds of work that one host may cause: at once, and for each second that passes. */
const budget = { burst: 500, perSecond: 150 } as const;
/** Milliseconds until a host that has used up its budget gets another turn. */
const turn = 50;

type Waiting = {
  /** All of the host's containers, where a snapshot waits; what follows it is in it already. */
  snapshot?: Map<string, ContainerReport>;
  /** By container: whether it was gone in between, and what it is now, if anything. In the order in which they came. */
  readonly changes: Map<string, { readonly wasGone: boolean; readonly report?: ContainerReport }>;
  eventAt: Instant | undefined;
};

type Account = { readonly bucket: Bucket; waiting?: Waiting };

/**
 * Hands reports on at once, as long as their host does not cost more work than its share. Then they wait, and only the
 * last of each container counts: a host that reports without end keeps nobody busy but itself.
 */
export class Intake {
  readonly #target: IntakeTarget;
  readonly #clock: Clock;
  readonly #accounts = new Map<HostName, Account>();

  constructor(target: IntakeTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  snapshot(host: HostName, reports: readonly ContainerReport[], { eventAt }: Received): void {
    const account = this.#accountOf(host);
    if (account.waiting === undefined && this.#mayGo(account)) {
      this.#spend(account, () => this.#target.snapshot(host, reports, eventAt));
      return;
    }
    const waiting = this.#wait(host, account, eventAt);
    waiting.snapshot = new Map(reports.map((each) => [each.id, each]));
    waiting.changes.clear();
  }

  delta(host: HostName, put: readonly ContainerReport[], gone: readonly string[], { eventAt }: Received): void {
    const account = this.#accountOf(host);
    if (account.waiting === undefined && this.#mayGo(account)) {
      this.#spend(account, () => this.#target.delta(host, put, gone, eventAt));
      return;
    }
    const { snapshot, changes } = this.#wait(host, account, eventAt);
    for (const id of gone) {
      changes.delete(id);
      if (snapshot === undefined) changes.set(id, { wasGone: true });
      else snapshot.delete(id);
    }
    for (const report of put) {
      const { id } = report;
      const wasGone = changes.get(id)?.wasGone ?? false;
      changes.delete(id);
      if (snapshot === undefined) changes.set(id, { wasGone, report });
      else snapshot.set(id, report);
    }
  }

  #accountOf(host: HostName): Account {
    const now = this.#clock.steady();
    const account = this.#accounts.get(host) ?? { bucket: new Bucket(budget, now) };
    this.#accounts.set(host, account);
    return account;
  }

  #mayGo({ bucket }: Account): boolean {
    return bucket.wait(this.#clock.steady()) === 0;
  }

  #spend(account: Account, work: () => void): void {
    const began = this.#clock.steady();
    work();
    const now = this.#clock.steady();
    account.bucket.take(now - began, now);
  }

  #wait(host: HostName, account: Account, eventAt: Instant | undefined): Waiting {
    if (account.waiting === undefined) {
      account.waiting = { changes: new Map(), eventAt };
      this.#clock.after(turn, () => this.#again(host));
    }
    account.waiting.eventAt ??= eventAt;
    return account.waiting;
  }

  #again(host: HostName): void {
    const account = this.#accountOf(host);
    const { waiting } = account;
    if (waiting === undefined) return;
    if (!this.#mayGo(account)) {
      this.#clock.after(turn, () => this.#again(host));
      return;
    }
    delete account.waiting;
    this.#spend(account, () => this.#handOn(host, waiting));
  }

  #handOn(host: HostName, { snapshot, changes, eventAt }: Waiting): void {
    if (snapshot !== undefined) this.#target.snapshot(host, [...snapshot.values()], eventAt);
    // One after the other, as they came: an address goes from one to the next by this order.
    for (const [id, { wasGone, report }] of changes)
      this.#target.delta(host, report === undefined ? [] : [report], wasGone ? [id] : [], eventAt);
  }
}
