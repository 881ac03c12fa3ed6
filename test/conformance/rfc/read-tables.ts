import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { bogonTable } from "./bogon-table.ts";
import { judgesFile, judgeTable } from "./judge-table.ts";
import {
  bogonsFile,
  type Case,
  type CaseEntry,
  type FlowStep,
  flowsFile,
  type Icmpv6File,
  icmpv6File,
  plainFile,
  type Row,
  type RowEntry,
  type Step,
  type Table,
} from "./table.ts";

type Flows = Readonly<Record<string, readonly FlowStep[]>>;
type Values = Readonly<Record<string, string | number>>;

const folder = join(import.meta.dirname, "tables");

/** The order of the page. A table that is not here is not read, and a test compares this list with the folder. */
export const tableFiles: readonly string[] = [
  "icmpv6",
  "rfc6092",
  "rfc9288",
  "others",
  "bogons",
  "spoofing",
  "injection",
  "judges",
  "npp",
];

/** All tables, with every case spelled out. Rejects for one that can't be understood, and for an id that is there twice. */
export async function readTables(): Promise<readonly Table[]> {
  const { flows } = flowsFile.parse(await readYaml("flows"));
  const tables: Table[] = [];
  for (const name of tableFiles) tables.push(tableOf(await readYaml(name), flows));
  const ids = tables.flatMap((table) => table.rows.map((row) => row.id));
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (twice.length > 0) throw new Error(`Rows of the same name: ${twice.join(", ")}`);
  for (const row of tables.flatMap((table) => table.rows)) {
    const unknown = row.as.filter((id) => !ids.includes(id) && !tables.some((table) => table.id === id));
    if (unknown.length > 0) throw new Error(`${row.id} is judged by rows that are not there: ${unknown.join(", ")}`);
  }
  return tables;
}

/** The tables that lie in the folder, whether read or not. */
export async function tablesInFolder(): Promise<readonly string[]> {
  return (await readdir(folder)).map((name) => name.replace(/\.yaml$/, "")).filter((name) => name !== "flows");
}

async function readYaml(name: string): Promise<unknown> {
  return parse(await readFile(join(folder, `${name}.yaml`), "utf8"), { uniqueKeys: true, merge: true });
}

function tableOf(file: unknown, flows: Flows): Table {
  const kind = typeof file === "object" && file !== null && "kind" in file ? file.kind : undefined;
  if (kind === "icmpv6") return icmpv6Table(icmpv6File.parse(file), flows);
  if (kind === "judges") return judgeTable(judgesFile.parse(file));
  if (kind === "bogons") return bogonTable(bogonsFile.parse(file));
  const { id, title, source, text, rows } = plainFile.parse(file);
  return { id, title, source, text, rows: rows.map((row) => rowOf(row, id, flows)) };
}

function rowOf(row: RowEntry, table: string, flows: Flows): Row {
  return {
    ...row,
    table,
    cases: row.cases.flatMap((each) => casesOf(each, flows, {})),
    timers: row.timers.map(({ after, least }) => ({
      flow: after,
      steps: flowOf(flows, after).map((each) => stepOf(each, {})),
      least,
    })),
  };
}

function flowOf(flows: Flows, name: string): readonly FlowStep[] {
  const flow = flows[name];
  if (flow === undefined) throw new Error(`No such flow: ${name}`);
  return flow;
}

/** Two rows of each kind of message: what crosses, and what is sent to the gateway. */
function icmpv6Table(file: Icmpv6File, flows: Flows): Table {
  const rows = file.rows.flatMap((entry): readonly Row[] =>
    (["transit", "local"] as const).map((side): Row => {
      const word = file.words[side][entry[side]];
      if (word === undefined) throw new Error(`RFC 4890 row ${entry.row}: no such word: ${entry[side]}`);
      const [over = "-", to = "-"] = entry.advice.split(" ");
      const advice = side === "transit" ? over : to;
      const types = numbersOf(entry.types);
      return {
        id: `I-${String(entry.row).padStart(2, "0")}-${side}`,
        table: file.id,
        requirement: `${entry.message} (${rangesText(entry.types)}): ${adviceWords[advice] ?? advice}`,
        source: side === "transit" ? "§4.3" : "§4.4",
        deviates: entry.why[side],
        as: [],
        reads: [],
        timers: [],
        cases: word.flatMap((each) =>
          types.flatMap((t) => numbersOf(entry.codes).flatMap((c) => casesOf(each, flows, { t, c }))),
        ),
      };
    }),
  );
  const extra = file.extra.map((row) => rowOf(row, file.id, flows));
  return { id: file.id, title: file.title, source: file.source, text: file.text, rows: [...rows, ...extra] };
}

const adviceWords: Readonly<Record<string, string>> = {
  M: "must not be dropped",
  S: "should not be dropped",
  A: "is dropped anyway",
  P: "policy",
  D: "should be dropped",
  "-": "later than the RFC",
};

function rangesText(ranges: readonly (number | string)[]): string {
  return `${ranges.length > 1 || typeof ranges[0] === "string" ? "types" : "type"} ${ranges.join(", ")}`;
}

function numbersOf(ranges: readonly (number | string)[]): readonly number[] {
  return ranges.flatMap((each) => {
    if (typeof each === "number") return [each];
    const [first = 0, last = first] = each.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

function casesOf(entry: CaseEntry, flows: Flows, given: Values): readonly Case[] {
  const flow = entry.after === undefined ? [] : flowOf(flows, entry.after);
  const steps: readonly FlowStep[] = "steps" in entry ? entry.steps : [entry];
  return combinations(entry.each ?? {}).map((chosen): Case => {
    const values = { ...given, ...chosen };
    const shown = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    return {
      what: [entry.what ?? "", ...shown].filter((each) => each !== "").join(" "),
      policy: entry.policy,
      alone: entry.alone,
      steps: [...flow, ...steps].map((each) => stepOf(each, values)),
    };
  });
}

function stepOf({ send, ...step }: FlowStep, values: Values): Step {
  return { ...step, send: typeof send === "string" ? [send] : send, with: values };
}

/** Every choice of one value for each name; one empty choice where there are no names. */
function combinations(each: Readonly<Record<string, readonly (string | number)[]>>): readonly Values[] {
  let found: readonly Values[] = [{}];
  for (const [name, values] of Object.entries(each)) {
    found = found.flatMap((sofar) => values.map((value) => ({ ...sofar, [name]: value })));
  }
  return found;
}
