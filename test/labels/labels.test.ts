import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { printable } from "../../src/base/printable.ts";
import { formatPlace } from "../../src/openings/label-problem.ts";
import { parseLabels } from "../../src/openings/labels.ts";
import { formatCaseFile, type LabelCase, parseCaseFile } from "./case-file.ts";
import { sayRule } from "./say.ts";

const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".txt"))
  .sort();

/** One line per rule, two per problem, as people see them. */
function say({ input, labels }: LabelCase): readonly string[] {
  const { rules, networks, problems } = parseLabels(labels);
  const said = [
    ...(networks === undefined ? [] : [`network ${networks.join(", ")}`]),
    ...rules.map((rule) => `${rule.key}${rule.number === undefined ? "" : ` rule ${rule.number}`}: ${sayRule(rule)}`),
    ...problems.flatMap(({ code, text, fix, shown, ...place }) => [
      `${formatPlace(place)}: ${code} ${text}`,
      `  fix: ${fix}`,
      ...(shown.length > 60 || input.some((line) => line.includes(shown)) ? [] : [`  in: ${shown}`]),
    ]),
  ];
  return said.length === 0 ? ["nothing"] : said.map(printable);
}

describe.each(files)("%s", (file) => {
  const path = join(import.meta.dirname, file);
  const read = parseCaseFile(readFileSync(path, "utf8"));

  test("parseLabels says what stands below each line", async () => {
    await expect(formatCaseFile(read, say)).toMatchFileSnapshot(path);
  });

  test("has cases, each with its own title", () => {
    expect(read.cases.length).toBeGreaterThan(0);
    expect(new Set(read.cases.map(({ title }) => title)).size).toBe(read.cases.length);
  });
});

test("the files show every code that labels can give", () => {
  const shown = new Set(
    files.flatMap((file) => readFileSync(join(import.meta.dirname, file), "utf8").match(/\bE90\d/g) ?? []),
  );
  expect([...shown].sort()).toEqual(["E901", "E902", "E903", "E904", "E905", "E906", "E907", "E908"]);
});
