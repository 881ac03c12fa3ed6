import type { AgentFrame, ByeReason, ControllerFrame } from "../agent/frames.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import { contains, type Prefix } from "../net/prefix.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { AgentFacts, Received, ReportSink } from "./report-sink.ts";

/** What is known of a host's reports beyond one connection: by it a replay is told from news. */
export type Memory = { epoch: string; sequence: number; readonly former: string[] };

/** Epochs of a host that are remembered after they were followed by another. */
const formerEpochs = 64;

/** Claims to foreign addresses that are remembered, so as not to be told again. */
const foreignClaims = 4096;

export function newMemory(): Memory {
  return { epoch: "", sequence: 0, former: [] };
}

export type SessionOptions = {
  readonly host: HostName;
  /** Addresses outside it are refused, whatever the certificate. */
  readonly block: Prefix;
  readonly memory: Memory;
  readonly certificateEnds: Instant;
  /** Most containers that a host may report. */
  readonly containers: number;
  readonly sink: ReportSink;
  readonly clock: () => Instant;
  readonly send: (frame: ControllerFrame) => void;
};

/** An agent that has to go, and why. An alarm was raised already where it deserves one. */
export class Ended extends Error {
  readonly reason: ByeReason;
  constructor(reason: ByeReason, text: string) {
    super(text);
    this.name = "Ended";
    this.reason = reason;
  }
}

export type Hello = Extract<AgentFrame, { t: "hello" }>;

/**
 * What one agent says over one connection, from its hello on: shape, sequence and block are checked here, and what is
 * left is handed to the sink. Knows nothing of sockets. Deltas are gathered until `flush`, so that a thousand of them
 * in one read are one for the sink.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #memory: Memory;
  #facts: AgentFacts;
  /** Between `begin` and `end`. */
  #snapshot: ContainerReport[] | undefined;
  /** Nothing counts before the first snapshot, nor after a gap until the next one; and that is asked for once. */
  #whole = false;
  #asked = false;
  readonly #put = new Map<string, ContainerReport>();
  readonly #gone = new Set<string>();
  #eventAt: number | undefined;
  readonly #foreign = new Set<string>();
  #acked: number;

  /** Throws Ended where the hello is one that was there before. */
  constructor(hello: Hello, options: SessionOptions) {
    this.#options = options;
    this.#memory = options.memory;
    const { version, engine, api: apiVersion } = hello;
    this.#facts = { version, engine, apiVersion, certificateEnds: options.certificateEnds };
    this.#greet(hello);
    this.#acked = this.#memory.sequence;
    options.sink.seen(options.host, this.#facts, this.#received());
  }

  #greet(hello: Hello): void {
    const memory = this.#memory;
    if (hello.epoch === memory.epoch) {
      if (hello.s < memory.sequence)
        this.#alarm("replay", `Says it is at report ${hello.s}, and was at ${memory.sequence}`);
    } else {
      if (memory.former.includes(hello.epoch)) this.#alarm("replay", "Says to be a start of the agent that is over");
      if (memory.epoch !== "") memory.former.push(memory.epoch);
      if (memory.former.length > formerEpochs) memory.former.shift();
      memory.epoch = hello.epoch;
    }
    memory.sequence = hello.s;
  }

  /** One frame. Gives how much it weighs in reports. Throws Ended when the agent has to go. */
  take(frame: AgentFrame): number {
    switch (frame.t) {
      case "begin":
        if (this.#counted(frame.s, true)) this.#begin(frame);
        return 1;
      case "part":
        if (this.#counted(frame.s, false)) this.#part(frame.put);
        return 1 + frame.put.length;
      case "end":
        if (this.#counted(frame.s, false)) this.#end(frame.count);
        return 1;
      case "delta":
        if (this.#counted(frame.s, false)) this.#delta(frame);
        return 1 + frame.put.length + frame.gone.length;
      case "beat":
        this.#beat(frame.s);
        return 1;
      case "hello":
      case "here":
      case "renew":
      case "bye":
        return this.#alarm("malformed", `"${frame.t}" at a wrong time`);
    }
  }

  /** Whether a report with that number counts now. Asks for a snapshot where one is missing. */
  #counted(s: number, begins: boolean): boolean {
    const expected = this.#memory.sequence + 1;
    if (s < expected) this.#alarm("replay", `Report ${s} came again: ${expected} was next`);
    this.#memory.sequence = s;
    if (begins) return true;
    if (s === expected && (this.#whole || this.#snapshot !== undefined)) return true;
    this.#resync();
    return false;
  }

  #resync(): void {
    this.#whole = false;
    this.#snapshot = undefined;
    if (this.#asked) return;
    this.#asked = true;
    this.#options.send({ t: "resync" });
  }

  #begin(frame: Extract<AgentFrame, { t: "begin" }>): void {
    this.flush();
    this.#facts = { ...this.#facts, engine: frame.engine, apiVersion: frame.api };
    this.#whole = false;
    this.#asked = false;
    this.#snapshot = [];
  }

  #part(put: readonly ContainerReport[]): void {
    if (this.#snapshot === undefined) this.#alarm("malformed", "Part of no snapshot");
    else this.#snapshot.push(...put);
    this.#count(this.#snapshot?.length ?? 0);
  }

  #end(count: number): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return void this.#alarm("malformed", "End of no snapshot");
    if (snapshot.length !== count)
      this.#alarm("malformed", `Snapshot of ${count} containers came with ${snapshot.length}`);
    this.#snapshot = undefined;
    this.#whole = true;
    const { host, sink } = this.#options;
    sink.seen(host, this.#facts, this.#received());
    sink.snapshot(host, this.#own(snapshot), this.#received());
  }

  #delta(frame: Extract<AgentFrame, { t: "delta" }>): void {
    if (this.#snapshot !== undefined) this.#alarm("malformed", "Delta within a snapshot");
    for (const id of frame.gone) {
      this.#put.delete(id);
      this.#gone.add(id);
    }
    for (const report of frame.put) {
      this.#gone.delete(report.id);
      this.#put.set(report.id, report);
    }
    this.#count(this.#put.size);
    if (frame.at !== undefined) this.#eventAt = Math.min(this.#eventAt ?? frame.at, frame.at);
  }

  #count(containers: number): void {
    if (containers > this.#options.containers)
      this.#alarm("flood", `More than ${this.#options.containers} containers`, "flood");
  }

  #beat(s: number): void {
    // The last report got lost on the way: nothing else would tell.
    if (s > this.#memory.sequence) this.#resync();
    const { host, send, sink } = this.#options;
    sink.seen(host, this.#facts, this.#received());
    send({ t: "ack", s: this.#memory.sequence });
  }

  /** Hands over what was gathered, and acknowledges. Call it when all that was read has been taken. */
  flush(): void {
    const { host, sink, send } = this.#options;
    if (this.#put.size > 0 || this.#gone.size > 0) {
      const [put, gone] = [this.#own([...this.#put.values()]), [...this.#gone]];
      const received = this.#received(this.#eventAt);
      this.#put.clear();
      this.#gone.clear();
      this.#eventAt = undefined;
      sink.delta(host, put, gone, received);
    }
    if (this.#memory.sequence === this.#acked) return;
    this.#acked = this.#memory.sequence;
    send({ t: "ack", s: this.#acked });
  }

  /** The reports without endpoints that are not this host's. Each such claim is told once in a connection. */
  #own(reports: readonly ContainerReport[]): readonly ContainerReport[] {
    const claims: string[] = [];
    const own = reports.map((report) => {
      const endpoints = report.endpoints.filter(({ address }) => {
        if (contains(this.#options.block, address)) return true;
        claims.push(`container ${report.id.slice(0, 12)} claims ${address}`);
        return false;
      });
      return endpoints.length === report.endpoints.length ? report : { ...report, endpoints };
    });
    const told = claims.filter((claim) => !this.#foreign.has(claim));
    if (this.#foreign.size < foreignClaims) for (const claim of told) this.#foreign.add(claim);
    const more = told.length > 1 ? `, and ${told.length - 1} more` : "";
    const { host, block, sink } = this.#options;
    if (told[0] !== undefined) sink.alarm(host, "foreign", `Outside ${block}: ${told[0]}${more}`);
    return own;
  }

  #received(eventAt?: number): Received {
    const at = this.#options.clock();
    return eventAt === undefined ? { at } : { at, eventAt: instant(eventAt) };
  }

  #alarm(kind: "replay" | "malformed" | "flood", text: string, reason: ByeReason = kind): never {
    this.#options.sink.alarm(this.#options.host, kind, text);
    throw new Ended(reason, text);
  }
}
