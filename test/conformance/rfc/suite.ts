import { writeFile } from "node:fs/promises";
import { installPrograms, missingPrograms } from "../../../src/lab/programs.ts";
import { openBench } from "./bench.ts";
import { pageOf, pagePath } from "./page.ts";
import { attackers } from "./programs.ts";
import { readTables } from "./read-tables.ts";
import { judgeTables, type Verdict } from "./run.ts";
import { versionsOf } from "./versions.ts";

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * All tables, and the judges that are not ours, in full: some minutes. Writes docs/conformance.md. Needs root; installs
 * the Debian packages of the attackers. 1 when a row failed. With names of tables only those, with
 * `--quick` what `npm test` asks; then no page is written.
 */
export async function run(words: readonly string[]): Promise<number> {
  const all = await readTables();
  const depth = words.includes("--quick") ? "quick" : "full";
  const named = words.filter((word) => word !== "--quick");
  const unknown = named.filter((word) => !all.some((table) => table.id === word));
  if (unknown.length > 0) {
    say(`No such table: ${unknown.join(", ")}. Tables: ${all.map((table) => table.id).join(", ")}`);
    return 64;
  }
  if (process.getuid?.() !== 0) {
    say("The tables need namespaces, raw sockets and a gateway's kernel settings: run as root");
    return 1;
  }
  await installPrograms(await missingPrograms(attackers), say);
  const tables = named.length === 0 ? all : all.filter((table) => named.includes(table.id));
  const bench = await openBench(`conformance-${process.pid}`);
  try {
    const verdicts = await judgeTables(tables, bench, depth, say);
    if (words.length === 0) await writeFile(pagePath, pageOf(tables, verdicts, await versionsOf(bench)));
    return report(verdicts);
  } finally {
    await bench.close();
  }
}

function report(verdicts: readonly Verdict[]): number {
  const failed = verdicts.filter(({ word }) => word === "failed");
  for (const { row, reason } of failed) say(`FAILED ${row.table} ${row.id}: ${reason}`);
  const counts = Map.groupBy(verdicts, ({ word }) => word);
  process.stdout.write(`${[...counts].map(([word, found]) => `${found.length} ${word}`).join(", ")}\n`);
  return failed.length > 0 ? 1 : 0;
}
