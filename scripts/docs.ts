// Writes docs/reference/ and the JSON Schema beside the examples: what the program itself knows of its fields, codes
// and verbs. `sh scripts/with-node.sh scripts/docs.ts`; a test fails when what is written is out of date.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command, Option } from "commander";
import { codes } from "../src/base/codes.ts";
import { makeProgram } from "../src/cli/program.ts";
import { type Explanation, explainField } from "../src/fleet/explain.ts";
import { fleetJsonSchema, mapIn, schemaAt } from "../src/fleet/json-schema.ts";
import { openApi } from "../src/web/routes.ts";

const root = join(import.meta.dirname, "..");
const made = "<!-- Written by scripts/docs.ts from the program itself. Changes made here are lost. -->";

/** Every generated file: its path in the project and its text. */
export function referenceFiles(): ReadonlyMap<string, string> {
  const schema = `${JSON.stringify(fleetJsonSchema(), null, 2)}\n`;
  return new Map([
    ["docs/reference/commands.md", commandsPage()],
    ["docs/reference/codes.md", codesPage()],
    ["docs/reference/fleet-file.md", fleetFilePage()],
    ["docs/reference/openapi.json", `${JSON.stringify(openApi, null, 2)}\n`],
    ["docs/reference/fleet.schema.json", schema],
    ["examples/fleet.schema.json", schema],
  ]);
}

function page(title: string, intro: readonly string[], sections: readonly string[]): string {
  return `${[`# ${title}`, made, ...intro, ...sections].join("\n\n")}\n`;
}

/** A Markdown table; what could end a cell or be read as HTML is escaped outside of code. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heading), line(heading.map(() => "---")), ...rows.map(line)].join("\n");
}

function prose(text: string): string {
  return text.replaceAll(/[<>*_]/g, "\\$&");
}

function code(text: string): string {
  return `\`${text}\``;
}

// Verbs

function commandsPage(): string {
  const program = makeProgram(() => Promise.resolve());
  const intro = [
    "Options of the first table stand before or behind every verb. A fleet file is named with `-f`; else the nearest `fleet.yaml` upwards is taken.",
    "Results go to standard output, talk and errors to standard error. With `--json` standard output holds one JSON document and nothing else; an error is one too, of format `sixgate.error/1`.",
    "Exit codes: 0 fine, 1 error, 2 something differs (`diff`, `plan --detailed-exitcode`, `lab test` with drift), 3 a test failed, 4 refused by the guard, 64 the call can't be understood.",
    table(["option", "what it does"], program.options.map(optionRow)),
  ];
  return page(
    "Verbs",
    intro,
    program.commands.flatMap((command) => commandSections(command, "sixgate")),
  );
}

function commandSections(command: Command, above: string): readonly string[] {
  const name = `${above} ${command.name()}`;
  const words = command.registeredArguments.map((each) => (each.required ? `<${each.name()}>` : `[${each.name()}]`));
  const head = [`## ${code([name, ...words].join(" "))}`, `${sentence(command.description())}`];
  const options =
    command.options.length === 0 ? [] : [table(["option", "what it does"], command.options.map(optionRow))];
  return [...head, ...options, ...command.commands.flatMap((each) => commandSections(each, name))];
}

function optionRow(option: Option): readonly string[] {
  const choices = option.argChoices === undefined ? "" : ` One of ${option.argChoices.map(code).join(", ")}.`;
  const standard =
    option.defaultValue === undefined || option.defaultValue === true
      ? ""
      : ` Default: ${code(String(option.defaultValue))}.`;
  return [code(option.flags), `${sentence(option.description)}${choices}${standard}`];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?…]$/.test(text) ? "" : "."}`;
}

// Codes

const groups: readonly (readonly [digit: string, title: string])[] = [
  ["0", "The machine and the launcher"],
  ["1", "The fleet file: YAML and single values"],
  ["2", "The fleet file: values against each other"],
  ["3", "Address plan and ledger"],
  ["4", "What a device can't express"],
  ["5", "Devices at work"],
  ["6", "The guard and stored plans"],
  ["7", "The lab"],
  ["8", "The command line"],
  ["9", "Openings by request, agents and the controller"],
];

function codesPage(): string {
  const all = Object.entries(codes).sort(([a], [b]) => (a < b ? -1 : 1));
  const sections = groups.flatMap(([digit, title]) => {
    const rows = all.filter(([each]) => each[1] === digit).map(([each, text]) => [code(each), prose(text)]);
    return rows.length === 0 ? [] : [`## ${title}`, table(["code", "title"], rows)];
  });
  const intro = [
    'Everything that sixgate finds wrong has a code, a place, a text and a fix: `fleet.yaml:8:23 hosts.vm2.docker: E110 Unknown key "profil"`, and the fix below it. A code never changes its meaning and is never given twice. `E` is an error: nothing was changed because of it. `W` is a warning.',
  ];
  return page("Codes", intro, sections);
}

// The fleet file

function fleetFilePage(): string {
  const intro = [
    "One YAML file describes the fleet. Keys that are not listed here are errors. `sixgate explain FIELD` says the same on the command line; [fleet.schema.json](fleet.schema.json) says it to editors. `*` stands for a name of your choice, or for an entry of a list.",
    "The files in [examples/](../../examples) are complete.",
  ];
  return page("The fleet file", intro, mapSections([]));
}

/** A section for the map at a path, then one for each map below it, in the order of the schema. */
function mapSections(path: readonly string[]): readonly string[] {
  const found = explained(path);
  const head = path.length === 0 ? "## The file" : `## ${code(path.join("."))}`;
  const text = path.length === 0 ? [] : [prose(found.text)];
  const rows = found.keys.map(({ key }) => {
    const below = explained([...path, key]);
    return [code(key), prose(below.kind), below.required ? "yes" : "", prose(below.text)];
  });
  const below = found.keys.flatMap(({ key }) => {
    const inner = innerMap([...path, key]);
    return inner === undefined ? [] : mapSections(inner);
  });
  return [head, ...text, table(["key", "kind", "required", "meaning"], rows), ...below];
}

/** The path of the map that a key holds: itself, or the one behind a name or in a list. Undefined where it holds none. */
function innerMap(path: readonly string[]): readonly string[] | undefined {
  const schema = schemaAt(path);
  if (schema !== undefined && mapIn(schema).properties !== undefined) return path;
  const within =
    schema?.items ?? (typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined);
  return within?.properties === undefined ? undefined : [...path, "*"];
}

function explained(path: readonly string[]): Explanation {
  const found = explainField(path.join("."));
  if (found === undefined) throw new Error(`The schema has no ${path.join(".")}`);
  return found;
}

if (import.meta.main) {
  for (const [path, text] of referenceFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
