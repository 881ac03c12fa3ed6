import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allocate } from "../addressing/allocate.ts";
import { emptyLedger } from "../addressing/ledger.ts";
import { deriveFilter } from "../desired/derive-filter.ts";
import { plannedRules } from "../drivers/gateway-rules.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import type { Vantage } from "./filter-rules.ts";
import { exposureMatrix, type MatrixRow, matrixVantages } from "./matrix.ts";

type Asked = { readonly vantages: readonly Vantage[]; readonly rows: readonly MatrixRow[] };

function ask(change: (text: string) => string): Asked {
  const text = change(readFileSync(new URL("../../examples/lab.yaml", import.meta.url), "utf8"));
  const fleet = parseFleet(text, "lab.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const plan = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!plan.ok) throw new Error(JSON.stringify(plan.errors));
  const desired = deriveFilter(fleet.value, plan.value.plan);
  const vantages = matrixVantages(desired, fleet.value, 16);
  return { vantages, rows: exposureMatrix(plannedRules(desired), vantages, desired.hosts) };
}

const rowsOf = (change: (text: string) => string): readonly MatrixRow[] => ask(change).rows;

function matrixOf(change: (text: string) => string): Readonly<Record<string, readonly string[]>> {
  const { vantages, rows } = ask(change);
  return Object.fromEntries(
    rows.map(({ host, cells }) => [
      host,
      cells.map(({ state, flows }, at) => `${vantages[at]?.name} ${state} ${flows.join("; ")}`.trim()),
    ]),
  );
}

test("exposureMatrix says what the fleet file opens, by source and host", () => {
  expect(matrixOf((text) => text)).toMatchInlineSnapshot(`
    {
      "vm1": [
        "internet partly tcp 80, 443; icmpv6 type 128/0",
        "office partly tcp 80, 443; icmpv6 type 128/0",
        "management partly icmpv6 type 128/0",
        "vm1 inside",
        "vm2 open everything",
      ],
      "vm2": [
        "internet partly icmpv6 type 128/0",
        "office partly tcp 8000; icmpv6 type 128/0",
        "management partly icmpv6 type 128/0",
        "vm1 open everything",
        "vm2 inside",
      ],
    }
  `);
});

test("exposureMatrix names an address and a service that why can be asked about", () => {
  const [row] = rowsOf((text) => text);
  expect(row?.cells[0]?.example).toBe("[2001:db8:1234:321d:23::80]:80/tcp");
});

test("exposureMatrix says what strangers may too where hosts may not reach each other", () => {
  const found = matrixOf((text) => text.replace(/between-hosts: .*/, "between-hosts: closed"));
  expect(found["vm1"]?.find((each) => each.startsWith("vm2"))).toMatch(/^vm2 partly tcp 80, 443; icmpv6/);
  expect(found["vm2"]?.find((each) => each.startsWith("vm1"))).toMatch(/^vm1 partly icmpv6/);
});
