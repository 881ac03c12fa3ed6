import type { Report } from "../lab/step.ts";
import type { Terminal } from "./terminal.ts";

/** A line on standard error for each step that is done, with its time. */
export function reportTo(terminal: Terminal): Report {
  return {
    say: (line) => terminal.say(line),
    done: ({ name, detail, ms }) =>
      terminal.say(`✓ ${name.padEnd(11)} ${detail.padEnd(60)} ${(ms / 1000).toFixed(1).padStart(5)} s`),
  };
}
