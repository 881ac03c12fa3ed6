import type { AddressPlan } from "../addressing/address-plan.ts";
import { allocate } from "../addressing/allocate.ts";
import { emptyLedger } from "../addressing/ledger.ts";
import { keyOf } from "../change/change-set.ts";
import { derive } from "../desired/derive.ts";
import { planDevice } from "../drivers/plan-device.ts";
import { labDown } from "../lab/down.ts";
import { type OpenLab, openLab } from "../lab/open.ts";
import { endKeeper, enterRootless, hasRootless } from "../lab/rootless.ts";
import { livingNodes, readState } from "../lab/state.ts";
import { askTruth, truthTable } from "../lab/truth.ts";
import { nodeOf } from "../lab/wiring.ts";
import { type Exit, exit } from "./exit.ts";
import { pageVerb } from "./lab-page.ts";
import { reportTo } from "./lab-report.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";
import { verdictTable } from "./verdicts.ts";

/** `sixgate lab down`. Fine when there is nothing to end: what is wanted is there. */
export async function down(name: string, terminal: Terminal): Promise<Exit> {
  if (await hasRootless(name)) {
    const code = await enterRootless(name, true);
    await endKeeper(name);
    return code;
  }
  const ended = await labDown(name, reportTo(terminal));
  terminal.line(ended === 0 ? `no lab "${name}" runs` : `lab "${name}" is down`, "good");
  terminal.result({ format: "sixgate.lab-down/1", name, ended });
  return exit.fine;
}

/** `sixgate lab status`: the nodes and containers; exit 1 when none runs. */
export async function status(name: string, terminal: Terminal): Promise<Exit> {
  if (await hasRootless(name)) return enterRootless(name, true);
  const state = await readState(name);
  if (state === undefined) {
    terminal.line(`no lab "${name}" runs`);
    terminal.result({ format: "sixgate.lab-status/1", name, runs: false });
    return exit.error;
  }
  const living = await livingNodes(state);
  const since = state.upSince === undefined ? "coming up" : `up since ${new Date(state.upSince).toISOString()}`;
  terminal.line(
    `lab "${name}": ${since}, ${living.length} of ${state.nodes.length} nodes run, ${state.fleetFile}`,
    living.length === state.nodes.length ? "good" : "bad",
  );
  terminal.table(
    ["NODE", "PID", "RUNS"],
    state.nodes.map((node) => [
      node.name,
      String(node.pid),
      living.some((each) => each.pid === node.pid) ? "yes" : { text: "no", tone: "bad" },
    ]),
  );
  terminal.line("");
  terminal.table(
    ["CONTAINER", "NETWORK", "ADDRESS", "LISTENS"],
    state.running.map((each) => [
      `${each.host}/${each.name}`,
      each.network,
      each.address,
      each.listens.map((on) => `${on.port}/${on.transport}`).join(" "),
    ]),
  );
  if (state.page !== undefined) {
    terminal.line("");
    terminal.line(`PAGE  ${state.page}    ${pageVerb(name)} prints a link that signs in`);
  }
  terminal.result({ format: "sixgate.lab-status/1", name, runs: living.length > 0, state });
  return living.length === state.nodes.length ? exit.fine : exit.error;
}

export function labPlan(lab: OpenLab): AddressPlan {
  const allocated = allocate(lab.fleet, emptyLedger(lab.fleet.name));
  if (!allocated.ok) throw new Refused(allocated.errors);
  return allocated.value.plan;
}

/** `sixgate lab test`: the truth table by packets, and that every device still is as planned. */
export async function test(
  options: { readonly name: string; readonly verbose?: boolean },
  terminal: Terminal,
): Promise<Exit> {
  if (await hasRootless(options.name)) return enterRootless(options.name, true);
  const lab = await openLab(options.name);
  const plan = labPlan(lab);
  const verdicts = await askTruth(truthTable(lab.fleet, plan, lab.state.running, lab.nodes));
  const drift = await driftOf(lab, plan);
  const failed = verdicts.filter((verdict) => !verdict.passed).length;
  verdictTable(verdicts, terminal, options.verbose === true ? "all" : failed > 0 ? "failed" : "opened");
  for (const line of drift) terminal.line(`DRIFT ${line}`, "bad");
  if (drift.length === 0) terminal.line("no drift: every device is as planned", "good");
  terminal.line(`${verdicts.length - failed} passed, ${failed} failed`, failed > 0 ? "bad" : "good");
  terminal.result({
    format: "sixgate.lab-test/1",
    passed: verdicts.length - failed,
    failed,
    drift,
    rows: verdicts.map(({ row, answer, passed }) => ({
      from: row.from,
      to: row.to,
      what: row.what,
      want: row.want,
      seen: answer.state,
      reason: answer.reason,
      ms: answer.ms,
      passed,
    })),
  });
  return failed > 0 ? exit.failed : drift.length > 0 ? exit.changes : exit.fine;
}

async function driftOf(lab: OpenLab, plan: AddressPlan): Promise<readonly string[]> {
  const wanted = derive(lab.fleet, plan).filter((each) => lab.state.containers === "docker" || each.layer !== "engine");
  const plans = await Promise.all(
    wanted.map((desired) => planDevice(nodeOf(lab.nodes, desired.device).shell, desired)),
  );
  return plans.flatMap(({ set }) =>
    set.changes.map((change) => `${set.device} ${set.layer}: ${change.kind} ${keyOf(change)}`),
  );
}
