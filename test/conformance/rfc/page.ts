import { join } from "node:path";
import { procedureOf } from "./procedures.ts";
import type { Verdict } from "./run.ts";
import type { Row, Table } from "./table.ts";

const words: readonly Verdict["word"][] = ["passed", "deviates", "failed", "not applicable", "not run"];

export const pagePath: string = join(import.meta.dirname, "../../../docs/conformance.md");

/** Where the page stops to be the same in every run. */
export const versionsHeading = "## What it was found with";

/** The page of a run. The same verdicts give the same text, but for what is below {@link versionsHeading}. */
export function pageOf(tables: readonly Table[], verdicts: readonly Verdict[], versions: readonly string[]): string {
  const byTable = Map.groupBy(verdicts, ({ row }) => row.table);
  return `${[
    "# Conformance",
    "<!-- Written by `npm run conformance -- rfc` from what it saw. Changes made here are lost. -->",
    ...intro,
    totals(tables, byTable),
    ...tables.flatMap((table) => section(table, byTable.get(table.id) ?? [])),
    versionsHeading,
    versions.map((line) => `- ${line}`).join("\n"),
  ].join("\n\n")}\n`;
}

const intro: readonly string[] = [
  "What RFCs ask of a gateway like this one, row by row, and what packets found. The rows and their packets are in `test/conformance/rfc/tables`; they are sent by scapy through the lab's gateway, which the production driver has configured, and watched on the cables before and behind it and by counters in its kernel. `npm run conformance -- rfc` asks again and writes this page; `npm test` asks the same rows, the slow ones in part, and fails when one of them fails or when this page says something else.",
  "**passed**: every packet of the row did what the requirement says. **deviates**: it does not, on purpose; the reason is written, and the packets show that it does what the reason says. **failed**: a hole. **not applicable** and **not run**: with the reason. No row is without a word.",
];

function totals(tables: readonly Table[], byTable: ReadonlyMap<string, readonly Verdict[]>): string {
  const count = (verdicts: readonly Verdict[]): readonly string[] => [
    String(verdicts.length),
    ...words.map((word) => String(verdicts.filter((each) => each.word === word).length)),
    String(verdicts.reduce((sum, { row }) => sum + row.cases.length, 0)),
  ];
  return grid(
    ["table", "rows", ...words, "packet cases"],
    [
      ...tables.map(({ id, title }) => [`[${id}: ${title}](#${anchorOf(id, title)})`, ...count(byTable.get(id) ?? [])]),
      ["**all**", ...count([...byTable.values()].flat())],
    ],
  );
}

function section(table: Table, verdicts: readonly Verdict[]): readonly string[] {
  return [
    `## ${table.id}: ${table.title}`,
    ...(table.text === undefined ? [] : [table.text]),
    grid(
      ["row", "source", "requirement", "asked by", "verdict"],
      verdicts.map(({ row, word, reason }) => [
        row.id,
        sourceOf(table, row),
        prose(row.requirement),
        askedBy(row),
        reason === "" ? word : `**${word}**: ${prose(reason)}`,
      ]),
    ),
  ];
}

function sourceOf(table: Table, row: Row): string {
  if (row.source === undefined) return table.source;
  return row.source.startsWith("§") ? `${table.source} ${row.source}` : row.source;
}

function askedBy(row: Row): string {
  const { length } = row.cases;
  const parts = [
    ...(length === 0 ? [] : [length === 1 ? "1 case" : `${length} cases`]),
    ...row.reads.map(({ sysctl }) => `\`${sysctl}\``),
    ...row.timers.map(({ flow }) => `clock of ${flow}`),
    ...(row.tool === undefined ? [] : [`\`${row.tool.run}\``]),
    ...(row.procedure === undefined ? [] : [procedureOf(row.procedure).says]),
    ...(row.as.length === 0 ? [] : [`rows ${row.as.join(", ")}`]),
  ];
  return parts.join(", ");
}

function grid(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Nothing in it is markup, but for what stands in backticks. */
function prose(text: string): string {
  return text
    .split("`")
    .map((part, at) => (at % 2 === 0 ? part.replaceAll(/[<>*_]/g, "\\$&") : part))
    .join("`");
}

/** As GitHub makes them. */
function anchorOf(id: string, title: string): string {
  return `${id}: ${title}`
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}
