import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Held, MembersLane } from "../drivers/members-lane.ts";
import type { Address } from "../net/address.ts";
import { Dirty, type Mark } from "./dirty.ts";
import { type LaneWriterOptions, opensMore, operationsOf, type State, type Step, stepTo } from "./lane-state.ts";
import { sameAsRead } from "./same-services.ts";

/** Elements in one transaction: a giant one would hold the kernel's lock for long. Addresses in one, with those where nothing changes. */
const most = { operations: 1000, addresses: 5000 };
/** Milliseconds: the first wait after a failure, the longest; until what was refused, and what waited, is tried again. */
const wait = { first: 100, longest: 30_000, refused: 10_000, postponed: 1000 };
/** Milliseconds that the gateway may take for a change, and for telling all it holds. */
const deadline = { change: 30_000, read: 120_000 };
/** Milliseconds between two looks at all that the gateway holds: at least, and as a multiple of how long one takes. */
const look = { least: 60_000, share: 100 };
/** Addresses that are compared before others get their turn. */
const atOnce = 5000;
/** Refusals of one address alone until the others go on without it. */
const strikesOut = 3;

/**
 * Keeps the gateway as it should be, the only one who writes to it. What is marked first goes at once; what comes while
 * the gateway is busy goes together in the next transaction. After a failure the gateway is read before it is written
 * to again: nobody knows then what it took.
 */
export class LaneWriter {
  readonly #options: LaneWriterOptions;
  readonly #inForce = new Map<Address, State>();
  readonly #dirty = new Dirty();
  /** Waits until new things may be opened. */
  readonly #postponed = new Map<Address, Mark>();
  /** Refused by the gateway, each by itself: how often, and what waits for its next try. */
  readonly #strikes = new Map<Address, { count: number; mark?: Mark }>();
  /** What is being written now; and what was written while the gateway was being read, so that the reading is old. */
  #pending: ReadonlySet<Address> = new Set();
  #touched: Set<Address> | undefined;
  #working: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #lane: MembersLane;
  #hasStarted = false;
  #isChanging = false;
  #isUnsure = false;
  #isResting = false;
  #onlyCloses = false;
  #isStopped = false;
  #limit = most.operations;
  #failures = 0;
  #failing: Failure | undefined;
  #lastFailure: Failure | undefined;

  constructor(options: LaneWriterOptions) {
    this.#options = options;
    this.#lane = options.lane;
  }

  /** Reads what the gateway holds and takes it over as it is. Rejects where it can't be read; nothing is written before. */
  async start(): Promise<readonly Held[]> {
    const began = this.#options.clock.steady();
    const held = await this.#read();
    for (const { host, to, services } of held) this.#inForce.set(to, { host, owner: undefined, services, grants: [] });
    this.#lookAfter(this.#options.clock.steady() - began);
    this.#hasStarted = true;
    return held;
  }

  inForce(to: Address): State | undefined {
    return this.#inForce.get(to);
  }

  failing(): Failure | undefined {
    return this.#failing;
  }

  /** Why it failed last, also when it goes on since. */
  get lastFailure(): Failure | undefined {
    return this.#lastFailure;
  }

  /** Something at this address may be different from now on. */
  mark(mark: Mark): void {
    this.#dirty.add(mark);
    this.#kick();
  }

  /** New things may be opened again. */
  resume(): void {
    for (const mark of this.#postponed.values()) this.#dirty.add(mark);
    this.#postponed.clear();
    this.#kick();
  }

  /** Another way to the gateway, which has other hosts: what belongs to others is not there any more. It is read first. */
  async use(lane: MembersLane, hosts: ReadonlySet<HostName>): Promise<void> {
    this.#isChanging = true;
    await this.settled();
    this.#lane = lane;
    this.#isChanging = false;
    const at = this.#options.clock.now();
    for (const [to, before] of this.#inForce) {
      if (hosts.has(before.host)) continue;
      this.#inForce.delete(to);
      const after = { host: before.host, owner: undefined, services: [], grants: [] };
      this.#options.applied({ to, before, after, at });
    }
    this.#isUnsure = this.#hasStarted;
    this.#kick();
  }

  /** Resolves when nothing is left to do now, or nothing can be done. */
  async settled(): Promise<void> {
    while (this.#working !== undefined || this.#looking !== undefined) {
      await this.#working;
      await this.#looking;
    }
  }

  /** Ends what is under way, and begins nothing more. The gateway stays as it is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  #mayWork(): boolean {
    return this.#hasStarted && !this.#isChanging && !this.#isStopped && !this.#isResting && this.#options.isWriter();
  }

  #kick(): void {
    if (this.#working !== undefined || (this.#dirty.size === 0 && !this.#isUnsure) || !this.#mayWork()) return;
    // Behind what runs now: whoever marks one has more to mark.
    this.#working = Promise.resolve()
      .then(() => this.#work())
      .finally(() => {
        this.#working = undefined;
        this.#kick();
      });
  }

  async #work(): Promise<void> {
    while ((this.#dirty.size > 0 || this.#isUnsure) && this.#mayWork()) {
      let steps: readonly Step[] = [];
      try {
        if (this.#isUnsure) await this.#readAgain();
        steps = this.#take();
        if (await this.#write(steps)) this.#succeeded();
      } catch (cause) {
        this.#failed(steps, cause);
        return;
      }
    }
  }

  #take(): readonly Step[] {
    const steps: Step[] = [];
    const mayOpen = this.#options.mayOpen() && !this.#onlyCloses;
    for (let operations = 0; operations < this.#limit && steps.length < most.addresses; ) {
      const mark = this.#dirty.take();
      if (mark === undefined) break;
      const strikes = this.#strikes.get(mark.to);
      if (strikes !== undefined && strikes.count >= strikesOut) {
        strikes.mark = mark;
        continue;
      }
      const wanted = this.#options.wanted(mark.host, mark.to);
      const step = stepTo(mark, this.#inForce.get(mark.to), wanted, mayOpen);
      if (step.isPostponed) this.#postpone(mark);
      steps.push(step);
      operations += operationsOf(step);
    }
    return steps;
  }

  #postpone(mark: Mark): void {
    if (this.#postponed.size === 0) this.#options.clock.after(wait.postponed, () => this.resume());
    this.#postponed.set(mark.to, mark);
  }

  /** False where it could not even begin: nothing was told to the gateway then. */
  async #write(steps: readonly Step[]): Promise<boolean> {
    const { clock, prepare } = this.#options;
    const lane = this.#lane;
    const changes = steps.flatMap((step) => step.changes);
    if (changes.length > 0) {
      const opening = steps.filter(opensMore).map(({ after }) => after);
      try {
        if (opening.length > 0) await prepare(opening);
      } catch {
        this.#closeOnly(steps);
        return false;
      }
      this.#pending = new Set(changes.map(({ to }) => to));
      try {
        await this.#inTime(deadline.change, (signal) => lane.change(changes, clock.now(), signal));
      } finally {
        for (const to of this.#pending) this.#touched?.add(to);
        this.#pending = new Set();
      }
    }
    const at = clock.now();
    for (const step of steps) this.#settle(step, at);
    return true;
  }

  #settle({ mark: { to, eventAt }, before, after, changes }: Step, at: Instant): void {
    if (after.services.length === 0) this.#inForce.delete(to);
    else
      this.#inForce.set(
        to,
        changes.length === 0 && before !== undefined ? { ...after, services: before.services } : after,
      );
    this.#strikes.delete(to);
    this.#options.applied({ to, before, after, at, ...(eventAt === undefined ? {} : { eventAt }) });
  }

  /** Nobody can write down what would be opened: for a while only closings go through. */
  #closeOnly(steps: readonly Step[]): void {
    for (const { mark } of steps) this.#dirty.add(mark);
    if (this.#onlyCloses) return;
    this.#onlyCloses = true;
    this.#options.clock.after(wait.postponed, () => {
      this.#onlyCloses = false;
    });
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#limit = Math.min(most.operations, this.#limit * 2);
    if (this.#failing === undefined) return;
    this.#failing = undefined;
    this.#options.reached(undefined);
  }

  #failed(steps: readonly Step[], cause: unknown): void {
    const failure = cause instanceof Failure ? cause : laneFailure(cause);
    this.#isUnsure = true;
    this.#limit = Math.max(1, this.#limit >> 1);
    for (const { mark } of steps) this.#dirty.add(mark);
    const changed = steps.filter(({ changes }) => changes.length > 0);
    const [alone] = changed;
    if (alone !== undefined && changed.length === 1) this.#strike(alone.mark, failure);
    if (this.#failing === undefined) this.#options.reached(failure);
    this.#failing = failure;
    this.#lastFailure = failure;
    this.#isResting = true;
    const rest = Math.min(wait.longest, wait.first * 2 ** this.#failures++);
    this.#options.clock.after(rest, () => {
      this.#isResting = false;
      this.#kick();
    });
  }

  /** One that is refused again and again by itself is left out for a while, so that the others go on. */
  #strike(mark: Mark, failure: Failure): void {
    const { to, host } = mark;
    const strikes = this.#strikes.get(to) ?? { count: 0 };
    this.#strikes.set(to, strikes);
    strikes.count++;
    if (strikes.count !== strikesOut) return;
    this.#options.refused(to, host, failure);
    this.#options.clock.after(wait.refused, () => {
      this.#strikes.delete(to);
      this.mark(strikes.mark ?? mark);
    });
  }

  #read(): Promise<readonly Held[]> {
    return this.#inTime(deadline.read, (signal) => this.#lane.read(signal));
  }

  /** What the gateway took of a change that failed is known again. */
  async #readAgain(): Promise<void> {
    const held = await this.#read();
    this.#isUnsure = false;
    this.#failures = 0;
    await this.#compare(held, () => undefined);
    if (this.#dirty.size === 0) this.#succeeded();
  }

  #lookAfter(took: number): void {
    this.#options.clock.after(Math.max(look.least, took * look.share), () => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    });
  }

  /** Whether somebody else has changed the gateway. Changes go on beside it. */
  async #look(): Promise<void> {
    if (this.#isStopped) return;
    const began = this.#options.clock.steady();
    try {
      if (!this.#mayWork() || this.#isUnsure) return;
      this.#touched = new Set(this.#pending);
      const held = await this.#read();
      if (this.#isUnsure) return;
      let differences = 0;
      await this.#compare(held, (to, host) => {
        differences++;
        this.#options.drifted(to, host);
      });
      this.#options.looked(differences);
    } catch (cause) {
      this.#failed([], cause);
    } finally {
      this.#touched = undefined;
      this.#lookAfter(this.#options.clock.steady() - began);
    }
  }

  /** Takes over what was read where it is not as it was thought to be, and marks it. Others get their turns meanwhile. */
  async #compare(held: readonly Held[], differs: (to: Address, host: HostName) => void): Promise<void> {
    const found = new Set<Address>();
    for (const [n, { to, host, services }] of held.entries()) {
      if (n % atOnce === atOnce - 1) await others();
      found.add(to);
      if (this.#takeOver(to, host, services)) differs(to, host);
    }
    let n = 0;
    for (const [to, { host }] of this.#inForce) {
      if (++n % atOnce === 0) await others();
      if (!found.has(to) && this.#takeOver(to, host, [])) differs(to, host);
    }
  }

  /** Whether it is another state than was thought. What is being changed, or was meanwhile, is known better than that. */
  #takeOver(to: Address, host: HostName, services: State["services"]): boolean {
    if (this.#touched?.has(to) === true || this.#pending.has(to)) return false;
    const known = this.#inForce.get(to);
    if (sameAsRead(known?.services ?? [], services, this.#options.clock.now())) return false;
    this.#inForce.set(to, { host, owner: known?.owner, services, grants: known?.grants ?? [] });
    this.mark({ host, to });
    return true;
  }

  #inTime<T>(milliseconds: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    return new Promise((resolve, reject) => {
      const callOff = this.#options.clock.after(milliseconds, () => {
        stop.abort();
        reject(laneFailure(`No answer within ${milliseconds / 1000} s`));
      });
      work(stop.signal).then(resolve, reject).finally(callOff);
    });
  }
}

export function laneFailure(cause: unknown): Failure {
  const text = cause instanceof Error ? cause.message : String(cause);
  const fix = "openings stay as they are; it is tried again";
  return new Failure("E950", "gateway", text, fix, { cause });
}

/** Resolves when others had their turn. */
function others(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
