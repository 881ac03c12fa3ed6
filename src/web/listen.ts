import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { isIPv6 } from "node:net";
import { Failure } from "../base/failure.ts";
import { listenOnPath } from "./unix-socket.ts";

/** PEM texts of a key and of a certificate with those that lead to its authority. */
export type TlsPair = { readonly key: string; readonly cert: string };

export type ListenAt =
  | { readonly kind: "unix"; readonly path: string }
  /** Without `tls` on loopback only. `port` 0: any. */
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls?: TlsPair };

/** A place where the API listens. */
export type Listening = {
  /** `https://[2001:db8::1]:6464` or `unix:/run/…`: as a client names it. */
  readonly url: string;
  /** Takes a renewed pair for connections from now on; nothing where there is no TLS. */
  renew(tls: TlsPair): void;
  /** Ends the connections that are open, streams too. */
  close(): Promise<void>;
};

/** Connections at one listener: many pages and watchers, far below what a process may hold open. */
const mostConnections = 512;

/** Listens there and nowhere else. Rejects with E962 where it must not, with E963 where it can't. */
export async function listenAt(
  at: ListenAt,
  listener: (scheme: "http" | "https") => RequestListener,
): Promise<Listening> {
  if (at.kind === "unix") {
    const server = bounded(createServer(listener("http")));
    const unlink = await listenOnPath(server, at.path);
    return {
      url: `unix:${at.path}`,
      renew: () => undefined,
      close: async () => {
        await unlink();
        await close(server);
      },
    };
  }
  refusePlace(at.host, at.tls !== undefined);
  if (at.tls === undefined) {
    const server = bounded(createServer(listener("http")));
    const url = await listenOnPort(server, at, "http");
    return { url, renew: () => undefined, close: () => close(server) };
  }
  const server: TlsServer = createTlsServer({ ...at.tls, minVersion: "TLSv1.3" }, listener("https"));
  bounded(server);
  const url = await listenOnPort(server, at, "https");
  return {
    url,
    renew: (tls) => server.setSecureContext({ ...tls, minVersion: "TLSv1.3" }),
    close: () => close(server),
  };
}

/** A named address only: an API that listens everywhere listens towards the Internet. In the clear on this machine only. */
function refusePlace(host: string, tls: boolean): void {
  const everywhere = host === "" || /^[0:.]+$/.test(host);
  if (everywhere)
    throw new Failure("E962", `API ${host}`, "Listens everywhere, the Internet too", "name the management address");
  if (!tls && host !== "::1" && !/^127(?:\.[0-9]{1,3}){3}$/.test(host))
    throw new Failure("E962", `API ${host}`, "Not without TLS", "give a key and a certificate, or listen on ::1");
}

/** Who sends its request slowly or not at all is let go. Streams are answers: they may last. */
function bounded<S extends Server | TlsServer>(server: S): S {
  server.maxConnections = mostConnections;
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  server.keepAliveTimeout = 20_000;
  server.maxHeadersCount = 100;
  return server;
}

async function listenOnPort(
  server: Server | TlsServer,
  at: { readonly host: string; readonly port: number },
  scheme: string,
): Promise<string> {
  const host = isIPv6(at.host) ? `[${at.host}]` : at.host;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(
        new Failure(
          "E963",
          `API ${host}:${at.port}`,
          `Can't listen: ${cause.code ?? cause.message}`,
          "see what else listens there, and that the address is this machine's",
          { cause },
        ),
      ),
    );
    server.listen({ host: at.host, port: at.port, ipv6Only: true }, resolve);
  });
  const bound = server.address();
  return `${scheme}://${host}:${typeof bound === "object" && bound !== null ? bound.port : at.port}`;
}

async function close(server: Server | TlsServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
