import { join } from "node:path";
import { type Against, suiteOf } from "./against.ts";
import type { Case } from "./results.ts";

export const pagePath: string = join(import.meta.dirname, "../../../docs/conformance-drivers.md");

export type Judged = { readonly name: string; readonly against: Against; readonly cases: readonly Case[] };
type Fault = { readonly fault: string; readonly ends: string; readonly result: Case["result"] };
/** A column of a table: the cases that one suite has of one driver. */
type Column = { readonly name: string; readonly cases: readonly Case[] };

export function countOf(cases: readonly Case[]): string {
  const counts = (["passed", "failed", "not run"] as const).map(
    (word) => [word, cases.filter(({ result }) => result === word).length] as const,
  );
  return counts
    .filter(([word, count]) => count > 0 || word === "passed")
    .map(([word, count]) => `${count} ${word}`)
    .join(", ");
}

/** Tests of test/cli: `pfsense fault not-loaded: apply E512`. */
export function faultsOf(cases: readonly Case[]): readonly Fault[] {
  return cases.flatMap(({ title, result }) => {
    const [, fault, ends] = faultTitle.exec(title) ?? [];
    return fault === undefined || ends === undefined ? [] : [{ fault, ends, result }];
  });
}

const faultTitle = /^\w+ fault (\S+): apply (.+)$/;
const made = "<!-- Written by `npm run conformance -- drivers` from what it saw. Changes made here are lost. -->";

/** docs/conformance-drivers.md: at which level each driver was tested, and what was seen. Nothing of when, or how fast. */
export function pageOf(judged: readonly Judged[]): string {
  const parts = [
    ["# Conformance of drivers", "", made, "", ...intro, ""],
    ["| driver | level | judged against | never run against | cases |", "| --- | --- | --- | --- | --- |"],
    judged.map(
      ({ name, against, cases }) =>
        `| ${name} | ${against.level} | ${against.what} | ${against.notRun} | ${countOf(cases)} |`,
    ),
    ["", "## The suite", "", ...suiteIntro, "", ...tableOf(judged, judged.map(suiteColumn)), ""],
    ["## The lanes", "", ...laneIntro, "", ...tableOf(judged, judged.flatMap(laneColumns)), ""],
    notRunLines(judged),
    judged.flatMap(faultLines),
    judged.flatMap(ownLines),
  ];
  return `${parts.flat().join("\n").trimEnd()}\n`;
}

const intro = [
  "What every driver was asked, and what was seen. **real** is the product's own programs and kernel. **fake** is a stand-in",
  "that this project made: it shows that the driver does what its authors know of the product, and no more. So what was",
  "passed by a fake was *not run* with the product itself, and the last row of each table says so.",
];
const suiteIntro = [
  "One suite for all (`test/conformance/suite.ts`). A state is what a fleet file asks for; each is unlike the one before it.",
];
const laneIntro = [
  "A gateway's lane opens and closes for labels and people (`test/conformance/lane-suite.ts`); nftables has two, one that",
  "speaks netlink and one that calls programs.",
];

function suiteColumn({ name, cases }: Judged): Column {
  return { name, cases: cases.filter(({ file }) => file === suiteOf(name)) };
}

function laneColumns({ name, against, cases }: Judged): readonly Column[] {
  return (against.lanes ?? []).map((lane) => ({
    name: lane.includes("-programs") ? `${name}, programs` : name,
    cases: cases.filter(({ file }) => file === lane),
  }));
}

/** Cases with a number in them are one row: how many states a driver goes through is its own affair. */
function rowOf({ title }: Case): string {
  return title.replace(/ state \d+,/, " each state,");
}

function tableOf(judged: readonly Judged[], columns: readonly Column[]): readonly string[] {
  const rows = [...new Set(columns.flatMap(({ cases }) => cases.map(rowOf)))].filter((row) => row !== wholeSuite);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const level = ({ name }: Column): Against["level"] | undefined =>
    judged.find((each) => each.name === name.split(",")[0])?.against.level;
  const product = { real: "passed as above", fake: "**not run**", reference: "no device" };
  return [
    line(["case", ...columns.map(({ name }) => name)]),
    line(["---", ...columns.map(() => "---")]),
    ...rows.map((row) => line([cell(row), ...columns.map(({ cases }) => cellOf(cases, row))])),
    line(["with the product itself", ...columns.map((each) => product[level(each) ?? "fake"])]),
  ];
}

/** What stands in the place of all cases where a driver could not be judged at all. */
const wholeSuite = "the suite";

function cellOf(cases: readonly Case[], row: string): string {
  const found = cases.filter((each) => rowOf(each) === row);
  if (found.some(({ result }) => result === "failed")) return "**failed**";
  if (found.length === 0 || found.some(({ result }) => result === "not run")) return "not run";
  return found.length === 1 ? "passed" : `passed (${found.length})`;
}

function notRunLines(judged: readonly Judged[]): readonly string[] {
  const lines = judged.flatMap(({ name, against, cases }) => [
    ...(against.level === "fake" ? [`- ${name}: anything with ${against.notRun} itself: none was at hand`] : []),
    ...cases
      .filter(({ result }) => result === "not run")
      .map(({ title, reason }) => `- ${name}: ${title}: ${reason ?? "no reason given"}`),
  ]);
  return ["## Not run", "", ...lines, ""];
}

function faultLines({ name, cases }: Judged): readonly string[] {
  const faults = faultsOf(cases);
  if (faults.length === 0) return [];
  return [
    `## Faults of ${name}`,
    "",
    "Each alone, through the command line as a process: `apply` goes through and the second plan is empty, or it ends with this",
    "one error, the device is as it was, and a later `apply` goes through.",
    "",
    "| fault | apply | result |",
    "| --- | --- | --- |",
    ...faults.map(({ fault, ends, result }) => `| ${fault} | ${ends} | ${result} |`),
    "",
  ];
}

/** Tests that no other driver has. */
function ownLines({ name, against, cases }: Judged): readonly string[] {
  const own = cases.filter(({ file, title }) => against.more?.includes(file) === true && !faultTitle.test(title));
  if (own.length === 0) return [];
  return [
    `## More of ${name}`,
    "",
    `${countOf(own)}:`,
    "",
    ...own.map(({ title, result }) => `- ${cell(title)}${result === "passed" ? "" : `: **${result}**`}`),
    "",
  ];
}

/** Titles are ours, and may have what a table or a page takes for its own. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
