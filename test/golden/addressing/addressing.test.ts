import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AddressRow, addressTable } from "../../../src/addressing/address-table.ts";
import { allocate } from "../../../src/addressing/allocate.ts";
import { emptyLedger, formatLedger, parseLedger } from "../../../src/addressing/ledger.ts";
import { formatDiagnostic } from "../../../src/base/diagnostic.ts";
import type { Result } from "../../../src/base/result.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";

const examples = join(import.meta.dirname, "../../../examples");
const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

function read<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.errors.map(formatDiagnostic).join("\n"));
  return result.value;
}

/** The fleet of a case: its own fleet.yaml, or the example of the same name. */
function fleetText(folder: string, name: string): string {
  const own = join(folder, "fleet.yaml");
  return readFileSync(existsSync(own) ? own : join(examples, `${name}.yaml`), "utf8");
}

function table(rows: readonly AddressRow[]): string {
  const line = ({ host, what, text, where }: AddressRow) =>
    `${host.padEnd(9)} ${what.padEnd(12)} ${text.padEnd(36)} ${where}`;
  return `${rows.map(line).join("\n")}\n`;
}

/** A directory holds fleet.yaml (or is named after an example), ledger.json and the prefix in force if there are any, and what comes of it. */
test.each(cases)("allocate gives the addresses of %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const inForce = join(folder, "prefix.txt");
  const given = existsSync(inForce) ? { text: readFileSync(inForce, "utf8").trim(), at: "--prefix" } : undefined;
  const fleet = read(parseFleet(fleetText(folder, name), "fleet.yaml", given));
  const kept = join(folder, "ledger.json");
  const ledger = existsSync(kept) ? read(parseLedger(readFileSync(kept, "utf8"))) : emptyLedger(fleet.name);
  const allocated = allocate(fleet, ledger);
  const text = allocated.ok
    ? `${table(addressTable(allocated.value.plan, fleet))}\n${formatLedger(allocated.value.ledger)}`
    : `${allocated.errors.map(formatDiagnostic).join("\n")}\n`;
  const code = /^e\d{3}/.exec(name)?.[0].toUpperCase();
  if (allocated.ok) expect(code).toBeUndefined();
  else expect(allocated.errors.map((each) => each.code)).toContain(code);
  await expect(text).toMatchFileSnapshot(join(folder, "expected.txt"));
});

test("allocate prints every address of the article", () => {
  const fleet = read(parseFleet(readFileSync(join(examples, "article.yaml"), "utf8"), "article.yaml"));
  const { plan } = read(allocate(fleet, emptyLedger(fleet.name)));
  const has = new Set(addressTable(plan, fleet).map(({ text }) => text));
  const article = ["10::1/80", "20::1/80", "20::2/80", "21::/80", "30::1/80", "31::/80", "3e80::1/80", "3e81::/80"];
  for (const text of article) expect(has).toContain(`2001:db8:1234:321d:${text}`);
  for (const block of ["20::/76", "30::/76", "3e80::/76"]) expect(has).toContain(`2001:db8:1234:321d:${block}`);
});
