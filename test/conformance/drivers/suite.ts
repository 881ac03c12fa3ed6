import { writeFile } from "node:fs/promises";
import { against } from "./against.ts";
import { countOf, faultsOf, type Judged, pageOf, pagePath } from "./page.ts";
import { type Case, resultsOf } from "./results.ts";

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Every driver with its cases and faults; with names those alone. As root all of them, else what needs no namespaces, and
 * why. Writes docs/conformance-drivers.md after all were run as root. 1 when a case failed.
 */
export async function run(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(against, name));
  if (unknown.length > 0) {
    process.stderr.write(`No such driver: ${unknown.join(", ")}. There are: ${Object.keys(against).join(", ")}\n`);
    return 64;
  }
  const chosen = Object.entries(against).filter(([name]) => names.length === 0 || names.includes(name));
  const judged: Judged[] = [];
  for (const [name, each] of chosen) {
    const cases = await resultsOf(each.files);
    judged.push({ name, against: each, cases });
    tell(name, cases);
  }
  if (names.length === 0 && process.getuid?.() === 0) await writeFile(pagePath, pageOf(judged));
  return judged.some(({ cases }) => cases.some(({ result }) => result === "failed")) ? 1 : 0;
}

function tell(name: string, cases: readonly Case[]): void {
  const { level, what, notRun } = against[name] ?? {};
  print(`${name}: ${countOf(cases)}`);
  print(`  ${level}: ${what}; not run: ${notRun}`);
  for (const { fault, ends, result } of faultsOf(cases)) print(`  fault ${fault}: ${ends}, ${result}`);
  for (const { title, result } of cases) if (result !== "passed") print(`  ${result}: ${title}`);
}
