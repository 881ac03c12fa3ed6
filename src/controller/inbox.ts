import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { agentProtocol, enrolProtocol, inboxPort } from "../agent/wire.ts";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import { AgentConnection } from "./agent-connection.ts";
import { serveEnrolment } from "./enrol-connection.ts";
import { keepServerIdentity } from "./inbox-identity.ts";
import { type InboxOptions, type Room, standardPatience, standardQuota } from "./room.ts";
import { type Memory, newMemory } from "./session.ts";

/** Connections that have not said yet who they are. When there are more, the oldest goes. */
const strangers = 256;

export type Inbox = {
  readonly port: number;
  /** Ends the connections of hosts whose block is another one now; their agents come again at once and report anew. */
  moved(): void;
  /** Says goodbye to every agent and stops listening. */
  stop(): Promise<void>;
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
  server.on("tlsClientError", (error) => room.log("info", `A handshake failed: ${printable(error.message)}`));
  const forget = options.enrolment.onEnd((host, reason, text) => room.live.get(host)?.end(reason, text));
  const port = await listen(server, options.listen);
  server.on("error", (error) => room.log("warn", `The inbox: ${printable(error.message)}`));
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
    socket.on("error", () => undefined);
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const key = nameOf(socket);
    const timer = setTimeout(() => socket.destroy(), deadline);
    this.#all.set(key, { socket, timer });
    socket.once("close", () => this.#drop(key));
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
  socket.on("error", (error) => room.log("info", `A connection broke: ${printable(error.message)}`));
  try {
    if (socket.alpnProtocol === agentProtocol) new AgentConnection(room, socket);
    else if (socket.alpnProtocol === enrolProtocol) serveEnrolment(room, socket);
    else socket.destroy();
  } catch (error) {
    // One that is gone already has no keys to export: nobody may end the controller by hanging up.
    room.log("info", `A connection broke: ${printable(String(error))}`);
    socket.destroy();
  }
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
