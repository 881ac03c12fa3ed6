import type { TLSSocket } from "node:tls";
import { contains, type Prefix } from "../net/prefix.ts";
import type { ContainerReport } from "../openings/container-report.ts";
import type { Board, BoardChange } from "./board.ts";
import {
  type ByeReason,
  type ControllerFrame,
  deltaLines,
  frameLine,
  Malformed,
  readControllerFrame,
  snapshotLines,
} from "./frames.ts";
import { type FreshKey, freshKey, type Identity } from "./identity.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { AgentLog } from "./log.ts";
import { binding, lineCap } from "./wire.ts";

/** Numbers of this process's reports, over all its connections. */
export type Counter = { readonly epoch: string; sequence: number };

/** Why a connection ended. `renewed`: there is a new certificate; `lost`: it broke, or the controller fell silent. */
export type LinkEnd = { readonly reason: ByeReason | "renewed" | "lost" | "closed"; readonly text: string };

export type LinkOptions = {
  readonly socket: TLSSocket;
  readonly identity: Identity;
  readonly board: Board;
  readonly counter: Counter;
  readonly version: string;
  readonly log: AgentLog;
  /** Keeps a new pair; the connection ends when it is kept. */
  readonly keep: (pair: { readonly key: string; readonly certificate: string }) => Promise<void>;
};

const welcomeWithin = 15_000;
/** Beats without a word of the controller. */
const silentBeats = 3;
const skewTold = 60_000;
const renewAgain = 60_000;

/**
 * One connection to the controller, from hello to its end: a snapshot, then every change of the board at once. What
 * can't be sent yet is remembered by the container's id alone, so a slow controller costs no memory.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #splitter = new LineSplitter(lineCap);
  #block: Prefix | undefined;
  /** A snapshot was sent, so that deltas say something. */
  #begun = false;
  #wantsSnapshot = false;
  readonly #dirty = new Set<string>();
  #dirtyAt: number | undefined;
  #end: LinkEnd | undefined;
  #silence: NodeJS.Timeout;
  #beat: NodeJS.Timeout | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #fresh: FreshKey | undefined;
  /** On the process's own clock, which nobody sets. */
  #renewAt = Number.POSITIVE_INFINITY;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#silence = setTimeout(
      () => this.close({ reason: "lost", text: "The controller says nothing" }),
      welcomeWithin,
    );
  }

  /** Resolves when the connection is over. Never rejects. */
  async run(): Promise<LinkEnd> {
    const { socket, board, counter, version } = this.#options;
    const unwatch = board.watch((change) => this.#changed(change));
    socket.on("drain", () => this.#flush());
    socket.on("error", () => undefined);
    try {
      socket.write(
        frameLine({ t: "hello", epoch: counter.epoch, s: counter.sequence, version, ...board.facts, at: Date.now() }),
      );
      const chunks: AsyncIterable<Buffer> = socket.iterator({ destroyOnReturn: false });
      for await (const chunk of chunks) await this.#read(chunk);
      this.close({ reason: "lost", text: "The controller closed the connection" });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.close({ reason: error instanceof Malformed ? "malformed" : "lost", text });
    } finally {
      unwatch();
      clearTimeout(this.#silence);
      clearInterval(this.#beat);
      clearTimeout(this.#renewal);
      socket.destroySoon();
    }
    return this.#end ?? { reason: "lost", text: "" };
  }

  /** Ends the connection; the first reason counts. */
  close(end: LinkEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const { socket } = this.#options;
    if (end.reason === "closed" || end.reason === "renewed") socket.write(frameLine({ t: "bye" }));
    if (end.reason === "lost") socket.destroy();
    else socket.end();
  }

  async #read(chunk: Buffer): Promise<void> {
    for (const line of this.#splitter.push(chunk)) {
      if (this.#end !== undefined) return;
      if (line.kind === "too-long") throw new Malformed("A line too long");
      this.#silence.refresh();
      await this.#take(readControllerFrame(line.text));
    }
  }

  async #take(frame: ControllerFrame): Promise<void> {
    switch (frame.t) {
      case "welcome":
        return this.#welcomed(frame);
      case "resync":
        this.#options.log.warn("The controller asks for all reports again");
        this.#wantsSnapshot = true;
        return this.#flush();
      case "there":
        return this.#write(frameLine({ t: "here", n: frame.n }));
      case "renewed":
        return this.#renewed(frame.certificate);
      case "bye":
        return this.close({ reason: frame.reason, text: frame.text });
      case "ack":
        return;
    }
  }

  #welcomed(frame: Extract<ControllerFrame, { t: "welcome" }>): void {
    const { log, identity } = this.#options;
    const skew = Date.now() - frame.at;
    if (Math.abs(skew) > skewTold) {
      const [ahead, by] = [skew > 0 ? "ahead of" : "behind", Math.round(Math.abs(skew) / 1000)];
      log.warn(`This machine's clock is ${by} s ${ahead} the controller's: certificates may seem to have ended`);
    }
    log.info(`Connected as ${frame.host}, block ${frame.block}`);
    this.#block = frame.block;
    // By the controller's clock: it is the one that judges.
    const left = frame.ends - frame.at;
    const wait = Math.max(0, left - (identity.ends - identity.begins) / 2);
    this.#renewAt = performance.now() + wait;
    // Beats look at it, too: a timer sleeps with its machine.
    this.#renewal = setTimeout(() => this.#mayRenew(), Math.min(wait + 1, 86_400_000));
    clearTimeout(this.#silence);
    const silent = (): void => this.close({ reason: "lost", text: "The controller fell silent" });
    this.#silence = setTimeout(silent, frame.beat * silentBeats * 1000);
    this.#beat = setInterval(() => this.#sendBeat(), frame.beat * 1000);
    this.#wantsSnapshot = true;
    this.#flush();
  }

  #sendBeat(): void {
    const { socket, counter } = this.#options;
    // What waits already says more than a beat.
    if (!socket.writableNeedDrain) this.#write(frameLine({ t: "beat", s: counter.sequence, at: Date.now() }));
    this.#mayRenew();
  }

  #mayRenew(): void {
    if (performance.now() < this.#renewAt || this.#end !== undefined) return;
    this.#renewAt = performance.now() + renewAgain;
    const { socket } = this.#options;
    if (socket.destroyed) return;
    this.#fresh = freshKey();
    const exported = socket.exportKeyingMaterial(binding.length, binding.label, Buffer.alloc(0));
    this.#write(frameLine({ t: "renew", key: this.#fresh.open, proof: this.#fresh.prove("renew", exported) }));
  }

  async #renewed(certificate: string): Promise<void> {
    if (this.#fresh === undefined) throw new Malformed("A certificate that nobody asked for");
    await this.#options.keep({ key: this.#fresh.key, certificate });
    this.close({ reason: "renewed", text: "The certificate was renewed" });
  }

  #changed(change: BoardChange): void {
    for (const id of change.gone) this.#dirty.add(id);
    for (const report of change.put) this.#dirty.add(report.id);
    // Only a snapshot says what the engine is.
    this.#wantsSnapshot ||= change.facts === true;
    if (change.at !== undefined) this.#dirtyAt = Math.min(this.#dirtyAt ?? change.at, change.at);
    this.#flush();
  }

  /** Sends what is to be sent, unless the connection is still busy with what was sent before. */
  #flush(): void {
    const { socket, board } = this.#options;
    if (this.#block === undefined || !board.complete || this.#end !== undefined || socket.writableNeedDrain) return;
    if (this.#wantsSnapshot) this.#sendSnapshot(this.#block);
    else if (this.#begun && this.#dirty.size > 0) this.#sendDelta(this.#block);
  }

  #next = (): number => {
    this.#options.counter.sequence++;
    return this.#options.counter.sequence;
  };

  #sendSnapshot(block: Prefix): void {
    const { board } = this.#options;
    this.#wantsSnapshot = false;
    this.#begun = true;
    this.#clean();
    const texts = board.reports.values().map((report) => textOf(report, block));
    for (const line of snapshotLines(texts, board.facts, this.#next)) this.#write(line);
  }

  #sendDelta(block: Prefix): void {
    const { board } = this.#options;
    const put: string[] = [];
    const gone: string[] = [];
    for (const id of this.#dirty) {
      const report = board.reports.get(id);
      if (report === undefined) gone.push(id);
      else put.push(textOf(report, block));
    }
    const at = this.#dirtyAt;
    this.#clean();
    for (const line of deltaLines(put, gone, at, this.#next)) this.#write(line);
  }

  #clean(): void {
    this.#dirty.clear();
    this.#dirtyAt = undefined;
  }

  #write(line: string): void {
    if (this.#end === undefined) this.#options.socket.write(line);
  }
}

/** As JSON, with those addresses alone that are of the host's block: others are nobody's business. */
function textOf(report: ContainerReport, block: Prefix): string {
  const endpoints = report.endpoints.filter((endpoint) => contains(block, endpoint.address));
  return JSON.stringify(endpoints.length === report.endpoints.length ? report : { ...report, endpoints });
}
