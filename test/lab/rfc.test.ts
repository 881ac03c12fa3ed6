import { access, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingPrograms } from "../../src/lab/programs.ts";
import { python } from "../conformance/rfc/attacker.ts";
import { type Bench, openBench } from "../conformance/rfc/bench.ts";
import { pageOf, pagePath, versionsHeading } from "../conformance/rfc/page.ts";
import { attackers } from "../conformance/rfc/programs.ts";
import { readTables } from "../conformance/rfc/read-tables.ts";
import { judgeTables, type Verdict } from "../conformance/rfc/run.ts";
import { isRoot } from "./harness.ts";

const tables = await readTables();
const reason = await reasonToSkip();
if (reason !== undefined) console.log(`skipped: the RFC tables: ${reason}`);

async function reasonToSkip(): Promise<string | undefined> {
  if (!isRoot) return "namespaces and raw sockets need root";
  const missing = await missingPrograms(attackers);
  if (missing.length > 0) return `not installed: ${missing.map((each) => each.debian).join(", ")}`;
  return access(python).then(
    () => undefined,
    () => `there is no ${python}`,
  );
}

/** What `npm run conformance -- rfc` asks, but with less time for the attackers that are not ours. */
describe.skipIf(reason !== undefined)("RFC tables, packet by packet (needs root, scapy, thc-ipv6, ipv6toolkit)", () => {
  let bench: Bench | undefined;
  let verdicts: readonly Verdict[] = [];
  beforeAll(async () => {
    bench = await openBench("test-rfc");
    verdicts = await judgeTables(tables, bench, "quick", () => undefined);
  }, 900_000);
  afterAll(() => bench?.close());

  test("every row has a verdict", () => {
    const rows = tables.flatMap((table) => table.rows.map((row) => row.id));
    expect(verdicts.map(({ row }) => row.id)).toEqual(rows);
  });

  test.each(tables.map((table) => table.id))("no row of %s fails", (table) => {
    const failed = verdicts.filter(({ row, word }) => row.table === table && word === "failed");
    expect(failed.map(({ row, reason: why }) => `${row.id}: ${why}`)).toEqual([]);
  });

  test("docs/conformance.md says what was found", async () => {
    const stable = (page: string): string => page.slice(0, page.indexOf(versionsHeading));
    const written = await readFile(pagePath, "utf8");
    expect(stable(written), "run: npm run conformance -- rfc").toBe(stable(pageOf(tables, verdicts, [])));
  });
});
