import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allocate } from "../../../src/addressing/allocate.ts";
import { emptyLedger } from "../../../src/addressing/ledger.ts";
import { drawn, plannedView } from "../../../src/cli/graph.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";

const here = import.meta.dirname;

test.each(["lab", "article", "site-48"])("graph draws examples/%s.yaml to the same bytes", async (name) => {
  const file = join(here, "../../../examples", `${name}.yaml`);
  const fleet = parseFleet(await readFile(file, "utf8"), file);
  const plan = fleet.ok ? allocate(fleet.value, emptyLedger(fleet.value.name)) : fleet;
  if (!fleet.ok || !plan.ok) throw new Error(`${file} is not valid`);
  const view = await plannedView({ fleet: fleet.value, plan: plan.value.plan });
  for (const format of ["svg", "dot", "json"] as const)
    await expect(drawn(view, undefined)[format]()).toMatchFileSnapshot(join(here, name, `map.${format}`));
});
