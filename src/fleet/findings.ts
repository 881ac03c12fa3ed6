import type { Code } from "../base/codes.ts";
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Path, Places } from "./places.ts";

/** Collects what the checks find, each with its place in the file. */
export type Findings = {
  error(code: Code, path: Path, text: string, fix: string): void;
  warning(code: Code, path: Path, text: string, fix: string): void;
  /** An error in what did not come from the file: `place` says where from. */
  errorAt(code: Code, place: string, text: string, fix: string): void;
  readonly all: readonly Diagnostic[];
};

export function findingsIn(places: Places): Findings {
  const all: Diagnostic[] = [];
  return {
    all,
    error: (code, path, text, fix) => void all.push({ code, severity: "error", at: places.at(path), text, fix }),
    errorAt: (code, place, text, fix) => void all.push({ code, severity: "error", at: place, text, fix }),
    warning: (code, path, text, fix) => void all.push({ code, severity: "warning", at: places.at(path), text, fix }),
  };
}
