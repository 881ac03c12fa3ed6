import { Failure } from "../../../base/failure.ts";
import type { Instant } from "../../../base/time.ts";
import type { GatewayDesired } from "../../../desired/desired.ts";
import type { Address } from "../../../net/address.ts";
import { contains, type Prefix, prefixOf } from "../../../net/prefix.ts";
import type { AddressChange, MembersLane } from "../../members-lane.ts";
import { roundsOf } from "../../rounds.ts";
import { type ServiceModel, serviceModel } from "../policy.ts";
import { type AdmissionTo, admissionTo, flowOf } from "./admission.ts";
import type { LaneDevice, Shown } from "./device.ts";
import { type Entry, heldOf, normalize, parseTableName, type Step, servicesOf, stepOf } from "./entries.ts";
import { IdleTables } from "./idle.ts";

/** Aliases and rules of services that were not open before: by the product's configuration, once for each. */
export type LaneStructure = {
  /** Makes what is not there yet, and loads it. What is there already stays as it is. */
  make(services: readonly ServiceModel[], signal?: AbortSignal): Promise<void>;
  /** Takes away rules and aliases of tables that hold nothing. One that somebody else's rule or alias names stays. */
  drop(tables: readonly string[], signal?: AbortSignal): Promise<void>;
};

export type LaneLimits = {
  /** Tables of the lane: rules and reloads stay cheap on both products. */
  readonly tables: number;
  /** Milliseconds after which a table that nothing is in may go. */
  readonly idle: number;
};

export const laneLimits: LaneLimits = { tables: 500, idle: 24 * 3_600_000 };

export type LaneParts = {
  readonly device: LaneDevice;
  readonly structure: LaneStructure;
  readonly limits?: LaneLimits | undefined;
};

/** The members lane of a firewall with pf: containers are entries of tables, and a rule is made for a new service only. */
export class PfLane implements MembersLane {
  readonly #device: LaneDevice;
  readonly #structure: LaneStructure;
  readonly #desired: GatewayDesired;
  readonly #hosts: ReadonlyMap<Prefix, AddressChange["host"]>;
  readonly #admits: AdmissionTo;
  readonly #limits: LaneLimits;
  readonly #idle = new IdleTables();
  /** Tables with their rules, as they were seen last. */
  #ready: ReadonlySet<string> = new Set();
  /** What was found and belongs to no host: a table lets it in all the same, so it is taken out. */
  #strays: readonly Entry[] = [];
  #earlier: Promise<unknown> = Promise.resolve();

  constructor({ device, structure, limits = laneLimits }: LaneParts, desired: GatewayDesired) {
    this.#limits = limits;
    this.#device = device;
    this.#structure = structure;
    this.#desired = desired;
    this.#hosts = new Map(desired.hosts.map(({ host, block }) => [block, host]));
    this.#admits = admissionTo(desired);
  }

  normalize: MembersLane["normalize"] = normalize;

  async read(signal?: AbortSignal): ReturnType<MembersLane["read"]> {
    const shown = await this.#look(signal);
    this.#strays = shown.entries.filter(({ to }) => this.#hostOf(to) === undefined);
    return heldOf(shown.entries, (to) => this.#hostOf(to));
  }

  async readAt(to: Address, signal?: AbortSignal): ReturnType<MembersLane["readAt"]> {
    if (this.#hostOf(to) === undefined) return [];
    const { entries } = await this.#device.show(to, signal);
    return servicesOf(entries.filter((each) => each.to === to));
  }

  change(changes: readonly AddressChange[], now: Instant, signal?: AbortSignal): Promise<void> {
    // One after the other: what a change closes is judged by the state that it leads to.
    const mine = this.#earlier.then(() => this.#go(changes, now, signal));
    this.#earlier = mine.catch(() => undefined);
    return mine;
  }

  async end(): Promise<void> {
    await this.#earlier;
  }

  async #go(changes: readonly AddressChange[], now: Instant, signal?: AbortSignal): Promise<void> {
    for (const each of changes) this.#mustBeInBlock(each);
    for (const round of roundsOf(changes)) {
      const steps = round.map((each) => stepOf(each, now));
      signal?.throwIfAborted();
      await this.#step(steps, signal);
    }
  }

  async #step(steps: readonly Step[], signal?: AbortSignal): Promise<void> {
    const strays = this.#strays;
    const there = steps.flatMap((each) => each.there);
    const gone = [...strays, ...steps.flatMap((each) => each.gone)];
    const closed = new Map(steps.filter(({ closes }) => closes).map(({ to, after }) => [to, after]));
    for (const { to } of strays) closed.set(to, []);
    if (there.length + gone.length === 0) return;
    this.#idle.use(there.map(({ table }) => table));
    await this.#prepare(there, signal);
    const change = { gone, there, ask: [...closed.keys()] };
    let states = await this.#device.change(change, signal);
    if (states === undefined) {
      // A table that was there is not any more: somebody put back an old configuration.
      this.#ready = new Set();
      await this.#prepare(there, signal);
      states = await this.#device.change(change, signal);
    }
    if (states === undefined) throw this.#notInForce(there.map(({ table }) => table));
    this.#strays = [];
    const shut = states.filter((state) => {
      const flow = flowOf(state);
      const after = flow === undefined ? undefined : closed.get(flow.to);
      return flow !== undefined && after !== undefined && !this.#admits(flow, after);
    });
    if (shut.length > 0) await this.#device.cut(shut, signal);
  }

  /** What opens has its tables and rules, loaded, before it is put there. */
  async #prepare(there: readonly Entry[], signal?: AbortSignal): Promise<void> {
    const missing = new Map<string, Entry>();
    for (const each of there) if (!this.#ready.has(each.table)) missing.set(each.table, each);
    if (missing.size === 0) return;
    await this.#look(signal);
    for (const table of missing.keys()) if (this.#ready.has(table)) missing.delete(table);
    if (missing.size === 0) return;
    await this.#makeRoom(missing.size, new Set(there.map(({ table }) => table)), signal);
    this.#mustBePossible([...missing.values()]);
    const models = [...missing.values()].map(({ table, service, from }) =>
      serviceModel(this.#desired, parseTableName(table)?.timed === true ? "t" : "l", service, from, []),
    );
    await this.#structure.make(models, signal);
    await this.#look(signal);
    const lacking = [...missing.keys()].filter((table) => !this.#ready.has(table));
    if (lacking.length > 0) throw this.#notInForce(lacking);
  }

  /** The rules are loaded anew for what is made, so this is when what nobody uses any more costs least to take away. */
  async #makeRoom(more: number, needed: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
    const { tables, idle } = this.#limits;
    const atLeast = Math.max(0, this.#ready.size + more - tables);
    const gone = this.#idle.toTakeAway({ before: performance.now() - idle, atLeast, needed });
    if (gone.length === 0) return;
    await this.#structure.drop(gone, signal);
    await this.#look(signal);
  }

  async #look(signal?: AbortSignal): Promise<Shown> {
    const shown = await this.#device.show(undefined, signal);
    this.#ready = shown.ready;
    this.#idle.see(shown.ready, new Set(shown.entries.map(({ table }) => table)), performance.now());
    return shown;
  }

  #hostOf(to: Address): AddressChange["host"] | undefined {
    return this.#hosts.get(prefixOf(to, this.#desired.hostLength));
  }

  #mustBeInBlock({ host, to }: AddressChange): void {
    const block = this.#desired.hosts.find((each) => each.host === host)?.block;
    if (block !== undefined && contains(block, to)) return;
    const text = block === undefined ? `Host "${host}" isn't behind this gateway` : `Not in ${host}'s block ${block}`;
    throw new Failure("E422", `${this.#at()} opening to ${to}`, text, "open an address of the host's own block");
  }

  #mustBePossible(missing: readonly Entry[]): void {
    const strange = missing.find(({ service }) => service.kind === "ports" && service.transport === "sctp");
    if (strange !== undefined)
      throw new Failure(
        "E454",
        `${this.#at()} opening to ${strange.to}`,
        "A pf gateway has no rules for SCTP here",
        "use a Linux gateway for it, or tcp and udp",
      );
    const all = this.#ready.size + missing.length;
    if (all > this.#limits.tables)
      throw new Failure(
        "E593",
        this.#at(),
        `${all} different services with different sources, at most ${this.#limits.tables}`,
        "let containers share ports and sources; those that nobody uses are taken away already",
      );
  }

  #notInForce(tables: readonly string[]): Failure {
    return new Failure(
      "E594",
      this.#at(),
      `Made, but not loaded as it should be: the rule for ${tables.slice(0, 3).join(", ")}`,
      "see that it is not switched off on the device, and look at the device's notices: its rules may not load",
    );
  }

  #at(): string {
    return this.#desired.device;
  }
}
