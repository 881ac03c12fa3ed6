import { Failure } from "../src/base/failure.ts";
import type { HostName } from "../src/base/name.ts";
import { type Instant, instant } from "../src/base/time.ts";
import type { AddressChange, Held, MembersLane } from "../src/drivers/members-lane.ts";
import type { Address } from "../src/net/address.ts";
import type { OpenService } from "../src/openings/opening.ts";
import { formatService } from "../src/openings/services.ts";
import type { Clock } from "../src/runtime/clock.ts";

/** What a gateway does at the worst moment: refuse before anything was changed, or fail after all of it was. */
export type Fault = "before" | "after" | "read";

/** `ends` by the steady clock. */
type Element = { readonly host: HostName; readonly service: OpenService };

/**
 * A gateway as a kernel keeps it: elements that end by its own clock, transactions that are all or nothing. Several
 * lanes into it are several controllers, one after the other.
 */
export class FakeGateway {
  readonly elements = new Map<Address, Map<string, Element>>();
  /** Each strikes once. */
  readonly faults: Fault[] = [];
  /** Addresses that a change may not name. */
  readonly poison = new Set<Address>();
  /** Every change that was taken, in order. */
  readonly log: AddressChange[] = [];
  transactions = 0;
  reads = 0;
  /** Live flows that were cut: address and service. */
  readonly cut: string[] = [];
  /** Resolves when the gateway may answer; for a slow one. */
  busy: Promise<void> = Promise.resolve();
  readonly #clock: Clock;
  readonly #keepsLog: boolean;

  constructor(clock: Clock, keepsLog = true) {
    this.#clock = clock;
    this.#keepsLog = keepsLog;
  }

  lane(): MembersLane {
    return {
      normalize: (services) => services,
      read: async () => {
        this.reads++;
        await this.busy;
        if (this.#strikes("read")) throw new Failure("E503", "gateway", "Read cut off half-way", "try again");
        return this.held();
      },
      readAt: async (to) => {
        await this.busy;
        if (this.#strikes("read")) throw new Failure("E503", "gateway", "Read cut off half-way", "try again");
        return this.held().find((each) => each.to === to)?.services ?? [];
      },
      change: async (changes, now) => {
        this.transactions++;
        await this.busy;
        if (this.#strikes("before")) throw new Failure("E503", "gateway", "Not reached", "try again");
        if (changes.some(({ to }) => this.poison.has(to))) throw new Failure("E511", "gateway", "Refused", "look");
        for (const each of changes) this.#take(each, now);
        if (this.#strikes("after")) throw new Failure("E503", "gateway", "No answer", "try again");
      },
      end: async () => undefined,
    };
  }

  /** In order of addresses; services in the order in which they were added. */
  held(): readonly Held[] {
    this.#endOld();
    return [...this.elements].flatMap(([to, services]) => {
      const all = [...services.values()];
      const [first] = all;
      return first === undefined ? [] : [{ host: first.host, to, services: all.map((each) => this.#told(each)) }];
    });
  }

  #told({ service }: Element): OpenService {
    const left = (service.ends ?? 0) - this.#clock.steady();
    return service.ends === undefined ? service : { ...service, ends: instant(this.#clock.now() + left) };
  }

  /** `address service from…` of all that is open now, sorted. */
  open(): readonly string[] {
    return this.held()
      .flatMap(({ to, services }) => services.map((each) => `${to} ${keyOf(each)}`))
      .sort();
  }

  /** Somebody at the gateway's own keyboard. */
  foreignAdd(host: HostName, to: Address, service: OpenService): void {
    this.#take({ host, to, before: [], after: [service] }, this.#clock.now());
  }

  foreignFlush(): void {
    this.elements.clear();
  }

  #take(change: AddressChange, now: Instant): void {
    if (this.#keepsLog) this.log.push(change);
    const { host, to, before, after } = change;
    const services = this.elements.get(to) ?? new Map<string, Element>();
    const kept = new Set(after.map(keyOf));
    for (const each of before) {
      if (kept.has(keyOf(each))) continue;
      services.delete(keyOf(each));
      if (this.#keepsLog) this.cut.push(`${to} ${keyOf(each)}`);
    }
    // A kernel is told how much is left, not when.
    for (const each of after) {
      const ends = each.ends === undefined ? {} : { ends: instant(each.ends - now + this.#clock.steady()) };
      services.set(keyOf(each), { host, service: { service: each.service, from: each.from, ...ends } });
    }
    if (services.size === 0) this.elements.delete(to);
    else this.elements.set(to, services);
  }

  #endOld(): void {
    const now = this.#clock.steady();
    for (const [to, services] of this.elements) {
      for (const [key, { service }] of services) if ((service.ends ?? now + 1) <= now) services.delete(key);
      if (services.size === 0) this.elements.delete(to);
    }
  }

  #strikes(fault: Fault): boolean {
    if (this.faults[0] !== fault) return false;
    this.faults.shift();
    return true;
  }
}

function keyOf({ service, from }: OpenService): string {
  return `${formatService(service)} from ${from.join(",")}`;
}
