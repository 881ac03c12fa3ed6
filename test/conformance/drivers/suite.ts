import { writeFile } from "node:fs/promises";
import { type Against, against, filesOf } from "./against.ts";
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
  const files = new Set(chosen.flatMap(([name, each]) => filesOf(name, each)));
  const all = await resultsOf([...files]);
  const judged = chosen.map(([name, each]): Judged => ({ name, against: each, cases: casesOf(name, each, all) }));
  for (const each of judged) tell(each);
  if (names.length === 0 && process.getuid?.() === 0) await writeFile(pagePath, pageOf(judged));
  return judged.some(({ cases }) => cases.some(({ result }) => result === "failed")) ? 1 : 0;
}

/** In the order of the driver's files; of a file that judges several drivers what is below its name. */
function casesOf(name: string, each: Against, all: readonly Case[]): readonly Case[] {
  const others = Object.keys(against).filter((other) => other !== name);
  return filesOf(name, each).flatMap((file) =>
    all.filter((found) => found.file === file && !others.some((other) => found.below.includes(`lane ${other}`))),
  );
}

function tell({ name, against: { level, what, notRun }, cases }: Judged): void {
  print(`${name}: ${countOf(cases)}`);
  print(`  ${level}: ${what}; never run against: ${notRun}`);
  for (const { fault, ends, result } of faultsOf(cases)) print(`  fault ${fault}: ${ends}, ${result}`);
  for (const { title, result, reason, failure } of cases)
    if (result !== "passed") print(`  ${result}: ${title}: ${reason ?? failure ?? "no reason given"}`);
}
