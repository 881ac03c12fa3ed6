import { join } from "node:path";
import type { Against } from "./against.ts";
import type { Case } from "./results.ts";

export const pagePath: string = join(import.meta.dirname, "../../../docs/conformance-drivers.md");

export type Judged = { readonly name: string; readonly against: Against; readonly cases: readonly Case[] };
type Fault = { readonly fault: string; readonly ends: string; readonly result: Case["result"] };

export function countOf(cases: readonly Case[]): string {
  const counts = (["passed", "failed", "not run"] as const).map(
    (word) => [word, cases.filter(({ result }) => result === word).length] as const,
  );
  return counts
    .filter(([word, count]) => count > 0 || word === "passed")
    .map(([word, count]) => `${count} ${word}`)
    .join(", ");
}

/** Tests of test/cli/pf-judge.ts: `pfsense fault not-loaded: apply E512`. */
export function faultsOf(cases: readonly Case[]): readonly Fault[] {
  return cases.flatMap(({ title, result }) => {
    const [, fault, ends] = /^\w+ fault (\S+): apply (.+)$/.exec(title) ?? [];
    return fault === undefined || ends === undefined ? [] : [{ fault, ends, result }];
  });
}

/** docs/conformance-drivers.md: at which level each device was tested, and what was seen. */
export function pageOf(judged: readonly Judged[]): string {
  return `${[
    "# Conformance of drivers",
    "",
    "Made by `npm run conformance -- drivers`. Every driver is judged by the same suite (`test/conformance/suite.ts`): from state",
    "to state with an empty second plan after each, a stale plan, drift, a read that fails half-way, what belongs to others, and",
    "the dead-man. *Real* is the product's own programs and kernel. *Fake* is a stand-in that this project made: it shows that",
    "the driver does what its authors know of the product, and no more.",
    "",
    "| driver | level | judged against | cases | not run |",
    "| --- | --- | --- | --- | --- |",
    ...judged.map(
      ({ name, against, cases }) =>
        `| ${name} | ${against.level} | ${against.what} | ${countOf(cases)} | ${against.notRun} |`,
    ),
    "",
    ...judged.flatMap(skipped),
    ...judged.flatMap(faultLines),
  ]
    .join("\n")
    .trimEnd()}\n`;
}

function skipped({ name, cases }: Judged): readonly string[] {
  const titles = cases.filter(({ result }) => result === "not run").map(({ title }) => title);
  return titles.length === 0 ? [] : [`Not run of ${name}: ${titles.join("; ")}.`, ""];
}

function faultLines({ name, cases }: Judged): readonly string[] {
  const faults = faultsOf(cases);
  if (faults.length === 0) return [];
  return [
    `## Faults of ${name}`,
    "",
    "Each alone, through the command line as a process: `apply` goes through and the second plan is empty, or it ends with this",
    "one error, the device is as it was, and the next `apply` goes through.",
    "",
    "| fault | apply | result |",
    "| --- | --- | --- |",
    ...faults.map(({ fault, ends, result }) => `| ${fault} | ${ends} | ${result} |`),
    "",
  ];
}
