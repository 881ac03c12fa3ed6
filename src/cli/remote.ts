import { type IncomingMessage, request as plain, type RequestOptions } from "node:http";
import { request as secure } from "node:https";
import type { Diagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import type { Door } from "./door.ts";
import { exit } from "./exit.ts";
import { Refused } from "./refused.ts";

/** A controller's API as verbs ask it. Nothing is ever sent twice. */
export type Remote = {
  /** The answer of that format (`openings/1`). Rejects with {@link Refused} for what the controller refuses. */
  get<T>(format: string, path: string, query?: Query): Promise<T>;
  /** May take long: an opening is answered when it is in force. */
  post<T>(format: string, path: string, body: object): Promise<T>;
  /** An answer that comes bit by bit. */
  stream(
    path: string,
    query: Query,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<IncomingMessage>;
};

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Milliseconds for an answer. Applies of the gateway take seconds at worst. */
const patience = 60_000;
/** More than any answer has. */
const mostBytes = 256 * 1024 * 1024;

type Sent = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export function remoteAt(door: Door): Remote {
  const ask = async <T>(format: string, sent: Sent): Promise<T> => {
    const answer = await send(door, sent, AbortSignal.timeout(patience));
    const text = await textOf(door, answer);
    if (answer.statusCode !== 200) throw refusal(door, answer.statusCode ?? 0, text);
    const read = parsed(text);
    if (read?.["format"] === `sixgate.${format}`) return read as T;
    throw new Failure(
      "E812",
      door.url,
      `Not an answer of format sixgate.${format}`,
      "use the version of sixgate that the controller has",
    );
  };
  return {
    get: (format, path, query = {}) => ask(format, { method: "GET", path: withQuery(path, query) }),
    post: (format, path, body) => ask(format, { method: "POST", path, body: JSON.stringify(body) }),
    async stream(path, query, headers, signal) {
      const answer = await send(door, { method: "GET", path: withQuery(path, query), headers }, signal);
      if (answer.statusCode === 200) return answer;
      throw refusal(door, answer.statusCode ?? 0, await textOf(door, answer));
    },
  };
}

function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) given.set(key, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}

function send(door: Door, { method, path, body, headers = {} }: Sent, signal?: AbortSignal): Promise<IncomingMessage> {
  const unix = door.url.startsWith("unix:");
  const url = unix ? undefined : new URL(door.url);
  const options: RequestOptions = {
    ...(url === undefined
      ? { socketPath: door.url.slice(5) }
      : { host: url.hostname.replace(/^\[|\]$/g, ""), port: url.port || 443 }),
    method,
    path,
    agent: false,
    headers: {
      authorization: `Bearer ${door.token}`,
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      ...headers,
    },
    ...(signal === undefined ? {} : { signal }),
  };
  const tls = { ...options, minVersion: "TLSv1.3" as const, ...(door.ca === undefined ? {} : { ca: door.ca }) };
  return new Promise((resolve, reject) => {
    const request = url?.protocol === "https:" ? secure(tls, resolve) : plain(options, resolve);
    request.on("error", (cause: NodeJS.ErrnoException) => reject(unreached(door, cause)));
    request.end(body);
  });
}

async function textOf(door: Door, answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new Error("the answer is too long");
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreached(door, cause as NodeJS.ErrnoException);
  }
  return Buffer.concat(chunks).toString();
}

const unixFixes: Readonly<Record<string, string>> = {
  ENOENT: "start it on the gateway: `sixgate controller`; or name another with --controller",
  ECONNREFUSED: "start it on the gateway: `sixgate controller`; the one that made this socket has ended",
  EACCES: "the socket is root's own: use sudo, or --controller https://…",
};

/** Never with the token in it. An interruption stays one. */
function unreached(door: Door, cause: NodeJS.ErrnoException): Error {
  if (cause.name === "AbortError") return cause;
  const code = cause.code ?? "";
  const late = cause.name === "TimeoutError";
  if (/CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|ALTNAME/.test(code))
    return new Failure(
      "E810",
      door.url,
      `Its certificate is not trusted: ${cause.message}`,
      "name the controller's authority with --ca",
      { cause },
    );
  const text = late
    ? `No answer within ${patience / 1000} s`
    : code === "ENOENT" || code === "ECONNREFUSED"
      ? "No controller runs there"
      : `Can't reach it: ${cause.message}`;
  const fix =
    unixFixes[door.url.startsWith("unix:") ? code : ""] ??
    "see that the controller runs, and that the address is right";
  return new Failure("E810", door.url, text, fix, { cause });
}

/** What the controller said no with, as it said it; what policy and limits refuse has an exit code of its own. */
function refusal(door: Door, status: number, text: string): Error {
  const read = parsed(text);
  const errors =
    read?.["format"] === "sixgate.error/1" && Array.isArray(read["errors"])
      ? (read["errors"] as readonly unknown[])
      : [];
  const diagnostics = errors.filter(isDiagnostic).map((each) => (each.code === "E956" ? wrongToken(door, each) : each));
  if (diagnostics.length > 0) return new Refused(diagnostics, status === 422 ? exit.refused : exit.error);
  return new Failure(
    "E812",
    door.url,
    `Answered ${status} without an error of sixgate`,
    "see that it is a controller that listens there",
  );
}

/** The same, said to whoever called a verb. */
function wrongToken(door: Door, said: Diagnostic): Diagnostic {
  const fix =
    "an admin makes another: `sixgate token create NAME --role ROLE`; the controller's own machine has one in its state folder";
  return { ...said, at: door.tokenFile, text: "The controller does not take this token", fix };
}

function isDiagnostic(value: unknown): value is Diagnostic {
  return (
    typeof value === "object" &&
    value !== null &&
    ["code", "severity", "at", "text", "fix"].every(
      (key) => typeof (value as Record<string, unknown>)[key] === "string",
    )
  );
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? (read as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
