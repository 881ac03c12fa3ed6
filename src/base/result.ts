import type { Diagnostic } from "./diagnostic.ts";

/** What an operation on an operator's input gives: a value, with warnings at most, or all errors found at once. */
export type Result<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly errors: readonly Diagnostic[] };

export function ok<T>(value: T, warnings: readonly Diagnostic[] = []): Result<T> {
  return { ok: true, value, warnings };
}

export function failed<T>(errors: readonly Diagnostic[]): Result<T> {
  return { ok: false, errors };
}
