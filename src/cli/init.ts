import { dirname, join, resolve } from "node:path";
import { Failure } from "../base/failure.ts";
import { fleetJsonSchema } from "../fleet/json-schema.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { readText, writeText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import { Refused } from "./refused.ts";
import { type Answers, templates } from "./templates.ts";
import type { Terminal } from "./terminal.ts";

export type InitOptions = {
  readonly file?: string;
  readonly from?: string;
  readonly prefix?: string;
  readonly ask: boolean;
};

// Documentation space (RFC 3849), as the article's pictures have it: nobody's, so a forgotten default opens nothing.
const defaults: Answers = { name: "home", prefix: "2001:db8:1234:321d::/64", mac: "00:50:56:00:ab:cd" };

/** `sixgate init`: writes a fleet file and its JSON Schema. Never writes over a file. */
export async function init(options: InitOptions, terminal: Terminal): Promise<Exit> {
  const path = resolve(options.file ?? "fleet.yaml");
  if ((await readText(path)) !== undefined)
    throw new Failure("E804", path, "The file is there already", "name another one: sixgate init other.yaml");
  const talks = options.ask && process.stdin.isTTY && process.stderr.isTTY && !terminal.json;
  const chosen = talks && options.from === undefined ? await askTemplate() : (options.from ?? "home");
  const template = Object.hasOwn(templates, chosen) ? templates[chosen] : undefined;
  if (template === undefined)
    throw new Failure("E802", "--from", `No template "${chosen}"`, `one of ${Object.keys(templates).join(", ")}`);
  const given = { ...defaults, ...(options.prefix === undefined ? {} : { prefix: options.prefix }) };
  const text = template.text(talks ? await askAnswers(given, options.prefix !== undefined) : given);
  const parsed = parseFleet(text, options.file ?? "fleet.yaml");
  if (!parsed.ok) throw new Refused(parsed.errors);
  const schema = join(dirname(path), "fleet.schema.json");
  await writeText(schema, `${JSON.stringify(fleetJsonSchema(), null, 2)}\n`);
  await writeText(path, text);
  terminal.line(`wrote ${path}`, "good");
  terminal.line(`wrote ${schema} (editors read it)`);
  terminal.line("next: edit it, then `sixgate validate`, `sixgate addr`, `sixgate render -o out`");
  terminal.result({ format: "sixgate.init/1", file: path, schema });
  return exit.fine;
}

async function askTemplate(): Promise<string> {
  const { isCancel, select } = await import("@clack/prompts");
  const options = Object.entries(templates).map(([value, { title }]) => ({ value, label: value, hint: title }));
  const chosen = await select({ message: "What is it for?", options });
  if (isCancel(chosen)) throw new DOMException("cancelled", "AbortError");
  return chosen;
}

async function askAnswers(given: Answers, prefixGiven: boolean): Promise<Answers> {
  const { isCancel, text } = await import("@clack/prompts");
  const one = async (message: string, initialValue: string): Promise<string> => {
    const said = await text({ message, initialValue });
    if (isCancel(said)) throw new DOMException("cancelled", "AbortError");
    return said.trim();
  };
  return {
    name: await one("A name for the fleet (letters, digits, dashes)", given.name),
    prefix: prefixGiven ? given.prefix : await one("The IPv6 prefix that your provider gave you", given.prefix),
    mac: await one("The MAC address that the provider knows the gateway by", given.mac),
  };
}
