import { STATUS_CODES } from "node:http";
import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";

/** Ends a request with errors and a status of its own. What the controller refuses is a `Failure` and passes as it is. */
export class Turned extends Error {
  readonly status: TurnedStatus;
  readonly errors: readonly Diagnostic[];
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: TurnedStatus, errors: readonly Diagnostic[], headers: Readonly<Record<string, string>> = {}) {
    super(`${status} ${STATUS_CODES[status] ?? ""}`);
    this.name = "Turned";
    this.status = status;
    this.errors = errors;
    this.headers = headers;
  }
}

export type TurnedStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503;

export function turned(status: TurnedStatus, code: Code, at: string, text: string, fix: string): Turned {
  return new Turned(status, [{ code, severity: "error", at, text, fix }]);
}

/** The body of every answer that is not a success. */
export function errorBody(errors: readonly Diagnostic[]): {
  readonly format: "sixgate.error/1";
  readonly errors: readonly Diagnostic[];
} {
  return { format: "sixgate.error/1", errors };
}

/** What kind of trouble a Failure of the controller is, by its code. */
export function statusOf(code: Code): TurnedStatus {
  if (code === "E967" || code === "E940") return 409;
  if (code === "E955") return 400;
  // Devices that were not reached or did not answer: nobody's request is wrong.
  if (/^E5(?:0|1)/.test(code)) return 503;
  if (code === "E966") return 500;
  return 422;
}
