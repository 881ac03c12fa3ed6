import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { allocate } from "../../../src/addressing/allocate.ts";
import { emptyLedger } from "../../../src/addressing/ledger.ts";
import { derive } from "../../../src/desired/derive.ts";
import type { Desired } from "../../../src/desired/desired.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";
import { overlaps } from "../../../src/net/prefix.ts";

// A case is a folder: a fleet file, and what each layer of each device should be.

const cases = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

test.each(cases.map(({ name }) => name))("derive gives %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const fleet = parseFleet(readFileSync(join(folder, "fleet.yaml"), "utf8"), "fleet.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const numbered = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!numbered.ok) throw new Error(JSON.stringify(numbered.errors));
  const documents = derive(fleet.value, numbered.value.plan).map((each) =>
    stringify(shown(each), { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  await expect(documents.join("---\n")).toMatchFileSnapshot(join(folder, "expected.yaml"));
});

/** The list of bogons is the same in each case, and judged beside its table: here, how many and which are ours. */
function shown(desired: Desired): object {
  if (desired.layer !== "gateway") return desired;
  const { bogons, ...rest } = desired;
  const own = bogons.filter((each) => overlaps(each, desired.delegated));
  return { ...rest, bogons: { count: bogons.length, first: bogons[0], last: bogons.at(-1), overDelegated: own } };
}
