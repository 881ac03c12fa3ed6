import { createInterface } from "node:readline/promises";
import { Failure } from "../base/failure.ts";
import { seconds } from "../base/time.ts";
import { count, explain } from "../change/explain.ts";
import { guard } from "../change/guard.ts";
import { type Plan, parsePlan } from "../change/plan.ts";
import { applyDevice } from "../drivers/plan-device.ts";
import { type Exit, exit } from "./exit.ts";
import { keepLedger, type Opened, openFleet, readNamed } from "./fleet-file.ts";
import { failuresOf, plannedTests } from "./fleet-tests.ts";
import { sayConsequences, showChanges } from "./plan.ts";
import { Refused } from "./refused.ts";
import { ledgerDigest, type Surveyed, survey } from "./survey.ts";
import type { Terminal } from "./terminal.ts";

export type ApplyOptions = {
  readonly file?: string;
  readonly prefix?: string;
  readonly plan?: string;
  readonly only?: readonly string[];
  readonly lab?: string | true;
  readonly yes?: boolean;
  readonly ask: boolean;
  readonly confirmWithin: string;
  readonly acceptLockoutRisk?: boolean;
  readonly acceptRemovals?: boolean;
};

/**
 * `sixgate apply`: plan, guard, ask, then device by device: arm the dead-man, apply, read back, confirm. A device that
 * fails goes back and ends the apply; those before it stay as planned, those after it are untouched, and it is said.
 */
export async function apply(options: ApplyOptions, terminal: Terminal): Promise<Exit> {
  const within = Number(options.confirmWithin);
  if (!Number.isInteger(within) || within < 5 || within > 3600) {
    throw new Failure(
      "E802",
      "--confirm-within",
      `"${options.confirmWithin}" is not 5 to 3600 seconds`,
      "60 is the default",
    );
  }
  const opened = await openFleet(options);
  const failures = failuresOf(plannedTests(opened));
  if (failures.length > 0) throw new Refused(failures, exit.failed);
  const stored = options.plan === undefined ? undefined : await readPlan(options.plan, opened);
  const only = options.only ?? stored?.sets.map((set) => set.device);
  const surveyed = await survey(opened, { only, lab: options.lab }, terminal);
  if (stored !== undefined) refuseIfMoved(stored, surveyed, options.plan ?? "");
  const busy = surveyed.filter(({ set }) => set.changes.length > 0);
  const sets = busy.map(({ set }) => set);
  showChanges(explain(sets), terminal);
  sayConsequences(busy, terminal);
  if (busy.length === 0) {
    await keepLedger(opened);
    terminal.result({ format: "sixgate.apply/1", applied: [], changes: 0 });
    return exit.fine;
  }
  const refusals = guard(
    sets,
    surveyed.map(({ fact }) => fact),
    { acceptLockoutRisk: options.acceptLockoutRisk === true, acceptRemovals: options.acceptRemovals === true },
  );
  if (refusals.length > 0) throw new Refused(refusals, exit.refused);
  if (!(await agreed(options, terminal))) {
    terminal.say("nothing was changed");
    return exit.error;
  }
  // Before the first device: a number that is out in the world must never be given twice.
  await keepLedger(opened);
  await applyInOrder(busy, within, terminal);
  const { add, change, remove } = count(sets);
  terminal.line(
    `Applied: ${add} added, ${change} changed, ${remove} removed; every device read back and confirmed`,
    "good",
  );
  terminal.result({
    format: "sixgate.apply/1",
    applied: sets.map(({ device, layer }) => ({ device, layer })),
    changes: add + change + remove,
  });
  return exit.fine;
}

async function applyInOrder(busy: readonly Surveyed[], within: number, terminal: Terminal): Promise<void> {
  for (const [at, { desired, way, set, fact }] of busy.entries()) {
    const began = performance.now();
    try {
      await applyDevice(way, desired, set, seconds(within), () => way.reconnect?.() ?? Promise.resolve());
    } catch (cause) {
      const done = busy.slice(0, at).map((each) => `${each.desired.device} ${each.desired.layer}`);
      terminal.say(
        `stopped at ${desired.device} ${desired.layer}: ${fateOf(cause, fact)}; ${done.length > 0 ? `as planned: ${done.join(", ")}` : "nothing else was changed"}`,
      );
      throw cause;
    }
    terminal.say(
      `✓ ${desired.device.padEnd(10)} ${desired.layer.padEnd(10)} ${set.changes.length} ${set.changes.length === 1 ? "change" : "changes"}, confirmed  ${((performance.now() - began) / 1000).toFixed(1)} s`,
    );
  }
}

function fateOf(cause: unknown, { undo }: Surveyed["fact"]): string {
  const code = cause instanceof Failure ? cause.diagnostic.code : undefined;
  if (code === "E515") return "its undo failed";
  return undo === "none" && code === "E503" ? "nobody undoes what it may have done" : "it goes back";
}

async function readPlan(path: string, opened: Opened): Promise<Plan> {
  const text = await readNamed(path);
  if (text === undefined) throw new Failure("E801", path, "No such plan", "make one with `sixgate plan -o`");
  const parsed = parsePlan(text, path);
  if (!parsed.ok) throw new Refused(parsed.errors);
  if (parsed.value.fleet === opened.fleet.name && parsed.value.ledger === ledgerDigest(opened)) return parsed.value;
  throw new Failure(
    "E510",
    path,
    "The plan was made for another fleet or other numbers",
    "make it anew with `sixgate plan -o`",
  );
}

/** A stored plan is applied as it was approved, or not at all. */
function refuseIfMoved(stored: Plan, surveyed: readonly Surveyed[], path: string): void {
  const now = new Map(surveyed.map(({ set }) => [`${set.device} ${set.layer}`, JSON.stringify(set)]));
  const moved = stored.sets.filter((set) => now.get(`${set.device} ${set.layer}`) !== JSON.stringify(set));
  if (moved.length === 0) return;
  const names = moved.map((set) => `${set.device} ${set.layer}`).join(", ");
  throw new Failure("E510", path, `Changed since the plan was made: ${names}`, "make it anew with `sixgate plan -o`");
}

async function agreed(options: ApplyOptions, terminal: Terminal): Promise<boolean> {
  if (options.yes === true) return true;
  if (!options.ask || !process.stdin.isTTY || terminal.json) {
    throw new Failure("E806", "apply", "Nobody to ask", "call it with --yes");
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question("Apply these changes? [y/N] ")).trim());
  } finally {
    lines.close();
  }
}
