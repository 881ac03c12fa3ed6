import type { FleetTest } from "../fleet/fleet.ts";
import { ask, type Question } from "../probe/probe.ts";
import { placeTests } from "../proof/fleet-tests.ts";
import { type Exit, exit } from "./exit.ts";
import type { Opened } from "./fleet-file.ts";
import { plannedTests, testJson, testTable } from "./fleet-tests.ts";
import { gatewayIn, insideLab, type LabSource, openFleetOrLab } from "./gateway-rules.ts";
import { isAsWanted, othersThan, questionFor, type Stand, serviceName, standAt } from "./live.ts";
import { type ReportOptions, reportChecks } from "./report-checks.ts";
import type { Cell, Terminal } from "./terminal.ts";

export type TestOptions = LabSource & ReportOptions & { readonly live?: boolean };

/** `sixgate test`: the fleet's tests, asked of the rules that it makes; with `live` with packets. */
export async function test(options: TestOptions, terminal: Terminal): Promise<Exit> {
  const inside = await insideLab(options.lab);
  if (inside !== undefined) return inside;
  const opened = await openFleetOrLab(options);
  if (options.live === true) return live(opened, options, terminal);
  const results = plannedTests(opened);
  testTable(results, terminal);
  const failed = results.filter(({ passed }) => !passed).length;
  terminal.line(`${results.length - failed} passed, ${failed} failed`, failed > 0 ? "bad" : "good");
  terminal.result({ format: "sixgate.test/1", passed: results.length - failed, failed, tests: testJson(results) });
  return failed > 0 ? exit.failed : exit.fine;
}

type Demand = {
  /** The vantage's name in the fleet file. */
  readonly from: string;
  readonly name: string;
  readonly what: string;
  readonly want: "open" | "closed";
  readonly stand: Stand;
  readonly question: Question;
};

async function live(opened: Opened, options: TestOptions, terminal: Terminal): Promise<Exit> {
  const { demands, unasked } = await demandsOf(opened, options);
  const groups = [...Map.groupBy(demands, ({ stand }) => stand.shell.name)];
  const answered = await Promise.all(
    groups.map(async ([, asked]) => {
      const shell = asked[0]?.stand.shell;
      const answers =
        shell === undefined
          ? []
          : await ask(
              shell,
              asked.map(({ question }) => question),
            );
      return asked.flatMap((demand, at) => {
        const answer = answers[at];
        return answer === undefined ? [] : [{ demand, answer, passed: isAsWanted(demand.want, answer) }];
      });
    }),
  );
  const all = answered.flat();
  terminal.table(
    ["TEST", "FROM → TO", "WHAT", "WANT", "SEEN", "REASON"],
    all.map(({ demand, answer, passed }): readonly Cell[] => [
      passed ? { text: "PASS", tone: "good" } : { text: "FAIL", tone: "bad" },
      demand.name,
      demand.what,
      demand.want,
      answer.state,
      `${answer.reason} ${answer.ms} ms`,
    ]),
  );
  for (const each of unasked) terminal.say(`not asked: ${each}`);
  const checks = all.map(({ demand: { from }, answer }) => ({ from, answer }));
  const taken = await reportChecks(checks, options, terminal);
  const failed = all.filter(({ passed }) => !passed).length;
  terminal.line(`${all.length - failed} passed, ${failed} failed, with packets`, failed > 0 ? "bad" : "good");
  terminal.result({
    format: "sixgate.test-live/1",
    passed: all.length - failed,
    failed,
    unasked,
    ...(taken === undefined ? {} : { taken }),
    tests: all.map(({ demand, answer, passed }) => ({
      name: demand.name,
      what: demand.what,
      want: demand.want,
      seen: answer.state,
      reason: answer.reason,
      passed,
    })),
  });
  return failed > 0 ? exit.failed : exit.fine;
}

async function demandsOf(
  opened: Opened,
  options: TestOptions,
): Promise<{ readonly demands: readonly Demand[]; readonly unasked: readonly string[] }> {
  const demands: Demand[] = [];
  const unasked: string[] = [];
  for (const { test: each, name, to } of placeTests(opened.fleet, opened.plan, gatewayIn(opened))) {
    const stand = await standAt(each.from, opened, options.lab);
    if (stand === undefined) {
      unasked.push(`${name} (no way to send from there)`);
      continue;
    }
    const closed = each.closed === "all" ? othersThan(each.open) : each.closed;
    for (const [want, services] of [
      ["open", each.open],
      ["closed", closed],
    ] as const) {
      for (const service of services) {
        const question = questionFor(stand, to, service);
        if (question === undefined) unasked.push(`${name} ${serviceName(service)} (no prober for it)`);
        else demands.push({ from: vantageName(each.from), name, what: serviceName(service), want, stand, question });
      }
    }
  }
  return { demands, unasked };
}

function vantageName(from: FleetTest["from"]): string {
  switch (from.kind) {
    case "internet":
    case "management":
      return from.kind;
    case "group":
      return from.group;
    case "host":
      return from.container === undefined ? from.host : `${from.host}/${from.container}`;
  }
}
