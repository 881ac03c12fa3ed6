import { faultsOf } from "./ask.ts";
import type { Bench } from "./bench.ts";
import { readingFault, timerFaults } from "./clocks.ts";
import { toolFault } from "./judges/tool.ts";
import { type Depth, procedureOf } from "./procedures.ts";
import { policyNames, type Row, type Table } from "./table.ts";

/** `deviates`, `not applicable` and `not run` carry the row's written reason, `failed` what was seen. */
export type Verdict = {
  readonly row: Row;
  readonly word: "passed" | "deviates" | "failed" | "not applicable" | "not run";
  readonly reason: string;
};

export type Say = (line: string) => void;
type Faults = (row: Row, fault: string | undefined) => void;

/** Asks every row of every table. The list of verdicts is as long as the list of rows, and in their order. */
export async function judgeTables(
  tables: readonly Table[],
  bench: Bench,
  depth: Depth,
  say: Say,
): Promise<readonly Verdict[]> {
  const rows = tables.flatMap((table) => table.rows);
  const faults = new Map<Row, string[]>(rows.map((row) => [row, []]));
  const note: Faults = (row, fault) => {
    if (fault !== undefined) faults.get(row)?.push(fault);
  };
  await judgeCases(rows, bench, note, say);
  await bench.setPolicy("as written");
  await judgeClocks(rows, bench, note);
  for (const row of rows) {
    if (row.procedure === undefined && row.tool === undefined) continue;
    const began = performance.now();
    if (row.procedure !== undefined) note(row, await procedureOf(row.procedure).run(bench, depth));
    if (row.tool !== undefined) note(row, await toolFault(bench, row.tool, depth));
    say(`${row.id}, ${row.procedure ?? row.source ?? ""}: ${since(began)}`);
  }
  return verdictsOf(rows, faults);
}

/** Table after table, so that what one does to a neighbour does not show in another. */
async function judgeCases(rows: readonly Row[], bench: Bench, note: Faults, say: Say): Promise<void> {
  for (const policy of policyNames) {
    const asked = rows.flatMap((row) =>
      row.cases.filter((each) => each.policy === policy).map((each) => ({ row, case: each })),
    );
    if (asked.length === 0) continue;
    await bench.setPolicy(policy);
    for (const [table, group] of Map.groupBy(asked, ({ row }) => row.table)) {
      const began = performance.now();
      const together = group.filter((each) => each.case.alone !== true);
      const batches = [together, ...group.filter((each) => each.case.alone === true).map((each) => [each])];
      for (const batch of batches) {
        await bench.greet();
        const found = await faultsOf(
          bench,
          batch.map((each) => each.case),
        );
        for (const [at, { row }] of batch.entries()) note(row, found[at]);
      }
      say(`${table}: ${group.length} cases, policy ${policy}: ${since(began)}`);
    }
  }
}

async function judgeClocks(rows: readonly Row[], bench: Bench, note: Faults): Promise<void> {
  for (const row of rows) for (const each of row.reads) note(row, await readingFault(bench, each));
  const timers = rows.flatMap((row) => row.timers.map((timer) => ({ row, timer })));
  const found = await timerFaults(
    bench,
    timers.map(({ timer }) => timer),
  );
  for (const [at, { row }] of timers.entries()) note(row, found[at]);
}

function since(began: number): string {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

function verdictsOf(rows: readonly Row[], faults: ReadonlyMap<Row, readonly string[]>): readonly Verdict[] {
  const done = new Map<Row, Verdict>();
  const judge = (row: Row): Verdict => {
    const known = done.get(row);
    if (known !== undefined) return known;
    const own = verdictOf(row, faults.get(row) ?? []);
    // Before the others are asked: rows that judge each other in a circle end here.
    done.set(row, own);
    const others = rows.filter((each) => row.as.includes(each.id) || row.as.includes(each.table)).map(judge);
    const verdict = byOthers(own, others);
    done.set(row, verdict);
    return verdict;
  };
  return rows.map(judge);
}

/** As good as the worst of the others; a deviation that is written down there is no fault here. */
function byOthers(own: Verdict, others: readonly Verdict[]): Verdict {
  const bad = others.find(({ word }) => word === "failed") ?? others.find(({ word }) => word === "not run");
  if (own.word === "failed" || bad === undefined) return own;
  return { ...own, word: bad.word, reason: `row ${bad.row.id}: ${bad.reason}` };
}

function verdictOf(row: Row, faults: readonly string[]): Verdict {
  const [first] = faults;
  if (first !== undefined) {
    return { row, word: "failed", reason: faults.length > 1 ? `${first} (and ${faults.length - 1} more)` : first };
  }
  if (row.deviates !== undefined) return { row, word: "deviates", reason: row.deviates };
  if (row["not-applicable"] !== undefined) return { row, word: "not applicable", reason: row["not-applicable"] };
  if (row["not-run"] !== undefined) return { row, word: "not run", reason: row["not-run"] };
  if (isUnasked(row)) throw new Error(`${row.id} asks nothing and gives no reason`);
  return { row, word: "passed", reason: "" };
}

function isUnasked(row: Row): boolean {
  const count = row.cases.length + row.reads.length + row.timers.length + row.as.length;
  return count === 0 && row.procedure === undefined && row.tool === undefined;
}
