import { access, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingPrograms } from "../../src/lab/programs.ts";
import { faultsOf } from "../conformance/rfc/ask.ts";
import { python } from "../conformance/rfc/attacker.ts";
import { type Bench, openBench } from "../conformance/rfc/bench.ts";
import { pageOf, pagePath, versionsHeading } from "../conformance/rfc/page.ts";
import { attackers } from "../conformance/rfc/programs.ts";
import { readTables } from "../conformance/rfc/read-tables.ts";
import { judgeTables, type Verdict } from "../conformance/rfc/run.ts";
import { isRoot, must } from "./harness.ts";

/** The driver's own table, with nothing asked any more. */
const open = `flush chain inet sixgate raw
flush chain inet sixgate whole
insert rule inet sixgate input accept
insert rule inet sixgate forward accept
`;

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

  // Last, for it leaves the gateway open.
  test("the tables find a gateway that lets everything through", async () => {
    if (bench === undefined) throw new Error("There is no bench");
    await must(bench.lab.shell("fw"), ["nft", "-f", "-"], open);
    for (const [table, least] of [
      ["RFC 4890", 45],
      ["RFC 9288", 12],
      ["Bogons", 30],
      ["Spoofing", 7],
      ["Injection", 5],
    ] as const) {
      const rows = tables.find((each) => each.id === table)?.rows ?? [];
      const asked = rows.flatMap((row) =>
        row.cases.filter((each) => each.alone !== true).map((each) => ({ row, each })),
      );
      const faults = await faultsOf(
        bench,
        asked.map(({ each }) => each),
      );
      const found = new Set(asked.filter((_, at) => faults[at] !== undefined).map(({ row }) => row.id));
      expect(found.size, table).toBeGreaterThanOrEqual(least);
    }
  });
});
