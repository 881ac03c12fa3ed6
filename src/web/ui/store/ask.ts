import { session } from "./session-state.ts";
import type { Trouble } from "./views.ts";

/** The API said no, or nothing: `troubles` has code, place, what was found and what to do. */
export class Refused extends Error {
  readonly status: number;
  readonly troubles: readonly Trouble[];
  constructor(status: number, troubles: readonly Trouble[]) {
    super(troubles.map(({ code, text }) => `${code} ${text}`).join("; "));
    this.name = "Refused";
    this.status = status;
    this.troubles = troubles;
  }
}

/** Reads from the API. `T` is the type of the route's answer. Rejects with Refused. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal === undefined ? {} : { signal });
}

/** Gives an order. Rejects with Refused. */
export function post<T>(path: string, body: object): Promise<T> {
  return ask<T>(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** What to show of anything that was thrown. */
export function troublesOf(thrown: unknown): readonly Trouble[] {
  if (thrown instanceof Refused) return thrown.troubles;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return [{ code: "", severity: "error", at: "page", text, fix: "load the page again" }];
}

async function ask<T>(path: string, wish: RequestInit): Promise<T> {
  const response = await fetch(path, { ...wish, credentials: "same-origin" }).catch((cause: unknown) => {
    if (wish.signal?.aborted === true) throw cause;
    throw new Refused(0, [unreached]);
  });
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401 && session.value.state === "in") session.value = { state: "out", ended: true };
  throw new Refused(response.status, await troublesIn(response));
}

const unreached: Trouble = {
  code: "",
  severity: "error",
  at: "controller",
  text: "The controller does not answer",
  fix: "what is open stays open; see that it runs: `systemctl status sixgate-controller`",
};

async function troublesIn(response: Response): Promise<readonly Trouble[]> {
  const said: unknown = await response.json().catch(() => undefined);
  if (typeof said === "object" && said !== null && "errors" in said && Array.isArray(said.errors)) return said.errors;
  return [{ ...unreached, text: `The controller answered ${response.status}` }];
}
