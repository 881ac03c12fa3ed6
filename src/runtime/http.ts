import { Agent as PlainAgent, request as plainRequest, type RequestOptions } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import { pinnedAgent } from "./http-pin.ts";

/** How a device proves that it is the one: by the authorities of this machine, by one of its own, or by its certificate. */
export type Trust =
  | { readonly kind: "system" }
  | { readonly kind: "ca"; readonly pem: string }
  /** SHA-256 of the certificate: 64 hex digits in upper case, without colons. */
  | { readonly kind: "fingerprint"; readonly sha256: string };

export type HttpRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root, with what the query holds encoded already. */
  readonly path: string;
  /** Sent as JSON; a form where a device wants one. */
  readonly body?: { readonly json: unknown } | { readonly form: Readonly<Record<string, string>> };
  /** Milliseconds until the last byte; 60,000 by default. */
  readonly timeout?: number;
  /** Whether doing it twice does no more than once. Reads are by themselves; only such requests are ever sent again. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
};

export type HttpAnswer = { readonly status: number; readonly text: string };

export type HttpOptions = {
  /** The device's name, for messages. */
  readonly device: string;
  /** `https://10.10.10.2` or `https://fw.example:8443`; http only to this machine, which the fleet file's check holds. */
  readonly url: string;
  readonly trust: Trust;
  /** Sent with every request. Holds the key, so it is never part of a message. */
  readonly headers: Readonly<Record<string, string>>;
};

/** A device's HTTP server. Connections are kept for a while; nothing is sent before the device has proved who it is. */
export type Http = {
  /** For messages: `fw https://10.10.10.2`. */
  readonly name: string;
  /**
   * Resolves whatever the status. Rejects with E503 when there is no answer (after three tries where the request may be
   * repeated) and with E551 when the device's certificate is not the expected one.
   */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** A request over a connection of its own: rejects when nobody is let in any more. */
  reconnect(): Promise<void>;
  /** The address that the last answer came from; undefined before the first. */
  peer(): string | undefined;
  /** The device's clock by its last answer (Date, RFC 9110 §6.6.1), in milliseconds since 1970; undefined where it said none. */
  clock(): number | undefined;
  end(): void;
};

const defaultTimeout = 60_000;
/** How long a connection without a request is kept: less than the 60 to 75 s after which servers close theirs. */
const idle = 15_000;
/** More than any answer is; a device that never ends one must not fill our memory. */
const mostBytes = 256 * 1024 * 1024;
const tries = 3;

export function httpAt(options: HttpOptions): Http {
  const base = new URL(options.url);
  const name = `${options.device} ${base.origin}`;
  const agent = agentFor(base, options.trust, true);
  let peer: string | undefined;
  let clock: number | undefined;

  async function once(request: HttpRequest, through = agent): Promise<HttpAnswer> {
    const { from, at, ...answer } = await exchange(base, through, options.headers, request);
    peer = from ?? peer;
    clock = Number.isNaN(at) ? undefined : at;
    return answer;
  }
  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const repeatable = request.repeatable ?? request.method === "GET";
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(request);
      } catch (cause) {
        request.signal?.throwIfAborted();
        if (cause instanceof Failure) throw cause;
        if (isUntrusted(cause)) throw untrusted(name, cause);
        if (!repeatable || attempt === tries) throw unreached(name, request, cause);
        await pause(
          250 * 2 ** (attempt - 1),
          undefined,
          request.signal === undefined ? {} : { signal: request.signal },
        );
      }
    }
  }
  return {
    name,
    send,
    async reconnect() {
      const alone = agentFor(base, options.trust, false);
      const request: HttpRequest = { method: "GET", path: `${base.pathname}`, timeout: 10_000 };
      try {
        await once(request, alone);
      } catch (cause) {
        if (cause instanceof Failure) throw cause;
        throw isUntrusted(cause) ? untrusted(name, cause) : unreached(name, request, cause);
      } finally {
        alone.destroy();
      }
    },
    peer: () => peer,
    clock: () => clock,
    end: () => agent.destroy(),
  };
}

function agentFor(base: URL, trust: Trust, keepAlive: boolean): PlainAgent | TlsAgent {
  const kept = { keepAlive, maxSockets: 4, timeout: idle, ...(keepAlive ? {} : { maxSockets: 1 }) };
  if (base.protocol === "http:") return new PlainAgent(kept);
  // A session that is taken up again would show its certificate of before.
  const tls = { ...kept, maxCachedSessions: 0, minVersion: "TLSv1.2" as const };
  switch (trust.kind) {
    case "system":
      return new TlsAgent(tls);
    case "ca":
      return new TlsAgent({ ...tls, ca: trust.pem });
    case "fingerprint":
      return pinnedAgent(tls, trust.sha256, base.origin);
  }
}

type Exchanged = HttpAnswer & { readonly from: string | undefined; readonly at: number };

function exchange(
  base: URL,
  agent: PlainAgent | TlsAgent,
  headers: Readonly<Record<string, string>>,
  { method, path, body, timeout = defaultTimeout, signal }: HttpRequest,
): Promise<Exchanged> {
  const sent = encode(body);
  const options: RequestOptions = {
    method,
    agent,
    path: path.startsWith("/") ? path : `/${path}`,
    headers: { accept: "application/json", ...headers, ...sent.headers },
    // The deadline is of the whole exchange, not of a pause in it.
    signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]),
  };
  return new Promise((resolve, reject) => {
    const request = base.protocol === "http:" ? plainRequest(base, options) : tlsRequest(base, options);
    request.on("error", reject);
    request.on("response", (message) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      // Asked for now: once the answer has ended the socket is the agent's again.
      const from = message.socket.remoteAddress;
      const status = message.statusCode ?? 0;
      const at = Date.parse(message.headers.date ?? "");
      message.on("error", reject);
      message.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) message.destroy(new Error(`the answer is longer than ${mostBytes} bytes`));
        else chunks.push(chunk);
      });
      message.on("end", () => resolve({ status, from, at, text: Buffer.concat(chunks).toString("utf8") }));
      // Closed before its end: half an answer is none.
      message.on("close", () => reject(new Error("the answer broke off")));
    });
    request.end(sent.text);
  });
}

type Encoded = { readonly headers: Readonly<Record<string, string>>; readonly text: string };

/** Without a body no content type either: there are devices that then read the body and not the query. */
function encode(body: HttpRequest["body"]): Encoded {
  if (body === undefined) return { headers: {}, text: "" };
  const form = "form" in body;
  const text = form ? new URLSearchParams(body.form).toString() : JSON.stringify(body.json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return { headers: { "content-type": type, "content-length": String(Buffer.byteLength(text)) }, text };
}

/** What OpenSSL and Node say of a certificate that the authorities don't vouch for: X509_V_ERR_* and the name check. */
function isUntrusted(cause: unknown): cause is Error {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return /CERT|SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)|ALTNAME/.test(code);
}

function untrusted(name: string, cause: Error): Failure {
  return new Failure(
    "E551",
    name,
    `The device's certificate is not trusted: ${cause.message}`,
    "name its authority in api.tls.ca, or pin the certificate itself with api.tls.fingerprint",
    { cause },
  );
}

/** Never with the request's headers or body in it. */
function unreached(name: string, { method, path }: HttpRequest, cause: unknown): Failure {
  const timedOut = cause instanceof Error && (cause.name === "TimeoutError" || cause.name === "AbortError");
  const why = timedOut ? "no answer in time" : reasonOf(cause);
  const what = path.split("?")[0] ?? path;
  return new Failure(
    "E503",
    name,
    `Not reached: ${why} (${method} ${what})`,
    "look whether the device and its web server run, and whether a rule keeps us out",
    {
      cause,
    },
  );
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Several addresses were tried: an AggregateError without a text of its own.
  const parts = cause instanceof AggregateError ? cause.errors.map(reasonOf) : [];
  const code = "code" in cause ? String(cause.code) : "";
  return cause.message || parts.join("; ") || code || cause.name;
}
