import { formatDiagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { importOpnsense } from "../drivers/opnsense/import.ts";
import { importPfsense } from "../drivers/pfsense/import.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { readNamed } from "./fleet-file.ts";
import type { Terminal } from "./terminal.ts";

/** A fleet file made of what somebody has, and how many of its lines are guesses. */
export type Imported = { readonly text: string; readonly guesses: number };

/** What can be read into a fleet file, by the word for it. */
export const importers: Readonly<Record<string, Importer>> = {
  pfsense: importPfsense,
  opnsense: importOpnsense,
};

type Importer = (text: string) => Imported;

/** `sixgate import KIND FILE`: prints a fleet file, or writes it with `-o`. No device is asked. */
export async function importFleet(
  kind: string,
  path: string,
  options: { readonly out?: string },
  terminal: Terminal,
): Promise<Exit> {
  const importer = importers[kind];
  if (importer === undefined)
    throw new Failure("E802", "import", `No import of "${kind}"`, `one of ${Object.keys(importers).join(", ")}`);
  const text = await readNamed(path);
  if (text === undefined)
    throw new Failure("E807", path, "No such file", "export the configuration from the device and name it here");
  return printImported(importer, { name: path, text }, options, terminal);
}

/** Text from anywhere through an importer. `name` is for messages. */
export async function printImported(
  importer: Importer,
  { name, text }: { readonly name: string; readonly text: string },
  options: { readonly out?: string },
  terminal: Terminal,
): Promise<Exit> {
  if (options.out !== undefined && (await readNamed(options.out)) !== undefined)
    throw new Failure("E804", options.out, "There is a file already", "name another one, or remove it");
  const imported = read(importer, name, text);
  const checked = parseFleet(imported.text, options.out ?? "fleet.yaml");
  const said = checked.ok ? checked.warnings : checked.errors;
  if (options.out === undefined) terminal.raw(imported.text);
  else await writeText(options.out, imported.text);
  for (const each of said) terminal.say(formatDiagnostic(each));
  const where = options.out === undefined ? "" : `${options.out} written: `;
  terminal.say(
    `${where}${imported.guesses} guesses to look at; ${checked.ok ? "the file is valid" : `${said.length} things to complete`}`,
  );
  terminal.result({
    format: "sixgate.import/1",
    text: imported.text,
    guesses: imported.guesses,
    valid: checked.ok,
    found: said,
  });
  return exit.fine;
}

function read(importer: Importer, path: string, text: string): Imported {
  try {
    return importer(text);
  } catch (cause) {
    if (cause instanceof Failure || !(cause instanceof Error)) throw cause;
    throw new Failure(
      "E570",
      path,
      `Can't be read into a fleet file: ${cause.message}`,
      "export it whole from the device, with its addresses set; for a new one begin with `sixgate init`",
      { cause },
    );
  }
}
