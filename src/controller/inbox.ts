import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { agentProtocol, enrolProtocol, inboxPort } from "../agent/wire.ts";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import type { Instant } from "../base/time.ts";
import type { Prefix } from "../net/prefix.ts";
import { AgentConnection } from "./agent-connection.ts";
import type { Authority } from "./authority.ts";
import type { Rate } from "./bucket.ts";
import { serveEnrolment } from "./enrol-connection.ts";
import type { Enrolment } from "./enrolment.ts";
import { keepServerIdentity } from "./inbox-identity.ts";
import type { ReportSink } from "./report-sink.ts";
import { type Memory, newMemory } from "./session.ts";

/** What one agent may cost. A report, and each container in it, counts one. Who sends more is read more slowly. */
export type Quota = { readonly reports: Rate; readonly bytes: Rate; readonly containers: number };

export const standardQuota: Quota = {
  reports: { burst: 8192, perSecond: 500 },
  bytes: { burst: 16 * 1_048_576, perSecond: 1_048_576 },
  containers: 4096,
};

/** Deadlines, in milliseconds. */
export type Patience = {
  /** From connecting until a hello or an enrolment was said in full, TLS handshake included. */
  readonly hello: number;
  /** Between two frames of an agent; it is told to beat in a third of it. */
  readonly silence: number;
  /** For the older of two connections of one host to say that it is still there. */
  readonly there: number;
};

export const standardPatience: Patience = { hello: 10_000, silence: 30_000, there: 3_000 };

/** Connections that have not said yet who they are. When there are more, the oldest goes. */
const strangers = 256;

/** What an inbox says to a log: never a secret, and nothing unencoded. */
export type InboxLog = (level: "info" | "warn", text: string) => void;

export type InboxOptions = {
  readonly authority: Authority;
  readonly enrolment: Enrolment;
  readonly sink: ReportSink;
  /** The block of a host now; undefined where the fleet has no such host. */
  readonly blockOf: (host: HostName) => Prefix | undefined;
  /** DNS names and addresses that agents reach it by. */
  readonly names: readonly string[];
  /** An address of the management network; every address when it is absent. Port 0 is any free one. */
  readonly listen?: { readonly address?: string; readonly port?: number };
  readonly clock: () => Instant;
  readonly log?: InboxLog;
  readonly quota?: Quota;
  readonly patience?: Patience;
};

export type Inbox = {
  readonly port: number;
  /** Ends the connections of hosts whose block is another one now; their agents come again at once and report anew. */
  moved(): void;
  /** Says goodbye to every agent and stops listening. */
  stop(): Promise<void>;
};

/** What the connections share. */
export type Room = Required<Pick<InboxOptions, "log" | "quota" | "patience">> &
  InboxOptions & {
    readonly live: Map<HostName, AgentConnection>;
    memoryOf(host: HostName): Memory;
    /** A connection that has said who it is: no stranger any more. */
    known(socket: TLSSocket): void;
  };

/**
 * Listens for agents: TLS 1.3 only, client certificates of the authority for reports, join tokens for enrolment.
 * Rejects with E927 where it can't listen.
 */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const waiting = new Strangers();
  const memories = new Map<HostName, Memory>();
  const room: Room = {
    ...options,
    log: options.log ?? (() => undefined),
    quota: options.quota ?? standardQuota,
    patience: options.patience ?? standardPatience,
    live: new Map(),
    memoryOf(host) {
      const memory = memories.get(host) ?? newMemory();
      memories.set(host, memory);
      return memory;
    },
    known: (socket) => waiting.leave(socket),
  };
  const { server, stop: stopIdentity } = await tlsServer(room);
  server.on("connection", (socket: Socket) => waiting.enter(socket, room.patience.hello));
  server.on("secureConnection", (socket: TLSSocket) => accept(room, socket));
  server.on("tlsClientError", (error) => room.log("info", `A handshake failed: ${error.message}`));
  const forget = options.enrolment.onEnd((host, reason) =>
    room.live.get(host)?.end(reason, `The host's certificate was ${reason}`),
  );
  const port = await listen(server, options.listen);
  return {
    port,
    moved() {
      for (const [host, connection] of room.live) {
        if (options.blockOf(host) !== connection.block) connection.end("moved", "The host's block is another one now");
      }
    },
    async stop() {
      forget();
      stopIdentity();
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of room.live.values()) connection.end("stopping", "The controller stops");
      waiting.clear();
      await closed;
    },
  };
}

/** Connections that have not said who they are, oldest first. */
class Strangers {
  readonly #all = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>();

  enter(socket: Socket, deadline: number): void {
    const key = nameOf(socket);
    const timer = setTimeout(() => socket.destroy(), deadline);
    this.#all.set(key, { socket, timer });
    socket.once("close", () => this.#drop(key));
    socket.on("error", () => undefined);
    const [oldest] = this.#all.values();
    if (this.#all.size > strangers) oldest?.socket.destroy();
  }

  leave(socket: Socket): void {
    this.#drop(nameOf(socket));
  }

  clear(): void {
    for (const { socket } of this.#all.values()) socket.destroy();
  }

  #drop(key: string): void {
    clearTimeout(this.#all.get(key)?.timer);
    this.#all.delete(key);
  }
}

/** The same for a TLS connection and for what it runs over. */
function nameOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ""} ${socket.remotePort ?? ""}`;
}

async function tlsServer(room: Room): Promise<{ readonly server: Server; readonly stop: () => void }> {
  const { authority, names } = room;
  const identity = await keepServerIdentity(authority, names, room.clock, (next) =>
    server.setSecureContext({ ...next, ...fixed }),
  );
  const fixed = { ca: authority.certificate, minVersion: "TLSv1.3" } as const;
  const server = createServer({
    ...fixed,
    key: identity.first.key,
    cert: identity.first.certificate,
    ALPNProtocols: [agentProtocol, enrolProtocol],
    // Asked for, and judged by `accept`: who enrols has none yet.
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: room.patience.hello,
    noDelay: true,
  });
  return { server, stop: identity.stop };
}

function accept(room: Room, socket: TLSSocket): void {
  socket.on("error", (error) => room.log("info", `A connection broke: ${error.message}`));
  if (socket.alpnProtocol === agentProtocol) new AgentConnection(room, socket);
  else if (socket.alpnProtocol === enrolProtocol) serveEnrolment(room, socket);
  else socket.destroy();
}

async function listen(server: Server, at: InboxOptions["listen"] = {}): Promise<number> {
  const port = at.port ?? inboxPort;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new Failure(
          "E927",
          `${at.address ?? "*"} port ${port}`,
          `The inbox can't listen: ${cause.message}`,
          "is the address this machine's, and the port free?",
          { cause },
        ),
      ),
    );
    server.listen({ port, ...(at.address === undefined ? {} : { host: at.address }) }, resolve);
  });
  return (server.address() as AddressInfo).port;
}
