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

const statuses: Partial<Readonly<Record<Code, TurnedStatus>>> = {
  E940: 409,
  E946: 503,
  E947: 503,
  E950: 503,
  E951: 403,
  E953: 400,
  E955: 400,
  E966: 500,
  E967: 409,
  E986: 409,
  E987: 403,
  E988: 409,
  E989: 409,
};

/** What kind of trouble a Failure of the controller is, by its code: what it says no to, unless another is known. */
export function statusOf(code: Code): TurnedStatus {
  // Devices that were not reached or did not answer: nobody's request is wrong.
  return statuses[code] ?? (/^E5[01]/.test(code) ? 503 : 422);
}
