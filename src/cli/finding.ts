import type { Code } from "../base/codes.ts";

/** One thing looked at. A fix is there when it is not fine; `for` says what can't be done without it. */
export type Finding = {
  readonly name: string;
  readonly state: "fine" | "missing" | "note";
  readonly found: string;
  readonly code?: Code;
  readonly fix?: string;
};
