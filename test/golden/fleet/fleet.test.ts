import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codes } from "../../../src/base/codes.ts";
import { formatDiagnostic } from "../../../src/base/diagnostic.ts";
import { parseFleet } from "../../../src/fleet/parse-fleet.ts";

const cases = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/**
 * Each directory is named after the code that its fleet.yaml shows; `expected.txt` is all that is said about it.
 * `prefix.txt`, if there is one, is the prefix in force.
 */
test.each(cases)("parseFleet says what is wrong: %s", async (name) => {
  const folder = join(import.meta.dirname, name);
  const inForce = join(folder, "prefix.txt");
  const given = existsSync(inForce) ? { text: readFileSync(inForce, "utf8").trim(), at: "--prefix" } : undefined;
  const parsed = parseFleet(readFileSync(join(folder, "fleet.yaml"), "utf8"), "fleet.yaml", given);
  const said = parsed.ok ? parsed.warnings : parsed.errors;
  const code = name.slice(0, 4).toUpperCase();
  expect(said.map((each) => each.code)).toContain(code);
  expect(parsed.ok).toBe(code.startsWith("W"));
  for (const each of said) expect(each.at).toMatch(/^(fleet\.yaml(:[1-9]\d*:[1-9]\d*.*)?|--prefix)$/);
  await expect(`${said.map(formatDiagnostic).join("\n")}\n`).toMatchFileSnapshot(join(folder, "expected.txt"));
});

test("parseFleet has a case for each of its codes", () => {
  const shown = new Set(cases.map((name) => name.slice(0, 4).toUpperCase()));
  const own = Object.keys(codes).filter((code) => /^[EW][12]/.test(code));
  expect(own.filter((code) => !shown.has(code))).toEqual([]);
});
