import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Http, HttpAnswer } from "../../runtime/http.ts";

// The API of Proxmox VE 8.4 to 9.x: /api2/json. Our own small contract: what is called is in this folder and nowhere else.

export type Row = Readonly<Record<string, unknown>>;

/** A call that changes something, as data: sent over the API, or written into an undo for `pvesh` on the node. */
export type Call = {
  readonly method: "POST" | "PUT" | "DELETE";
  /** Behind /api2/json, each part encoded. */
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
};

export type Pve = {
  /** For messages. */
  readonly name: string;
  readonly node: string;
  list(path: string, signal?: AbortSignal): Promise<readonly Row[]>;
  read(path: string, signal?: AbortSignal): Promise<Row>;
  /** A list with the diff of what is written but not applied, which the node's network list has beside it. */
  listWithChanges(
    path: string,
    signal?: AbortSignal,
  ): Promise<{ readonly rows: readonly Row[]; readonly changes: string }>;
  send(call: Call, signal?: AbortSignal): Promise<unknown>;
  /** Sends a call that is answered by a task, and waits for its end. Rejects with E585 when it failed. */
  task(call: Call, patience: number, signal?: AbortSignal): Promise<void>;
};

const tries = 4;
const shape = z.looseObject({ data: z.unknown(), changes: z.string().nullish() });

export function pveAt(http: Http, node: string): Pve {
  const name = http.name;

  async function ask(path: string, signal?: AbortSignal): Promise<z.output<typeof shape>> {
    for (let attempt = 1; ; attempt++) {
      const answer = await http.send({ method: "GET", path: `/api2/json${path}`, signal });
      // 595 and 596: the node that was asked does not get through to the one that is meant.
      if (answer.status < 595 || attempt === tries) return understood(name, "GET", path, answer);
      await pause(250 * 2 ** attempt, undefined, signal === undefined ? {} : { signal });
    }
  }
  async function send({ method, path, form }: Call, signal?: AbortSignal): Promise<unknown> {
    const query = method === "DELETE" && Object.keys(form).length > 0 ? `?${new URLSearchParams(form).toString()}` : "";
    const answer = await http.send({
      method,
      path: `/api2/json${path}${query}`,
      ...(method === "DELETE" ? {} : { body: { form } }),
      signal,
    });
    return understood(name, method, path, answer).data;
  }
  const rows = (path: string, data: unknown): readonly Row[] => {
    if (Array.isArray(data) && data.every(isRow)) return data;
    throw notUnderstood(name, path, data);
  };
  const pve: Pve = {
    name,
    node,
    send,
    list: async (path, signal) => rows(path, (await ask(path, signal)).data),
    async read(path, signal) {
      const { data } = await ask(path, signal);
      if (isRow(data)) return data;
      throw notUnderstood(name, path, data);
    },
    async listWithChanges(path, signal) {
      const { data, changes } = await ask(path, signal);
      return { rows: rows(path, data), changes: changes ?? "" };
    },
    async task(call, patience, signal) {
      const upid = await send(call, signal);
      if (typeof upid !== "string" || !upid.startsWith("UPID:")) throw notUnderstood(name, call.path, upid);
      await ended(pve, upid, patience, signal);
    },
  };
  return pve;
}

/**
 * A task ends with OK, with `WARNINGS: 2`, which is an end too (what came of it is read back), or with an error. The
 * connection may go for a while: the task may be the one that takes the network down and up.
 */
async function ended(pve: Pve, upid: string, patience: number, signal?: AbortSignal): Promise<void> {
  // The node that works on it stands in the UPID, and need not be the one that was asked.
  const node = upid.split(":")[1] ?? pve.node;
  const path = `/nodes/${encodeURIComponent(node)}/tasks/${encodeURIComponent(upid)}`;
  const start = performance.now();
  for (let wait = 100; ; wait = Math.min(wait * 1.5, 2000)) {
    const found = await pve.read(`${path}/status`, signal).catch((cause: unknown) => {
      if (isUnreached(cause) && performance.now() - start < patience) return undefined;
      throw cause;
    });
    if (found?.["status"] === "stopped") {
      const exit = textOf(found, "exitstatus") ?? "";
      if (exit === "OK" || exit.startsWith("WARNINGS")) return;
      throw await failedTask(pve, upid, path, exit);
    }
    if (performance.now() - start > patience)
      throw new Failure(
        "E585",
        pve.name,
        `Task ${upid} is not done after ${Math.round(patience / 1000)} s`,
        "look at it under Tasks on the node",
      );
    await pause(wait, undefined, signal === undefined ? {} : { signal });
  }
}

async function failedTask(pve: Pve, upid: string, path: string, exit: string): Promise<Failure> {
  const lines = await pve.list(`${path}/log?limit=500`).catch(() => []);
  const last = lines.slice(-5).map((line) => textOf(line, "t") ?? "");
  const kind = upid.split(":")[5] ?? "task";
  return new Failure(
    "E585",
    pve.name,
    `${kind} ended with: ${exit || "nothing said"}${last.length === 0 ? "" : ` (${last.join("; ")})`}`,
    "look at it under Tasks on the node",
  );
}

function isUnreached(cause: unknown): boolean {
  return cause instanceof Failure && ["E503", "E517"].includes(cause.diagnostic.code);
}

function understood(name: string, method: string, path: string, answer: HttpAnswer): z.output<typeof shape> {
  const what = `${method} ${path.split("?")[0]}`;
  const parsed = shape.safeParse(jsonOf(answer.text));
  if (answer.status < 300) {
    if (parsed.success) return parsed.data;
    throw notUnderstood(name, what, answer.text);
  }
  throw refusal(name, what, answer, parsed.success ? saidIn(parsed.data) : printable(answer.text.trim().slice(0, 200)));
}

function refusal(name: string, what: string, { status }: HttpAnswer, said: string): Failure {
  if (status === 401)
    return new Failure(
      "E582",
      name,
      `The node does not know the token (${said || "401"})`,
      "write USER@REALM!ID=UUID where api.key points to; the UUID is shown only once, when the token is made",
    );
  if (status === 403)
    return new Failure(
      "E581",
      name,
      `The token may not do ${what} (${said || "403"})`,
      "give it the rights that docs/hypervisor-proxmox.md lists",
    );
  if (status >= 595)
    return new Failure(
      "E503",
      name,
      `The node is not reached by its cluster (${status} ${said})`,
      "look whether the node runs, or give api.url its own address",
    );
  if (status === 501) return new Failure("E517", name, `The node has no ${what}`, "Proxmox VE 8.4 or later is needed");
  if (/detected modified configuration/.test(said))
    return new Failure("E584", name, `${what}: ${said}`, "plan again and look at what changed");
  return new Failure("E511", name, `${what} was refused (${status} ${said})`, "look at the object on the node");
}

/** `message` in newer releases; what is wrong with which parameter in `errors`. */
function saidIn(answer: Row): string {
  const message = textOf(answer, "message")?.trim() ?? "";
  const errors = isRow(answer["errors"]) ? Object.entries(answer["errors"]) : [];
  return [message, ...errors.map(([key, text]) => `${key}: ${String(text).trim()}`)]
    .filter(Boolean)
    .join("; ")
    .slice(0, 400);
}

function notUnderstood(name: string, path: string, data: unknown): Failure {
  const shown = printable(JSON.stringify(data)?.slice(0, 200) ?? "nothing");
  return new Failure(
    "E517",
    name,
    `The answer to ${path.split("?")[0]} is not understood: ${shown}`,
    "look whether api.url is that of Proxmox VE, usually port 8006",
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field as text; numbers too, since Perl has no difference. Undefined where there is none. */
export function textOf(row: Row | undefined, key: string): string | undefined {
  const value = row?.[key];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}

/** Perl's booleans: 1, "1" and true. */
export function flagOf(row: Row | undefined, key: string): boolean {
  const value = row?.[key];
  return value === true || textOf(row, key) === "1";
}

/** Parts of a path, encoded. */
export function pathOf(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${encodeURIComponent(String(part))}`).join("");
}
