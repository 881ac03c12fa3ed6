import type { Bench } from "./bench.ts";
import { awaits, faultOf } from "./judge.ts";
import { type Case, policyNames, type Row, type Table } from "./table.ts";

/** `deviates` and `not applicable` carry the row's written reason, `failed` what was seen. */
export type Verdict = {
  readonly row: Row;
  readonly word: "passed" | "deviates" | "failed" | "not applicable" | "not run";
  readonly reason: string;
};

/** Asks every row of every table. The list of verdicts is as long as the list of rows. */
export async function judgeTables(
  tables: readonly Table[],
  bench: Bench,
  say: (line: string) => void,
): Promise<readonly Verdict[]> {
  const rows = tables.flatMap((table) => table.rows);
  const faults = new Map<Row, string[]>(rows.map((row) => [row, []]));
  for (const policy of policyNames) {
    const asked = rows.flatMap((row) =>
      row.cases.filter((each) => each.policy === policy).map((each) => ({ row, case: each })),
    );
    if (asked.length === 0) continue;
    const began = performance.now();
    await bench.setPolicy(policy);
    const found = await askCases(
      bench,
      asked.map((each) => each.case),
    );
    for (const [at, { row }] of asked.entries()) {
      const fault = found[at];
      if (fault !== undefined) faults.get(row)?.push(fault);
    }
    say(`${asked.length} cases, policy ${policy}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  return rows.map((row) => verdictOf(row, faults.get(row) ?? []));
}

/** The fault of each case, or undefined. */
async function askCases(bench: Bench, cases: readonly Case[]): Promise<readonly (string | undefined)[]> {
  const questions = cases.map((each, at) => ({
    number: at + 1,
    steps: each.steps.map((step) => ({ ...step, awaited: awaits(step.expect) })),
  }));
  const outcomes = await bench.attacker.ask(questions);
  return cases.map((each, at) => faultOf(each, outcomes.get(at + 1) ?? []));
}

function verdictOf(row: Row, faults: readonly string[]): Verdict {
  const [first] = faults;
  if (first !== undefined)
    return { row, word: "failed", reason: faults.length > 1 ? `${first} (and ${faults.length - 1} more)` : first };
  if (row.deviates !== undefined) return { row, word: "deviates", reason: row.deviates };
  if (row["not-applicable"] !== undefined) return { row, word: "not applicable", reason: row["not-applicable"] };
  if (row["not-run"] !== undefined) return { row, word: "not run", reason: row["not-run"] };
  return { row, word: "passed", reason: "" };
}
