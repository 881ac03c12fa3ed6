import { createHash } from "node:crypto";
import { type Diagnostic, formatDiagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { seconds } from "../base/time.ts";
import type { ChangeSet } from "../change/change-set.ts";
import { count, explain } from "../change/explain.ts";
import { guard } from "../change/guard.ts";
import { loadedRules, plannedRules } from "../drivers/gateway-rules.ts";
import { consequencesOf } from "../drivers/index.ts";
import { applyDevice } from "../drivers/plan-device.ts";
import type { Loaded } from "../drivers/rules-of.ts";
import type { TestResult } from "../proof/fleet-tests.ts";
import { exposureMatrix, matrixVantages } from "../proof/matrix.ts";
import { readText } from "../runtime/files.ts";
import type { Way } from "../runtime/way.ts";
import { Turned } from "../web/answer.ts";
import type { ApplyProgress, ApplyWish, Planner } from "../web/planner/planner.ts";
import type { MadePlan, MatrixView, ReviewView } from "../web/planner/schema.ts";
import { decisionLines, formatPacket } from "./difference.ts";
import { type FleetSource, findFleetFile, keepLedger, type Opened, openFleet } from "./fleet-file.ts";
import { failuresOf, plannedTests } from "./fleet-tests.ts";
import { gatewayIn } from "./gateway-rules.ts";
import { Refused } from "./refused.ts";
import { ledgerDigest, type Surveyed, survey } from "./survey.ts";
import { type Ways, waysOf } from "./ways.ts";

export type PlannerOptions = {
  readonly source: FleetSource;
  /** How the controller itself gets at its gateway. */
  readonly gateway: (opened: Opened) => Promise<Way>;
  readonly mayApply: boolean;
  /** Called when a plan was applied: the controller works by the new numbers from then on. */
  readonly applied: () => Promise<void>;
  readonly now: () => number;
};

/** Changes of one device that are told one by one; of more their number is. */
const mostChanges = 1000;
/** Hosts that a matrix looks from. */
const mostVantages = 12;

/** Plans for the API, made as `sixgate plan`, `test` and `apply` make them: decision 0013. */
export function plannerFor(options: PlannerOptions): Planner {
  const { source, mayApply } = options;
  return {
    mayApply,
    command: `sixgate apply${source.file === undefined ? "" : ` -f ${source.file}`}`,
    review: () => review(source),
    matrix: () => told(matrix(options)),
    plan: async () => (await told(makePlan(options))).made,
    apply: (wish, progress) => applyPlan(options, wish, progress),
  };
}

/** What a fleet file has wrong is an answer of the API, each thing with its place. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cause instanceof Refused ? new Turned(422, cause.diagnostics) : cause;
  }
}

async function refusedAsFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const first = cause instanceof Refused ? cause.diagnostics[0] : undefined;
    throw first === undefined ? cause : new Failure(first.code, first.at, first.text, first.fix);
  }
}

/** A file that is wrong is shown with what is wrong in it. */
async function review(source: FleetSource): Promise<ReviewView> {
  try {
    const opened = await openFleet(source);
    return {
      file: opened.file,
      text: opened.text,
      findings: opened.warnings,
      tests: plannedTests(opened).map(testView),
    };
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause;
    const path = findFleetFile(source.file);
    const text = (await readText(path)) ?? "";
    return { file: path, text, findings: cause.diagnostics, tests: [], unasked: "The fleet file is wrong" };
  }
}

function testView({ placed, what, want, passed, packet, decision }: TestResult): ReviewView["tests"][number] {
  const because = [
    ...(packet === undefined ? [] : [`packet ${formatPacket(packet)}`]),
    ...(decision === undefined ? [] : decisionLines(decision)),
  ];
  return { at: placed.test.at, name: placed.name, what, want, passed, because: because.map(printable) };
}

async function matrix(options: PlannerOptions): Promise<MatrixView> {
  const opened = await openFleet(options.source);
  const desired = gatewayIn(opened);
  const read = await rulesOf(options, opened);
  const vantages = matrixVantages(desired, opened.fleet, mostVantages);
  return {
    rules: read.why === undefined ? "loaded" : "planned",
    ...(read.why === undefined ? {} : { why: printable(read.why) }),
    sources: vantages.map(({ name }) => name),
    rows: exposureMatrix(read.loaded, vantages, desired.hosts),
  };
}

async function rulesOf(
  options: PlannerOptions,
  opened: Opened,
): Promise<{ readonly loaded: Loaded; readonly why?: string }> {
  const desired = gatewayIn(opened);
  try {
    return { loaded: await loadedRules(await options.gateway(opened), desired) };
  } catch (cause) {
    return { loaded: plannedRules(desired), why: cause instanceof Error ? cause.message : String(cause) };
  }
}

type Made = {
  readonly opened: Opened;
  readonly surveyed: readonly Surveyed[];
  readonly made: MadePlan;
};

async function makePlan(options: PlannerOptions): Promise<Made> {
  const opened = await openFleet(options.source);
  const notes: string[] = [];
  const terminal = { say: (text: string): void => void notes.push(printable(text)) };
  const surveyed = await survey(opened, { ways: await waysFrom(options, opened) }, terminal);
  const tests = plannedTests(opened);
  const busy = surveyed.filter(({ set }) => set.changes.length > 0);
  const sets = busy.map(({ set }) => set);
  const { add, change, remove } = count(sets);
  const stops: readonly Diagnostic[] = [
    ...failuresOf(tests),
    ...guard(
      sets,
      surveyed.map(({ fact }) => fact),
      // Whoever wants to take such a risk sits at the command line.
      { acceptLockoutRisk: false, acceptRemovals: false },
    ),
  ];
  const made = {
    hash: hashOf(opened, sets),
    made: options.now(),
    add,
    change,
    remove,
    devices: busy.map(deviceView),
    notes,
    stops,
  };
  return { opened, surveyed, made };
}

/** The controller's own way to the gateway, where the fleet file has none: it runs on it, or speaks to its API. */
async function waysFrom(options: PlannerOptions, opened: Opened): Promise<Ways> {
  const ways = await waysOf(opened.fleet, undefined);
  const own = await options.gateway(opened);
  return (device, layer) => ways(device, layer) ?? (device === opened.fleet.gateway.name ? own : undefined);
}

/** Everything that would be done, and what devices were like before: the same plan has the same hash. */
function hashOf(opened: Opened, sets: readonly ChangeSet[]): string {
  return createHash("sha256")
    .update(JSON.stringify([opened.fleet.name, ledgerDigest(opened), sets]))
    .digest("hex");
}

function deviceView({ desired, set, notes }: Surveyed): MadePlan["devices"][number] {
  const { device, layer, driver, changes } = set;
  return {
    device,
    layer,
    driver,
    changes: changes.slice(0, mostChanges).map((change) => ({
      kind: change.kind,
      // Between the heading of the device and the summary.
      lines: explain([{ ...set, changes: [change] }], { verbose: true })
        .slice(1, -2)
        .map((line) => line.replace(/^ {2}/, "")),
    })),
    count: changes.length,
    notes: [...consequencesOf(desired, set), ...notes].map(printable),
  };
}

async function applyPlan(options: PlannerOptions, { hash, within }: ApplyWish, progress: ApplyProgress): Promise<void> {
  const { opened, surveyed, made } = await refusedAsFailure(makePlan(options));
  if (made.hash !== hash)
    throw new Failure(
      "E986",
      opened.file,
      "Devices or the fleet file changed since the plan was made",
      "make a plan, look at it, and apply that one",
    );
  if (made.stops.length > 0)
    throw new Failure("E986", opened.file, formatDiagnostic(made.stops[0] as Diagnostic), "mend it");
  const busy = surveyed.filter(({ set }) => set.changes.length > 0);
  progress.begins(busy.map(({ set }) => ({ device: set.device, layer: set.layer, changes: set.changes.length })));
  // Before the first device: a number that is out in the world must never be given twice.
  await keepLedger(opened);
  for (const [at, { desired, way, set }] of busy.entries()) {
    progress.applies(at, options.now() + within * 1000);
    await applyDevice(way, desired, set, seconds(within), async () => {
      await way.reconnect?.();
      await progress.agrees(at);
    });
    progress.confirmed(at);
  }
  await options.applied();
}
