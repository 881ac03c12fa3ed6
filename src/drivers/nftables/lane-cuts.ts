import { type Instant, instant } from "../../base/time.ts";
import type { Address } from "../../net/address.ts";
import type { OpenService } from "../../openings/opening.ts";
import type { LiveFlow } from "./flows.ts";
import type { AdmissionTo } from "./lane-admission.ts";
import type { LaneWays, SetChange } from "./lane-ways.ts";

/** Milliseconds: how long closings are gathered, for reading the flows costs the same for one and for many. */
const gathers = 20;
/** Milliseconds until cutting is tried again after a failure. */
const rests = 1000;
/** Milliseconds that the kernel asks an address's flows again: long enough to be tried some times. */
const again = 60_000;
/** From now on the kernel asks every live flow to these addresses again whether it may go on. */
export function askAgain(addresses: readonly Address[], now: Instant): readonly SetChange[] {
  if (addresses.length === 0) return [];
  const ends = instant(now + again);
  const there = [...new Set(addresses)].map((to) => ({ kind: "live" as const, to, ends }));
  return [{ set: "again", kind: "live", gone: [], there }];
}

/**
 * Ends the live flows of what was closed. An element that is gone ends no flow, but with {@link askAgain} nothing gets
 * in through it any more; what is left is the way out, until connection tracking forgets the flow. That is done here,
 * a moment later and for many together.
 */
export class Cuts<F extends LiveFlow> {
  readonly #ways: LaneWays<F>;
  readonly #admits: AdmissionTo;
  #waiting = new Map<Address, readonly OpenService[]>();
  #cutting: ReadonlyMap<Address, readonly OpenService[]> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failed: unknown;

  constructor(ways: LaneWays<F>, admits: AdmissionTo) {
    this.#ways = ways;
    this.#admits = admits;
  }

  /** `services` are what is open there from now on. */
  add(to: Address, services: readonly OpenService[]): void {
    this.#waiting.set(to, services);
    this.#timer ??= setTimeout(() => void this.#start(), gathers);
  }

  /** Whether flows to the address are still to be ended. */
  has(to: Address): boolean {
    return this.#waiting.has(to) || this.#cutting.has(to);
  }

  /** Resolves when what was added for these addresses is done; rejects when it could not be, and goes on trying. */
  async settle(addresses: Iterable<Address> = [...this.#waiting.keys(), ...this.#cutting.keys()]): Promise<void> {
    const all = [...addresses];
    while (all.some((to) => this.has(to))) {
      await (this.#running ?? this.#start());
      this.throwIfFailed();
    }
  }

  /** Says once that cutting failed, though it is tried again. */
  throwIfFailed(): void {
    const cause = this.#failed;
    this.#failed = undefined;
    if (cause !== undefined) throw cause;
  }

  /** Nothing is tried any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #start(): Promise<void> {
    this.stop();
    if (this.#running !== undefined) return this.#running;
    const taken = this.#waiting;
    this.#waiting = new Map();
    this.#cutting = taken;
    this.#running = this.#cut(taken)
      .catch((cause: unknown) => this.#putBack(taken, cause))
      .finally(() => {
        this.#running = undefined;
        this.#cutting = new Map();
        if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => void this.#start(), gathers);
      });
    return this.#running;
  }

  async #putBack(taken: ReadonlyMap<Address, readonly OpenService[]>, cause: unknown): Promise<void> {
    this.#failed = cause;
    for (const [to, services] of taken) if (!this.#waiting.has(to)) this.#waiting.set(to, services);
    this.#timer ??= setTimeout(() => void this.#start(), rests);
    const now = instant(Date.now());
    await this.#ways.write(askAgain([...taken.keys()], now), now).catch(() => undefined);
  }

  async #cut(open: ReadonlyMap<Address, readonly OpenService[]>): Promise<void> {
    const flows = await this.#ways.flows(new Set(open.keys()));
    const shut = flows.filter((flow) => !this.#admits(flow, open.get(flow.to) ?? []));
    if (shut.length > 0) await this.#ways.cut(shut);
  }
}
