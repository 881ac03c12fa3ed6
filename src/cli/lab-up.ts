import { once } from "node:events";
import { addressTable } from "../addressing/address-table.ts";
import { formatLedger } from "../addressing/ledger.ts";
import { isError } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { derive } from "../desired/derive.ts";
import { auditOf } from "../drivers/index.ts";
import { labDown } from "../lab/down.ts";
import { engineFor } from "../lab/engines.ts";
import { ifupdown2Tree } from "../lab/ifupdown2.ts";
import { labFleet } from "../lab/lab-fleet.ts";
import { enterRootless, isRootless } from "../lab/rootless.ts";
import { livingNodes, readState } from "../lab/state.ts";
import { topologyOf } from "../lab/topology.ts";
import { askTruth, truthTable } from "../lab/truth.ts";
import { type Lab, labUp } from "../lab/up.ts";
import type { LabWish } from "../lab/wish.ts";
import { type Exit, exit } from "./exit.ts";
import { type Opened, openFleet } from "./fleet-file.ts";
import { labFile } from "./lab-file.ts";
import { picture } from "./lab-graph.ts";
import { showPage } from "./lab-page.ts";
import { reportTo } from "./lab-report.ts";
import { status } from "./lab-verbs.ts";
import { pageThere } from "./page-there.ts";
import { Refused } from "./refused.ts";
import { reportChecks } from "./report-checks.ts";
import type { Terminal } from "./terminal.ts";
import { verdictTable } from "./verdicts.ts";
import { version } from "./version.ts";

export type UpOptions = {
  readonly file?: string;
  readonly prefix?: string;
  readonly name: string;
  readonly detach?: boolean;
  readonly rootless?: boolean;
  readonly standIn?: boolean;
  readonly engine?: string;
};

/** `sixgate lab up`. */
export async function up(options: UpOptions, terminal: Terminal): Promise<Exit> {
  if (options.rootless === true && !isRootless()) {
    // Inside there is no way out to a package archive.
    await ifupdown2Tree((line) => terminal.say(line));
    return enterRootless(options.name, options.detach === true);
  }
  if (process.getuid?.() !== 0) {
    throw new Failure(
      "E003",
      "lab",
      "Namespaces, systemd-networkd and Docker engines need root",
      "`sudo ./sixgate lab up`, or `./sixgate lab up --rootless` for the same network without Docker and networkd",
    );
  }
  const opened = await openFleet({ ...options, file: options.file ?? labFile() });
  const wish = await wishOf(opened, options, terminal);
  if (await isUpAlready(wish)) {
    terminal.say(`lab "${wish.name}" runs already, from the same fleet file; nothing was changed`);
    return status(wish.name, terminal);
  }
  terminal.say(`sixgate ${version} · Node ${process.versions.node} · ${opened.file}`);
  if (wish.fleet.controller !== undefined) await pageThere((line) => terminal.say(line));
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new DOMException("interrupted", "AbortError"));
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.on("SIGHUP", onSignal);
  try {
    const began = performance.now();
    const lab = await labUp(wish, reportTo(terminal), stop.signal);
    const passed = await prove(lab, opened, terminal, performance.now() - began);
    if (options.detach === true) {
      if (!terminal.json)
        terminal.line(
          `Try  ./sixgate lab status   ·   ./sixgate lab sh ${wish.topology.gateway}   ·   ./sixgate lab down`,
        );
      return passed;
    }
    terminal.say(
      `up; Ctrl-C ends it. From another terminal: ./sixgate lab status, ./sixgate lab sh ${wish.topology.gateway}`,
    );
    await aborted(stop.signal);
    await labDown(options.name, reportTo(terminal));
    return passed;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    process.off("SIGHUP", onSignal);
  }
}

/** The same lab, complete: a second `up` has nothing to do. Another one under that name is left to `labUp` to refuse. */
async function isUpAlready(wish: LabWish): Promise<boolean> {
  const state = await readState(wish.name);
  if (state?.upSince === undefined || state.fleetText !== wish.fleetText || state.containers !== wish.containers)
    return false;
  if (state.prefix !== (wish.fleet.delegation === undefined ? undefined : wish.plan.delegated)) return false;
  return (await livingNodes(state)).length === state.nodes.length;
}

/** Waits for the signal. Neither an AbortSignal nor a handler of SIGINT keeps Node alive, so a timer does. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const alive = setInterval(() => undefined, 60_000);
  await once(signal, "abort");
  clearInterval(alive);
}

async function wishOf(opened: Opened, options: UpOptions, terminal: Terminal): Promise<LabWish> {
  const containers = isRootless() || options.standIn === true ? "stand-in" : "docker";
  const topology = topologyOf(opened.fleet);
  if (!topology.ok) throw new Refused(topology.errors);
  const engine = containers === "docker" ? await engineFor(options.engine, (line) => terminal.say(line)) : undefined;
  const fleet = labFleet(opened.fleet, {
    rootless: isRootless(),
    ...(engine === undefined ? {} : { engine: engine.version }),
  });
  // The engine is this machine's or the one asked for, which the file did not know.
  const refused = derive(fleet, opened.plan).flatMap(auditOf).filter(isError);
  if (refused.length > 0) throw new Refused(refused);
  return {
    name: options.name,
    fleetFile: opened.path,
    fleetText: opened.text,
    ledgerText: formatLedger(opened.ledger),
    fleet,
    plan: opened.plan,
    topology: topology.value,
    containers,
    ...(engine === undefined ? {} : { engine }),
  };
}

async function prove(lab: Lab, opened: Opened, terminal: Terminal, ms: number): Promise<Exit> {
  const { fleet, plan } = lab.wish;
  terminal.line("");
  terminal.line(
    `ADDRESS PLAN  ${plan.delegated}    /${plan.hostLength} per host    /${plan.linkLength} per link`,
    "bold",
  );
  terminal.table(
    ["HOST", "WHAT", "PREFIX OR ADDRESS", "WHERE"],
    addressTable(plan, fleet).map((row) => [row.host, row.what, row.text, row.where]),
  );
  terminal.line("");
  terminal.raw(picture(fleet, plan));
  terminal.line("");
  const verdicts = await askTruth(truthTable(fleet, plan, lab.running, lab.nodes));
  const failed = verdicts.filter((verdict) => !verdict.passed).length;
  verdictTable(verdicts, terminal, failed > 0 ? "failed" : "opened");
  terminal.line(
    `${verdicts.length - failed} passed, ${failed} failed    up in ${(ms / 1000).toFixed(1)} s`,
    failed > 0 ? "bad" : "good",
  );
  if (fleet.controller !== undefined) {
    // From outside: not every container has an address that its host reports.
    const checks = verdicts.flatMap(({ row: { from }, answer }) => (from.includes("/") ? [] : [{ from, answer }]));
    await reportChecks(checks, { lab: lab.wish.name }, terminal);
  }
  const page = lab.page === undefined ? undefined : await showPage(lab.wish.name, terminal);
  terminal.result({
    format: "sixgate.lab/1",
    name: lab.wish.name,
    file: opened.file,
    ms: Math.round(ms),
    running: lab.running,
    passed: verdicts.length - failed,
    failed,
    ...(page === undefined ? {} : { page }),
  });
  return failed > 0 ? exit.failed : exit.fine;
}
