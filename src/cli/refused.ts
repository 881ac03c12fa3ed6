import type { Diagnostic } from "../base/diagnostic.ts";
import { type Exit, exit } from "./exit.ts";

/** Input that can't be taken, or a plan that the guard refuses: all that is wrong, found at once. Nothing was changed. */
export class Refused extends Error {
  readonly diagnostics: readonly Diagnostic[];
  readonly exit: Exit;
  constructor(diagnostics: readonly Diagnostic[], code: Exit = exit.error) {
    super(diagnostics.map((each) => `${each.at}: ${each.code} ${each.text}`).join("\n"));
    this.name = "Refused";
    this.diagnostics = diagnostics;
    this.exit = code;
  }
}
