import type { Code } from "./codes.ts";
import { printable } from "./printable.ts";

export type Severity = "error" | "warning";

/**
 * One thing that is wrong, for people and programs. `code` never changes its meaning; `at` is the place
 * (`fleet.yaml:8:23 hosts.vm2.docker`, or a device); `text` says what was found; `fix` what to do about it.
 */
export type Diagnostic = {
  readonly code: Code;
  readonly severity: Severity;
  readonly at: string;
  readonly text: string;
  readonly fix: string;
};

export function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === "error";
}

/** `fleet.yaml:8:23 hosts.vm2.docker: E110 Unknown key "profil"`, then the fix on a second line: never a third, whatever the parts hold. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const word = diagnostic.severity === "warning" ? "warning " : "";
  const [at, text, fix] = [diagnostic.at, diagnostic.text, diagnostic.fix].map(printable);
  return `${at}: ${word}${diagnostic.code} ${text}\n  fix: ${fix}`;
}
