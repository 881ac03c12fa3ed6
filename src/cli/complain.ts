import { type Diagnostic, formatDiagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { type Exit, exit } from "./exit.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";

/** Says what went wrong, to people on standard error and with `--json` to programs on standard output, and gives the exit code. */
export function complain(error: unknown, terminal: Terminal): Exit {
  if (error instanceof Refused) return say(error.diagnostics, error.exit, terminal);
  if (error instanceof Failure) return say([error.diagnostic], exit.error, terminal);
  if (error instanceof Error && error.name === "AbortError") {
    const text = "Interrupted";
    return say(
      [{ code: "E808", severity: "error", at: "sixgate", text, fix: "what was begun was taken back; call it again" }],
      exit.error,
      terminal,
    );
  }
  const file = fileFault(error);
  if (file !== undefined) return say([file], exit.error, terminal);
  const text =
    error instanceof Error
      ? process.env["SIXGATE_DEBUG"] === undefined
        ? error.message
        : (error.stack ?? error.message)
      : String(error);
  const fix = "a fault in sixgate: run again with SIXGATE_DEBUG=1 and report what it prints";
  return say([{ code: "E803", severity: "error", at: "sixgate", text, fix }], exit.error, terminal);
}

/** A call that can't be understood: commander's own words less their `error: `. */
export function complainOfUsage(message: string, terminal: Terminal): Exit {
  const words = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  const text = words === "(outputHelp)" ? "No verb" : words.charAt(0).toUpperCase() + words.slice(1);
  return say(
    [
      {
        code: "E802",
        severity: "error",
        at: "sixgate",
        text,
        fix: "`sixgate --help` lists the verbs, `sixgate VERB --help` what each takes",
      },
    ],
    exit.usage,
    terminal,
  );
}

function say(diagnostics: readonly Diagnostic[], code: Exit, terminal: Terminal): Exit {
  for (const diagnostic of diagnostics) terminal.say(formatDiagnostic(diagnostic));
  terminal.result({ format: "sixgate.error/1", errors: diagnostics });
  return code;
}

const fileFaults: Readonly<Record<string, string>> = {
  EACCES: "No permission",
  EPERM: "Not permitted",
  EROFS: "The file system can't be written to",
  ENOSPC: "No space left",
  EISDIR: "It is a folder, not a file",
  ENOTDIR: "Something on the way to it is a file, not a folder",
  ENOENT: "No such file or folder",
};

/** A file of this machine that can't be read or written: the operator's matter, not a fault in sixgate. */
function fileFault(error: unknown): Diagnostic | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("path" in error)) return undefined;
  const text = fileFaults[String(error.code)];
  if (text === undefined) return undefined;
  return { code: "E807", severity: "error", at: String(error.path), text, fix: "look at the path and its rights" };
}
