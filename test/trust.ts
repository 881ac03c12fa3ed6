import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { enrolAgent } from "../src/agent/enrol.ts";
import { type ControllerFrame, frameLine, readControllerFrame } from "../src/agent/frames.ts";
import { type Identity, readIdentity } from "../src/agent/identity.ts";
import { type JoinTokenParts, parseJoinToken } from "../src/agent/join-token.ts";
import { agentProtocol } from "../src/agent/wire.ts";
import type { HostName } from "../src/base/name.ts";
import { type Instant, instant } from "../src/base/time.ts";
import { type Authority, openAuthority } from "../src/controller/authority.ts";
import { Enrolment } from "../src/controller/enrolment.ts";
import { type Inbox, startInbox } from "../src/controller/inbox.ts";
import type { AlarmKind, Received, ReportSink } from "../src/controller/report-sink.ts";
import type { InboxOptions } from "../src/controller/room.ts";
import { address } from "../src/net/address.ts";
import { type Prefix, prefix } from "../src/net/prefix.ts";
import type { ContainerReport } from "../src/openings/container-report.ts";
import { memoryStore } from "../src/store/memory-store.ts";
import type { Entry } from "../src/store/store.ts";
import { containerReport } from "./container-report.ts";

export const vm1 = "vm1" as HostName;
export const vm2 = "vm2" as HostName;
export const blocks: ReadonlyMap<string, Prefix> = new Map([
  ["vm1", prefix("2001:db8:1:2:20::/76")],
  ["vm2", prefix("2001:db8:1:2:30::/76")],
]);

export function idOf(n: number): string {
  return n.toString(16).padStart(64, "0");
}

/** A report of container number `n`, at an address of that host's first bridge. */
export function reportOf(n: number, more: Partial<ContainerReport> = {}, group = "21"): ContainerReport {
  return containerReport({
    id: idOf(n),
    name: `c${n}`,
    labels: { "sixgate.open": "443" },
    endpoints: [
      { network: "bridge", networkId: idOf(1), address: address(`2001:db8:1:2:${group}::${(n + 2).toString(16)}`) },
    ],
    ...more,
  });
}

/** What an inbox handed over: who is known, and everything that was said, in order. */
export class RecordingSink implements ReportSink {
  readonly hosts = new Map<string, Map<string, ContainerReport>>();
  readonly said: string[] = [];
  readonly alarms: { readonly host: string; readonly kind: AlarmKind; readonly text: string }[] = [];
  deltas = 0;

  #of(host: string): Map<string, ContainerReport> {
    const known = this.hosts.get(host) ?? new Map<string, ContainerReport>();
    this.hosts.set(host, known);
    return known;
  }
  snapshot(host: HostName, containers: readonly ContainerReport[]): void {
    this.said.push(`snapshot ${host} ${containers.length}`);
    this.hosts.set(host, new Map(containers.map((each) => [each.id, each])));
  }
  delta(host: HostName, put: readonly ContainerReport[], gone: readonly string[], received: Received): void {
    this.deltas++;
    this.said.push(`delta ${host} +${put.length} -${gone.length}${received.eventAt === undefined ? "" : " timed"}`);
    for (const id of gone) this.#of(host).delete(id);
    for (const each of put) this.#of(host).set(each.id, each);
  }
  seen(host: HostName): void {
    if (this.said.at(-1) !== `seen ${host}`) this.said.push(`seen ${host}`);
  }
  lost(host: HostName): void {
    this.said.push(`lost ${host}`);
  }
  alarm(host: HostName, kind: AlarmKind, text: string): void {
    this.alarms.push({ host, kind, text });
  }
}

export type Trust = {
  readonly folder: string;
  readonly authority: Authority;
  readonly enrolment: Enrolment;
  readonly inbox: Inbox;
  readonly sink: RecordingSink;
  readonly log: string[];
  /** Moves the controller's clock, in milliseconds. */
  ahead(milliseconds: number): void;
  /** All that the controller keeps. */
  entries(): Promise<readonly Entry[]>;
  token(host: HostName): Promise<JoinTokenParts>;
  /** A folder of an agent that is enrolled. */
  enrolled(host: HostName): Promise<string>;
  /** A connection of our own making, for what an honest agent doesn't do. */
  raw(folder: string, options?: ConnectionOptions): Promise<RawAgent>;
  end(): Promise<void>;
};

export async function trust(options: Partial<InboxOptions> & { readonly lifetime?: number } = {}): Promise<Trust> {
  const folder = await mkdtemp(join(tmpdir(), "sixgate-trust-"));
  let moved = 0;
  const clock = (): Instant => instant(Date.now() + moved);
  const authority = await openAuthority(join(folder, "controller"), clock);
  const { lifetime } = options;
  const store = memoryStore();
  const enrolment = new Enrolment({
    authority,
    store,
    clock,
    ...(lifetime === undefined ? {} : { lifetime }),
  });
  const sink = new RecordingSink();
  const log: string[] = [];
  const inbox = await startInbox({
    authority,
    enrolment,
    sink,
    blockOf: (host) => blocks.get(host),
    names: ["::1", "localhost"],
    listen: { address: "::1", port: 0 },
    clock,
    log: (level, text) => void log.push(`${level} ${text}`),
    ...options,
  });
  const controller = { host: "::1", port: inbox.port };
  const token = async (host: HostName): Promise<JoinTokenParts> => {
    const parts = parseJoinToken((await enrolment.invite(host)).token);
    if (parts === undefined) throw new Error("not a token");
    return parts;
  };
  let agents = 0;
  const raws: RawAgent[] = [];
  return {
    folder,
    authority,
    enrolment,
    inbox,
    sink,
    log,
    ahead: (milliseconds) => void (moved = milliseconds),
    entries: () => store.list(""),
    token,
    async enrolled(host) {
      agents++;
      const path = join(folder, `agent-${agents}`);
      await enrolAgent(controller, await token(host), path);
      return path;
    },
    async raw(path, more = {}) {
      const agent = new RawAgent(await readIdentity(path), controller.port, more);
      raws.push(agent);
      await agent.connected;
      return agent;
    },
    async end() {
      for (const agent of raws) agent.socket.destroy();
      await inbox.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The client's end of a connection, byte by byte. */
export class RawAgent {
  readonly socket: TLSSocket;
  readonly frames: ControllerFrame[] = [];
  readonly connected: Promise<unknown>;
  readonly epoch: string = randomBytes(16).toString("hex");
  closed = false;

  constructor(identity: Pick<Identity, "key" | "certificate" | "authority">, port: number, more: ConnectionOptions) {
    this.socket = connect({
      host: "::1",
      port,
      key: identity.key,
      cert: identity.certificate,
      ca: identity.authority,
      checkServerIdentity: () => undefined,
      ALPNProtocols: [agentProtocol],
      ...more,
    });
    this.connected = once(this.socket, "secureConnect");
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
    });
    let text = "";
    this.socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) this.frames.push(readControllerFrame(line));
    });
  }

  write(...values: readonly unknown[]): void {
    for (const value of values) this.socket.write(`${JSON.stringify(value)}\n`);
  }

  hello(s = 0, epoch: string = this.epoch): void {
    this.socket.write(frameLine({ t: "hello", epoch, s, version: "1", engine: "28.5.1", api: "1.51", at: Date.now() }));
  }

  /** hello, and a snapshot of these, numbered from `s` + 1. */
  begin(reports: readonly ContainerReport[] = [], s = 0): void {
    this.hello(s);
    this.write(
      { t: "begin", s: s + 1, engine: "28.5.1", api: "1.51" },
      { t: "part", s: s + 2, put: reports },
      { t: "end", s: s + 3, count: reports.length },
    );
  }

  async got(kind: ControllerFrame["t"]): Promise<ControllerFrame> {
    return until(() => this.frames.find((frame) => frame.t === kind), `a frame "${kind}"`);
  }

  /** The reason that it was sent away with. */
  async bye(): Promise<string> {
    const frame = await this.got("bye");
    await until(() => this.closed || undefined, "the end of the connection");
    return frame.t === "bye" ? frame.reason : "";
  }
}

/** Waits for something to be there; fails after 15 s. */
export async function until<T>(look: () => T | undefined | false, what: string): Promise<T> {
  for (let n = 0; n < 1500; n++) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await sleep(10);
  }
  throw new Error(`Waited in vain for ${what}`);
}
