import type { Code } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";

/**
 * An operation that could not be done: thrown where the world did not play along (a device that can't be
 * reached, a program that is missing). Operator input gives a {@link Diagnostic} list instead of a throw.
 */
export class Failure extends Error {
  readonly diagnostic: Diagnostic;
  constructor(code: Code, at: string, text: string, fix: string, options?: ErrorOptions) {
    super(`${at}: ${code} ${text}`, options);
    this.name = "Failure";
    this.diagnostic = { code, severity: "error", at, text, fix };
  }
}
