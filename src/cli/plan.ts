import { printable } from "../base/printable.ts";
import { count, explain } from "../change/explain.ts";
import { formatPlan, planFormat } from "../change/plan.ts";
import { consequencesOf } from "../drivers/index.ts";
import { writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { openFleet } from "./fleet-file.ts";
import { plannedTests, sayTests } from "./fleet-tests.ts";
import { ledgerDigest, type Surveyed, survey } from "./survey.ts";
import type { Terminal, Tone } from "./terminal.ts";

export type PlanOptions = {
  readonly file?: string;
  readonly prefix?: string;
  readonly out?: string;
  readonly only?: readonly string[];
  readonly layer?: string;
  readonly lab?: string | true;
  readonly verbose?: boolean;
  readonly detailedExitcode?: boolean;
};

/** `sixgate plan` and `sixgate diff`: what would change. Reads devices, changes nothing. */
export async function plan(options: PlanOptions, terminal: Terminal): Promise<Exit> {
  const opened = await openFleet(options);
  const surveyed = await survey(opened, options, terminal);
  const sets = surveyed.map(({ set }) => set);
  showChanges(explain(sets, { verbose: options.verbose === true }), terminal);
  sayConsequences(surveyed, terminal);
  const tests = plannedTests(opened);
  sayTests(tests, terminal);
  const made = { format: planFormat, fleet: opened.fleet.name, ledger: ledgerDigest(opened), sets };
  if (options.out !== undefined) {
    await writeText(options.out, formatPlan(made), 0o600);
    terminal.say(`kept in ${options.out}: \`sixgate apply ${options.out}\``);
  }
  terminal.result(made);
  if (tests.some(({ passed }) => !passed)) return exit.failed;
  const { add, change, remove } = count(sets);
  return options.detailedExitcode === true && add + change + remove > 0 ? exit.changes : exit.fine;
}

const tones: Readonly<Record<string, Tone>> = { "+": "good", "~": "change", "-": "bad" };

export function showChanges(lines: readonly string[], terminal: Terminal): void {
  for (const line of lines) terminal.line(line, tones[line.trimStart()[0] ?? ""] ?? "plain");
}

/** What stops while the changes are applied, and what no change can mend. */
export function sayConsequences(surveyed: readonly Surveyed[], terminal: Terminal): void {
  for (const { desired, set, notes } of surveyed) {
    for (const line of consequencesOf(desired, set)) terminal.say(line);
    for (const note of notes) terminal.say(`${desired.device}: ${printable(note)}`);
  }
}
