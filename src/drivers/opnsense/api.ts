import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Http, HttpRequest } from "../../runtime/http.ts";
import { notUnderstood } from "../pf/answers.ts";

// OPNsense's own API: https://docs.opnsense.org/development/api.html. Objects have uuids that stay. An answer with status
// 200 may say "failed".

/** What to do where an answer is strange. */
export const versions = "use a version of OPNsense that docs/gateway-opnsense.md names";

export type Row = Readonly<Record<string, unknown>>;

/** Only what the driver needs. Paths are behind /api. */
export type Core = {
  /** Name of the device, for messages. */
  readonly name: string;
  get(path: string, signal?: AbortSignal): Promise<unknown>;
  /** All rows of a grid; with a phrase, those in which its words are. */
  search(path: string, phrase?: string, signal?: AbortSignal): Promise<readonly Row[]>;
  /** Any question that is asked by POST, and changes nothing. */
  ask(path: string, body: Row, signal?: AbortSignal): Promise<Row>;
  /** Gives the new object's uuid. */
  add(path: string, body: Row, signal?: AbortSignal): Promise<string>;
  set(path: string, body: Row, signal?: AbortSignal): Promise<void>;
  /** Gone already is no error. */
  remove(path: string, signal?: AbortSignal): Promise<void>;
  /** Makes what is configured run. "OK" says that it was asked for, not that it runs. */
  apply(path: string, signal?: AbortSignal): Promise<void>;
  /** Adds to or takes from a table and its alias. */
  entry(path: string, address: string, signal?: AbortSignal): Promise<void>;
};

/** Reloads of thousands of rules take their time. */
const applyTimeout = 200_000;

export function coreAt(http: Http): Core {
  const name = http.name;
  async function call(request: HttpRequest): Promise<unknown> {
    const answer = await http.send({ ...request, path: `/api${request.path}` });
    const what = `${request.method} ${request.path}`;
    const said = read(answer.text);
    if (said === undefined) throw notJson(name, what, answer.status, answer.text);
    if (answer.status !== 200) throw refused(name, what, answer.status, said.value);
    return said.value;
  }
  async function post(path: string, body: HttpRequest["body"], more: Partial<HttpRequest> = {}): Promise<Row> {
    const said = await call({ method: "POST", path, ...(body === undefined ? {} : { body }), ...more });
    if (isRow(said)) return said;
    throw strange(name, path, said);
  }
  function must(path: string, said: Row, field: "result" | "status", fine: RegExp): void {
    const found = said[field];
    if (typeof found === "string" && fine.test(found.trim())) return;
    throw failed(name, path, said);
  }
  return {
    name,
    get: (path, signal) => call({ method: "GET", path, signal }),
    async search(path, phrase, signal) {
      const body = { rowCount: -1, ...(phrase === undefined ? {} : { searchPhrase: phrase }) };
      const { rows } = await post(path, { json: body }, { repeatable: true, signal });
      if (Array.isArray(rows) && rows.every(isRow)) return rows;
      throw strange(name, path, rows);
    },
    ask: (path, body, signal) => post(path, { json: body }, { repeatable: true, signal }),
    async add(path, body, signal) {
      const said = await post(path, { json: body }, { signal });
      must(path, said, "result", /^saved$/);
      const { uuid } = said;
      if (typeof uuid === "string") return uuid;
      throw strange(name, path, said);
    },
    async set(path, body, signal) {
      must(path, await post(path, { json: body }, { signal }), "result", /^saved$/);
    },
    async remove(path, signal) {
      must(path, await post(path, { json: {} }, { signal }), "result", /^(deleted|not found)$/);
    },
    async apply(path, signal) {
      const said = await post(path, { json: {} }, { timeout: applyTimeout, signal });
      must(path, said, "status", /^ok\b/i);
    },
    async entry(path, address, signal) {
      must(path, await post(path, { form: { address } }, { signal }), "status", /^done$/);
    },
  };
}

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Why it was not done, in the product's words: each field with what is wrong with it. */
function failed(name: string, path: string, said: Row): Failure {
  const { validations, status_msg: message, ...rest } = said;
  const why = isRow(validations)
    ? Object.entries(validations).map(([field, texts]) => `${field}: ${[texts].flat().map(textOf).join(" ")}`)
    : [textOf(message ?? rest)];
  return new Failure(
    "E511",
    name,
    `${path} was not done: ${printable(why.join("; ").slice(0, 400))}`,
    "look at the object on the device; `sixgate plan` shows what differs",
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}

function refused(name: string, what: string, status: number, said: unknown): Failure {
  const { errorMessage, message } = isRow(said) ? said : {};
  const text = printable(textOf(errorMessage ?? message ?? said).slice(0, 400));
  if (status === 401)
    return new Failure(
      "E552",
      name,
      `The device does not know key and secret (${text})`,
      "make a key in System > Access > Users, and see that its user is not disabled",
    );
  if (status === 403)
    return new Failure(
      "E553",
      name,
      `The key may not do ${what} (${text})`,
      "give its user the privileges that docs/gateway-opnsense.md lists",
    );
  if (status === 404)
    return new Failure(
      "E561",
      name,
      `The device has no ${what} (${text})`,
      "docs/gateway-opnsense.md says which versions have what; update the device",
    );
  return new Failure(
    "E511",
    name,
    `${what} was refused (${status} ${text})`,
    "look at the object on the device; `sixgate plan` shows what differs",
  );
}

function notJson(name: string, what: string, status: number, text: string): Failure {
  const start = printable(text.trim().slice(0, 200)) || "nothing";
  return new Failure(
    "E517",
    name,
    `${what} gave ${status} and no answer of the API: ${start}`,
    "see that the URL is OPNsense's, and look at its log; it may be out of memory",
  );
}

function strange(name: string, path: string, said: unknown): Failure {
  return notUnderstood({ name, versions }, path, printable(textOf(said).slice(0, 200)));
}
