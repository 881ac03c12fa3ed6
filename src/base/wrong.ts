import type { Code } from "./codes.ts";

/** Why a text was refused: a code, what was found, and what to write. Where it stood is added by whoever knows. */
export type Wrong = { readonly code: Code; readonly text: string; readonly fix: string };

/** What a reader of one value gives. */
export type Read<T> = { readonly value: T } | Wrong;

export function wrong(code: Code, text: string, fix: string): Wrong {
  return { code, text, fix };
}
