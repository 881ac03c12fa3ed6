import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Http, HttpRequest } from "../../runtime/http.ts";
import { notUnderstood } from "../pf/answers.ts";
import { isMarked } from "../pf/names.ts";

// The REST API package for pfSense (pfSense-pkg-RESTAPI), version 2: https://pfrest.org. Not part of pfSense, and gone
// after each of its upgrades until it is installed again.

/** What to do where an answer is strange. */
export const versions = "use a version of the REST API package that docs/gateway-pfsense.md names";

export type Row = Readonly<Record<string, unknown>>;

/** Only what the driver needs. Paths are behind /api/v2. */
export type Rest = {
  /** Name of the device, for messages. */
  readonly name: string;
  /** All objects of a plural, or those whose fields are exactly so. */
  list(path: string, where?: Where, signal?: AbortSignal): Promise<readonly Row[]>;
  read(path: string, where?: Where, signal?: AbortSignal): Promise<Row>;
  /** Whatever is there: for whoever wants to know whether it may be read. */
  ask(path: string, signal?: AbortSignal): Promise<unknown>;
  /** As `read`; undefined where there is no such object. */
  find(path: string, where: Where, signal?: AbortSignal): Promise<Row | undefined>;
  create(path: string, body: Row, signal?: AbortSignal): Promise<Row>;
  update(path: string, body: Row, signal?: AbortSignal): Promise<Row>;
  /**
   * Removes by fields what `isOurs` says is ours: read first, then removed by the same fields and never by an index,
   * which shifts. None is no error. Rejects with E555 where the fields also meet what is not ours.
   */
  remove(
    path: string,
    where: Where,
    isOurs: (row: Row) => boolean,
    signal?: AbortSignal,
    control?: Where,
  ): Promise<void>;
  /** Waits for the end: up to three minutes, which the device's own web server allows. */
  apply(path: string, signal?: AbortSignal): Promise<Row>;
};

type Where = Readonly<Record<string, string>>;

const applyTimeout = 200_000;
/** How long a device may be too busy: a stale lock of its configuration is given up after 60 s. */
const busyFor = 90_000;

export function restAt(http: Http): Rest {
  const name = http.name;

  async function call(request: HttpRequest): Promise<{ readonly status: number; readonly data: unknown }> {
    const until = performance.now() + busyFor;
    for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
      const answer = await http.send({ ...request, path: `/api/v2${request.path}` });
      const envelope = envelopeOf(answer.text);
      if (envelope === undefined) throw noEnvelope(name, request, answer.status, answer.text);
      if (answer.status < 300) return { status: answer.status, data: envelope.data };
      // 503 is said before anything is done: the queue of its workers is full, or its configuration is locked.
      if (answer.status !== 503 || performance.now() + wait > until)
        throw refusal(name, request, answer.status, envelope);
      await pause(wait, undefined, request.signal === undefined ? {} : { signal: request.signal });
    }
  }
  async function list(path: string, where: Where = {}, signal?: AbortSignal): Promise<readonly Row[]> {
    const { data } = await call({ method: "GET", path: `${path}${queryOf(where)}`, signal });
    if (Array.isArray(data) && data.every(isRow)) return data;
    throw strange(name, path, data);
  }
  async function one(request: HttpRequest): Promise<Row> {
    const { data } = await call(request);
    if (isRow(data)) return data;
    throw strange(name, request.path, data);
  }
  return {
    name,
    list,
    ask: async (path, signal) => (await call({ method: "GET", path, signal })).data,
    read: (path, where = {}, signal) => one({ method: "GET", path: `${path}${queryOf(where)}`, signal }),
    async find(path, where, signal) {
      try {
        return await one({ method: "GET", path: `${path}${queryOf(where)}`, signal });
      } catch (cause) {
        if (cause instanceof Refusal && cause.id === "MODEL_OBJECT_NOT_FOUND") return undefined;
        throw cause;
      }
    },
    create: (path, body, signal) => one({ method: "POST", path, body: { json: body }, signal }),
    update: (path, body, signal) => one({ method: "PATCH", path, body: { json: body }, signal }),
    async remove(path, where, ours, signal, control = {}) {
      const found = await list(path, where, signal);
      if (found.length === 0) return;
      if (!found.every(ours)) throw foreign(name, path, where);
      const { data } = await call({ method: "DELETE", path: `${path}${queryOf({ ...where, ...control })}`, signal });
      if (Array.isArray(data) && data.every((row) => isRow(row) && ours(row))) return;
      throw foreign(name, path, where);
    },
    apply: (path, signal) =>
      one({ method: "POST", path, body: { json: { async: false } }, timeout: applyTimeout, signal }),
  };
}

/** What the device answered instead of doing it. `id` is the package's own name of the reason. */
export class Refusal extends Failure {
  readonly id: string;
  constructor(id: string, ...rest: ConstructorParameters<typeof Failure>) {
    super(...rest);
    this.id = id;
  }
}

type Envelope = { readonly response_id: string; readonly message: string; readonly data: unknown };

/** Undefined for anything else: a fatal error of PHP, the web server's own page, half a text. */
function envelopeOf(text: string): Envelope | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRow(read) || typeof read["response_id"] !== "string" || !("data" in read)) return undefined;
  const message = typeof read["message"] === "string" ? read["message"] : "";
  return { response_id: read["response_id"], message, data: read["data"] };
}

/** Whether an object carries our mark. */
export function isOurs({ descr }: Row): boolean {
  return typeof descr === "string" && isMarked(descr);
}

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function queryOf(where: Where): string {
  const pairs = Object.entries(where).map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function refusal(name: string, request: HttpRequest, status: number, envelope: Envelope): Refusal {
  const { response_id: id, message } = envelope;
  const what = `${request.method} ${request.path.split("?")[0]}`;
  const said = `${id}: ${message}`.slice(0, 400);
  if (status === 401)
    return new Refusal(
      id,
      "E552",
      name,
      `The device does not know the key (${said})`,
      "make a key in System > REST API > Keys, and see that key authentication is switched on there",
    );
  if (status === 403 && !id.startsWith("MODEL_"))
    return new Refusal(
      id,
      "E553",
      name,
      `The key may not do ${what} (${said})`,
      "give its user the privileges that docs/gateway-pfsense.md lists",
    );
  if (status === 503)
    return new Refusal(
      id,
      "E511",
      name,
      `Too busy for ${what} (${said})`,
      "try again; a lock that stays is taken away by restarting PHP-FPM",
    );
  return new Refusal(
    id,
    "E511",
    name,
    `${what} was refused (${status} ${said})`,
    "look at the object on the device; `sixgate plan` shows what differs",
  );
}

function noEnvelope(name: string, request: HttpRequest, status: number, text: string): Failure {
  const what = `${request.method} ${request.path.split("?")[0]}`;
  if (status === 404)
    return new Failure(
      "E560",
      name,
      "The device has no REST API",
      "install the package: docs/gateway-pfsense.md says how; each upgrade of pfSense removes it",
    );
  const start = printable(text.trim().slice(0, 200)) || "nothing";
  return new Failure(
    "E517",
    name,
    `${what} gave ${status} and no answer of the REST API: ${start}`,
    "look at the device's PHP log; it may be out of memory",
  );
}

function strange(name: string, path: string, data: unknown): Failure {
  const shown = printable(JSON.stringify(data)?.slice(0, 200) ?? "nothing");
  return notUnderstood({ name, versions }, path.split("?")[0] ?? path, shown);
}

function foreign(name: string, path: string, where: Where): Failure {
  const which = Object.entries(where).map(([key, value]) => `${key} "${value}"`);
  return new Failure(
    "E555",
    name,
    `${path}: what has ${which.join(", ")} is not ours alone`,
    "somebody else made an object of the same name: rename or remove it",
  );
}
