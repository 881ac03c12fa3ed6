import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import {
  type AgentFrame,
  type ByeReason,
  type ControllerFrame,
  frameLine,
  Malformed,
  readAgentFrame,
} from "../agent/frames.ts";
import { LineSplitter } from "../agent/line-splitter.ts";
import { binding, hostOfNames, lineCap } from "../agent/wire.ts";
import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Instant } from "../base/time.ts";
import type { Prefix } from "../net/prefix.ts";
import { Bucket } from "./bucket.ts";
import type { Live, Room } from "./room.ts";
import { Ended, Session } from "./session.ts";

/** Bytes that may wait for an agent that doesn't read. */
const unread = 262_144;
/** How long an agent may take to read its goodbye. */
const goodbye = 1_000;
/** Seconds by which two clocks may differ without a word. */
const skewTold = 60;
/** Held back for so long without a pause, an agent is said to flood; and again after as long. Milliseconds. */
const floodAfter = 1_000;
const floodAgain = 60_000;

/** What OpenSSL says of a certificate, as far as an agent can do something about it. */
const faults: Readonly<Record<string, ByeReason>> = {
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
};

/** One connection of `sixgate-agent/1`, from its handshake to its end. */
export class AgentConnection implements Live {
  readonly #room: Room;
  readonly #socket: TLSSocket;
  readonly #splitter = new LineSplitter(lineCap);
  readonly from: string;
  readonly #silence: NodeJS.Timeout;
  readonly #reports: Bucket;
  readonly #bytes: Bucket;
  readonly #waiters = new Map<number, (there: boolean) => void>();
  #asked = 0;
  #ended = false;
  #flooded = Number.NEGATIVE_INFINITY;
  #held = 0;
  /** From the hello on. */
  #session: Session | undefined;
  #host: HostName | undefined;
  #serial = "";
  #ends: Instant | undefined;
  block: Prefix | undefined;

  constructor(room: Room, socket: TLSSocket) {
    this.#room = room;
    this.#socket = socket;
    // A closed socket has forgotten it.
    this.from = printable(socket.remoteAddress ?? "somewhere");
    const now = performance.now();
    this.#reports = new Bucket(room.quota.reports, now);
    this.#bytes = new Bucket(room.quota.bytes, now);
    this.#silence = setTimeout(() => this.end("late", "No sign of life"), room.patience.silence);
    socket.once("close", () => this.#over());
    if (this.#identify()) void this.#run();
  }

  /** Takes the host's name from the certificate. False where it can't stay. */
  #identify(): boolean {
    const certificate = this.#socket.getPeerX509Certificate();
    if (!this.#socket.authorized) {
      const code = String(this.#socket.authorizationError);
      const who = hostOfNames(certificate?.subjectAltName) ?? "an unknown agent";
      this.end(faults[code] ?? "unknown", `Certificate not accepted: ${code}`);
      this.#room.log("warn", `${who} at ${this.from}: certificate not accepted: ${code}`);
      return false;
    }
    this.#host = hostOfNames(certificate?.subjectAltName);
    this.#serial = certificate?.serialNumber.toLowerCase() ?? "";
    if (this.#host === undefined) this.end("unknown", "Not the certificate of a host");
    return this.#host !== undefined;
  }

  async #run(): Promise<void> {
    try {
      // Leaving the loop must not destroy the socket: a goodbye may be on its way.
      const chunks: AsyncIterable<Buffer> = this.#socket.iterator({ destroyOnReturn: false });
      for await (const chunk of chunks) {
        const weight = await this.#read(chunk);
        if (this.#ended) return;
        await this.#pace(chunk.length, weight);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      // What still comes is thrown away: unread, it would make the kernel reset the connection, and the goodbye is lost.
      this.#socket.resume();
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    if (error instanceof Ended) return this.end(error.reason, error.message);
    if (error instanceof Malformed) {
      if (this.#host !== undefined && this.#session !== undefined)
        this.#room.sink.alarm(this.#host, "malformed", error.message);
      return this.end("malformed", error.message);
    }
    const text = error instanceof Error ? error.message : String(error);
    // A connection that breaks is nothing that an agent could be told.
    if (this.#socket.destroyed) return;
    this.#room.log("warn", `${this.#host ?? this.from}: ${printable(text)}`);
    this.end("failed", "The controller can't do it now; its log says why");
  }

  /** Takes all that a chunk holds and hands it over at once. Gives its weight in reports. */
  async #read(chunk: Buffer): Promise<number> {
    let weight = 0;
    try {
      for (const line of this.#splitter.push(chunk)) {
        if (line.kind === "too-long") throw new Malformed(`A line longer than ${lineCap} bytes`);
        const weighed = this.#frame(readAgentFrame(line.text));
        // Only what has to wait is awaited: a thousand deltas in one chunk are one turn of the loop.
        weight += typeof weighed === "number" ? weighed : await weighed;
        if (this.#ended) return weight;
        this.#silence.refresh();
      }
    } finally {
      // What came before a fault still counts: a closing must not get lost with what follows it.
      if (!this.#ended) this.#session?.flush();
    }
    return weight;
  }

  #frame(frame: AgentFrame): number | Promise<number> {
    const session = this.#session;
    if (session === undefined) return this.#hello(frame);
    if (this.#ends !== undefined && this.#room.clock() >= this.#ends)
      throw new Ended("expired", "The certificate has ended");
    switch (frame.t) {
      case "here":
        this.#waiters.get(frame.n)?.(true);
        return 1;
      case "renew":
        return this.#renew(frame);
      case "bye":
        session.flush();
        this.#over();
        this.#socket.end();
        return 0;
      case "begin":
      case "beat":
      case "delta":
      case "end":
      case "hello":
      case "part":
        return session.take(frame);
    }
  }

  async #hello(frame: AgentFrame): Promise<number> {
    const [room, host] = [this.#room, this.#host];
    if (frame.t !== "hello" || host === undefined) throw new Malformed("A connection begins with hello");
    const admission = await room.enrolment.admit(host, this.#serial);
    if (admission.kind === "refused") {
      if (admission.reason === "clone") room.sink.alarm(host, "clone", `${admission.text}; from ${this.from}`);
      throw new Ended(admission.reason, admission.text);
    }
    this.block = room.blockOf(host);
    if (this.block === undefined) throw new Ended("unknown", `The fleet has no host "${host}"`);
    await this.#alone(host);
    if (this.#ended) return 0;
    this.#ends = admission.ends;
    const now = room.clock();
    this.#session = new Session(frame, {
      host,
      block: this.block,
      memory: room.memoryOf(host),
      certificateEnds: admission.ends,
      containers: room.quota.containers,
      sink: room.sink,
      clock: room.clock,
      send: (answer) => this.#send(answer),
    });
    room.live.set(host, this);
    room.known(this.#socket);
    room.log("info", `${host} connected from ${this.from}`);
    const skew = Math.round((frame.at - now) / 1000);
    if (Math.abs(skew) > skewTold) room.log("warn", `${host}: its clock differs from this one by ${skew} s`);
    const beat = Math.max(1, Math.floor(room.patience.silence / 3000));
    this.#send({ t: "welcome", host, block: this.block, beat, ends: admission.ends, at: now });
    return 1;
  }

  /** Resolves when no other connection of the host lives. Throws Ended where one does: then one of the two is a clone. */
  async #alone(host: HostName): Promise<void> {
    for (;;) {
      const other = this.#room.live.get(host);
      if (other === undefined) return;
      if (await other.stillThere()) {
        const text = `A second agent came from ${this.from} while the one at ${other.from} is alive`;
        this.#room.sink.alarm(host, "clone", text);
        throw new Ended("clone", "Another agent speaks for this host");
      }
      other.end("late", "Did not answer, and another connection came");
    }
  }

  stillThere(): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false);
    this.#asked++;
    const n = this.#asked;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), this.#room.patience.there);
      const settle = (there: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(n);
        resolve(there);
      };
      this.#waiters.set(n, settle);
      this.#send({ t: "there", n });
    });
  }

  async #renew(frame: Extract<AgentFrame, { t: "renew" }>): Promise<number> {
    const host = this.#host;
    if (host === undefined) return 0;
    const exported = this.#socket.exportKeyingMaterial(binding.length, binding.label, Buffer.alloc(0));
    const granted = await this.#room.enrolment.renew(host, this.#serial, { ...frame, exported });
    if (this.#ended) return 0;
    if (granted.kind === "refused") {
      if (granted.reason === "clone") this.#room.sink.alarm(host, "clone", granted.text);
      throw new Ended(granted.reason, granted.text);
    }
    const { certificate, ends } = granted.issued;
    this.#send({ t: "renewed", certificate, ends });
    return 1;
  }

  /** Lets an agent that is over its quota wait: nothing is read from it meanwhile, so it waits too. */
  async #pace(bytes: number, weight: number): Promise<void> {
    const came = performance.now();
    this.#bytes.take(bytes, came);
    this.#reports.take(weight, came);
    for (let waited = 0; ; ) {
      const now = performance.now();
      const wait = Math.min(1_000, Math.max(this.#bytes.wait(now), this.#reports.wait(now)));
      if (wait === 0 || this.#ended) {
        if (waited === 0) this.#held = 0;
        return;
      }
      this.#hold(wait, now);
      await sleep(wait);
      waited += wait;
      this.#silence.refresh();
    }
  }

  #hold(wait: number, now: number): void {
    this.#held += wait;
    if (this.#held < floodAfter || now - this.#flooded < floodAgain || this.#host === undefined) return;
    this.#flooded = now;
    this.#room.sink.alarm(this.#host, "flood", "Over its quota: it is read more slowly");
  }

  #send(frame: ControllerFrame): void {
    if (this.#ended || this.#socket.destroyed) return;
    this.#socket.write(frameLine(frame));
    if (this.#socket.writableLength > unread) {
      this.#over();
      this.#socket.destroy();
    }
  }

  end(reason: ByeReason, text: string): void {
    if (this.#ended) return;
    this.#send({ t: "bye", reason, text: printable(text).slice(0, 500), at: this.#room.clock() });
    this.#over();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), goodbye).unref();
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#silence);
    for (const settle of this.#waiters.values()) settle(false);
    const [host, room] = [this.#host, this.#room];
    if (host === undefined || this.#session === undefined || room.live.get(host) !== this) return;
    room.live.delete(host);
    room.sink.lost(host, { at: room.clock() });
    room.log("info", `${host} disconnected`);
  }
}
