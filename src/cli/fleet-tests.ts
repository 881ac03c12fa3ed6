import type { Diagnostic } from "../base/diagnostic.ts";
import { plannedRules } from "../drivers/gateway-rules.ts";
import { placeTests, runTests, type TestResult } from "../proof/fleet-tests.ts";
import { decisionLines, formatPacket } from "./difference.ts";
import type { Opened } from "./fleet-file.ts";
import { gatewayIn } from "./gateway-rules.ts";
import type { Cell, Terminal } from "./terminal.ts";

/** The fleet's tests, asked of the rules that the fleet file makes. */
export function plannedTests(opened: Opened): readonly TestResult[] {
  const desired = gatewayIn(opened);
  if (opened.fleet.tests.length === 0) return [];
  const { rules, site, unasked } = plannedRules(desired);
  return runTests(placeTests(opened.fleet, opened.plan, desired), rules, site, unasked);
}

/** What a plan says of them: a line, and each that fails. */
export function sayTests(results: readonly TestResult[], terminal: Terminal): void {
  if (results.length === 0) return;
  const failed = results.filter(({ passed }) => !passed);
  for (const each of failed) printFailure(each, terminal);
  terminal.say(`tests: ${results.length - failed.length} passed, ${failed.length} failed`);
}

export function testTable(results: readonly TestResult[], terminal: Terminal): void {
  terminal.table(
    ["TEST", "FROM → TO", "WHAT", "WANT"],
    results.map(({ placed, what, want, passed }): readonly Cell[] => [
      passed ? { text: "PASS", tone: "good" } : { text: "FAIL", tone: "bad" },
      placed.name,
      what,
      want,
    ]),
  );
  for (const each of results) if (!each.passed) printFailure(each, terminal);
}

function printFailure({ placed, what, want, packet, decision }: TestResult, terminal: Terminal): void {
  terminal.line(`FAILS ${placed.test.at}: ${placed.name} ${what} is not ${want}`, "bad");
  if (packet !== undefined) terminal.line(`  packet ${formatPacket(packet)}`);
  if (decision !== undefined) for (const line of decisionLines(decision)) terminal.line(`  ${line}`);
}

/** For an apply that they stop. */
export function failuresOf(results: readonly TestResult[]): readonly Diagnostic[] {
  return results
    .filter(({ passed }) => !passed)
    .map(({ placed, what, want, decision }) => ({
      code: "E975",
      severity: "error",
      at: placed.test.at,
      text: `${placed.name} ${what} would not be ${want}${decision?.by === undefined ? "" : `, by ${decision.by.chain}: ${decision.by.text}`}`,
      fix: "change the openings or the policy, or the test; `sixgate test` shows more",
    }));
}

export function testJson(results: readonly TestResult[]): readonly object[] {
  return results.map(({ placed, what, want, passed }) => ({
    at: placed.test.at,
    name: placed.name,
    what,
    want,
    passed,
  }));
}
