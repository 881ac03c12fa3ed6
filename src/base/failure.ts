import type { Code } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { printable } from "./printable.ts";

/**
 * An operation that could not be done: thrown where the world did not play along (a device that can't be
 * reached, a program that is missing). Operator input gives a {@link Diagnostic} list instead of a throw. What a device
 * said may be in every part, so every part is made {@link printable} here: nobody has to think of it.
 */
export class Failure extends Error {
  readonly diagnostic: Diagnostic;
  constructor(code: Code, at: string, text: string, fix: string, options?: ErrorOptions) {
    const diagnostic = {
      code,
      severity: "error" as const,
      at: printable(at),
      text: printable(text),
      fix: printable(fix),
    };
    super(`${diagnostic.at}: ${code} ${diagnostic.text}`, options);
    this.name = "Failure";
    this.diagnostic = diagnostic;
  }
}
