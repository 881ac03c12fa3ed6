import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger } from "../../src/addressing/ledger.ts";
import { Failure } from "../../src/base/failure.ts";
import type { HostName } from "../../src/base/name.ts";
import { type Instant, instant } from "../../src/base/time.ts";
import type {
  AgentView,
  Basis,
  Controller,
  ControllerEvent,
  JournalEntry,
  OpeningView,
  RefusalView,
  SuggestionView,
} from "../../src/controller/controller.ts";
import type { Count } from "../../src/drivers/members-lane.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { type Address, fromBits, parseAddress } from "../../src/net/address.ts";
import { baseBits, contains } from "../../src/net/prefix.ts";
import type { ContainerReport } from "../../src/openings/container-report.ts";
import type { OpenService } from "../../src/openings/opening.ts";

/** The lab's fleet with its numbers. */
export function labBasis(): Basis {
  const file = join(import.meta.dirname, "../../examples/lab.yaml");
  const fleet = parseFleet(readFileSync(file, "utf8"), "lab.yaml");
  if (!fleet.ok) throw new Error("examples/lab.yaml is not valid");
  const plan = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!plan.ok) throw new Error("examples/lab.yaml can't be numbered");
  return { fleet: fleet.value, plan: plan.value.plan };
}

/** What a test puts in, host by host. */
export type Scene = {
  openings: Map<string, OpeningView[]>;
  refusals: Map<string, RefusalView[]>;
  suggestions: Map<string, SuggestionView[]>;
  containers: Map<string, ContainerReport[]>;
  agents: AgentView[];
  gateway: { reached: boolean; error?: string; drift: number };
  /** What the gateway has counted; undefined: it does not count. `reads`: how often it was asked. */
  counts: Count[] | undefined;
  reads: number;
};

/** A Controller without agents and gateway: what a person opens is open, and everything is written down. */
export class MemoryController implements Controller {
  readonly scene: Scene = {
    openings: new Map(),
    refusals: new Map(),
    suggestions: new Map(),
    containers: new Map(),
    agents: [],
    gateway: { reached: true, drift: 0 },
    counts: [],
    reads: 0,
  };
  readonly #basis: Basis;
  readonly #now: () => Instant;
  readonly #listeners = new Set<(event: ControllerEvent) => void>();
  readonly journalEntries: JournalEntry[] = [];
  readonly #started: Instant;
  constructor(now: () => Instant = () => instant(Date.now()), basis: Basis = labBasis()) {
    this.#now = now;
    this.#basis = basis;
    this.#started = now();
  }

  emit(event: ControllerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  status(): ReturnType<Controller["status"]> {
    return {
      fleet: this.#basis.fleet.name,
      version: "0.0.0-test",
      started: this.#started,
      complete: true,
      gateway: this.scene.gateway,
      openings: [...this.scene.openings.values()].reduce((sum, each) => sum + each.length, 0),
      refusals: [...this.scene.refusals.values()].reduce((sum, each) => sum + each.length, 0),
      agents: {
        all: this.scene.agents.length,
        connected: this.scene.agents.filter((agent) => agent.state === "connected").length,
      },
      journal: { entries: this.journalEntries.length, head: this.journalEntries.at(-1)?.hash ?? "" },
      latency: { count: 0 },
    };
  }

  basis(): Basis {
    return this.#basis;
  }

  hosts(): readonly HostName[] {
    return [
      ...new Set([...this.#basis.fleet.hosts.keys(), ...(this.scene.openings.keys() as Iterable<HostName>)]),
    ].sort();
  }

  openings(host?: HostName): readonly OpeningView[] {
    return ofHost(this.scene.openings, host);
  }

  opening(id: string): OpeningView | undefined {
    return this.openings().find((each) => each.id === id);
  }

  refusals(host?: HostName): readonly RefusalView[] {
    return ofHost(this.scene.refusals, host);
  }

  suggestions(host?: HostName): readonly SuggestionView[] {
    return ofHost(this.scene.suggestions, host);
  }

  containers(host: HostName): readonly ContainerReport[] {
    return ofHost(this.scene.containers, host);
  }

  agents(): readonly AgentView[] {
    return this.scene.agents;
  }

  async inForce(to: Address): Promise<readonly OpenService[]> {
    if (!this.scene.gateway.reached) throw new Failure("E503", "fw", "Not reached", "look at the gateway");
    return this.openings()
      .filter((opening) => opening.to === to)
      .map(({ service, from, ends }) => (ends === undefined ? { service, from } : { service, from, ends }));
  }

  async counts(hosts: readonly HostName[]): Promise<readonly Count[] | undefined> {
    this.scene.reads += 1;
    if (!this.scene.gateway.reached) throw new Failure("E503", "fw", "Not reached", "look at the gateway");
    const blocks = this.#basis.plan.hosts.flatMap(({ host, block }) => (hosts.includes(host) ? [block] : []));
    return this.scene.counts?.filter(({ to }) => blocks.some((block) => contains(block, to)));
  }

  async open(...[by, wish]: Parameters<Controller["open"]>): Promise<readonly OpeningView[]> {
    const { host, to, container } = this.#target(wish.to);
    const opened = wish.services.map(
      (service): OpeningView => ({
        id: randomUUID(),
        host,
        ...(container === undefined ? {} : { container: { id: "0".repeat(64), name: container } }),
        to,
        service,
        from: wish.from,
        state: "open",
        askedBy: { kind: "person", name: by.name, text: "" },
        reason: wish.reason,
        grantedBy: "test",
        since: this.#now(),
        ends: instant(this.#now() + wish.lasts * 1000),
      }),
    );
    this.scene.openings.set(host, [...(this.scene.openings.get(host) ?? []), ...opened]);
    await this.note(by, "opened", { to, reason: wish.reason });
    for (const opening of opened) this.emit({ kind: "opened", at: this.#now(), opening, ms: 12 });
    return opened;
  }

  async close(...[by, id, reason]: Parameters<Controller["close"]>): Promise<void> {
    const opening = this.openings().find((each) => each.id === id);
    if (opening === undefined) throw new Failure("E224", id, "No opening has this id", "list them");
    if (opening.askedBy.kind !== "person")
      throw new Failure("E207", id, "Asked for by a label: it closes with its container", "stop the container");
    const all = this.scene.openings.get(opening.host) ?? [];
    this.scene.openings.set(
      opening.host,
      all.filter((each) => each.id !== id),
    );
    await this.note(by, "closed", { id, reason });
    this.emit({ kind: "closed", at: this.#now(), opening, why: reason });
  }

  async invite(...[by, host]: Parameters<Controller["invite"]>): ReturnType<Controller["invite"]> {
    await this.note(by, "invited", { host });
    return { host, token: `join-${randomUUID()}`, ends: instant(this.#now() + 3_600_000) };
  }

  async revoke(...[by, host, reason]: Parameters<Controller["revoke"]>): Promise<void> {
    await this.note(by, "revoked", { host, reason });
  }

  async journal(after: number, most: number): Promise<readonly JournalEntry[]> {
    return this.journalEntries.slice(after, after + most);
  }

  async note(...[by, what, detail]: Parameters<Controller["note"]>): Promise<void> {
    const entry = { sequence: this.journalEntries.length + 1, at: this.#now(), who: by.name, what, detail };
    this.journalEntries.push({ ...entry, hash: hashOf(this.journalEntries.at(-1)?.hash ?? "", entry) });
  }

  async verifyJournal(): Promise<number | undefined> {
    const broken = this.journalEntries.find(
      ({ hash, ...entry }, i) => hash !== hashOf(this.journalEntries[i - 1]?.hash ?? "", entry),
    );
    return broken?.sequence;
  }

  watch(listener: (event: ControllerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #target(text: string): { readonly host: HostName; readonly to: Address; readonly container?: string } {
    const address = parseAddress(text);
    const { fleet, plan } = this.#basis;
    const block = address === undefined ? undefined : plan.hosts.find((each) => contains(each.block, address));
    if (address !== undefined && block !== undefined) return { host: block.host, to: address };
    const [name, container = ""] = text.split("/");
    const host = plan.hosts.find((each) => each.host === name);
    const reserved = host === undefined ? undefined : fleet.hosts.get(host.host)?.docker.containers.get(container);
    const network = host?.networks.find((each) => each.name === reserved?.network);
    if (host === undefined || reserved === undefined || network === undefined)
      throw new Failure("E223", "to", `Not in a host's block: ${text}`, "name host/container");
    return { host: host.host, to: fromBits(baseBits(network.prefix) + reserved.suffix), container };
  }
}

function ofHost<T>(all: Map<string, T[]>, host: string | undefined): readonly T[] {
  return host === undefined ? [...all.values()].flat() : (all.get(host) ?? []);
}

function hashOf(before: string, entry: object): string {
  return createHash("sha256").update(before).update(JSON.stringify(entry)).digest("hex");
}
