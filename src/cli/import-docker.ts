import { Failure } from "../base/failure.ts";
import { isName } from "../base/name.ts";
import { dumpOf } from "../drivers/docker/dump.ts";
import { importDocker } from "../drivers/docker/import.ts";
import { reachField } from "../fleet/field-kinds.ts";
import type { Exit } from "./exit.ts";
import { readNamed } from "./fleet-file.ts";
import { printImported } from "./import.ts";
import type { Terminal } from "./terminal.ts";
import { shellBy } from "./ways.ts";

export type ImportDockerOptions = {
  /** What `docker` printed as JSON; else the engine is asked. */
  readonly file?: string;
  /** `local` or `ssh:user@host`, as in the fleet file. */
  readonly reach?: string;
  readonly host?: string;
  readonly out?: string;
};

/** `sixgate import docker`: a fleet file from an engine that runs here or behind ssh, or from what `docker` printed. */
export async function importFromDocker(options: ImportDockerOptions, terminal: Terminal): Promise<Exit> {
  const { host, file } = options;
  if (host !== undefined && !isName(host))
    throw new Failure("E802", "--host", "Not a name that a host can have", "a-z, 0-9 and -, 32 letters at most");
  const reach = options.reach ?? (file === undefined ? "local" : undefined);
  const by = { ...(host === undefined ? {} : { host }), ...(reach === undefined ? {} : { reach }) };
  const read = file === undefined ? await fromEngine(reach ?? "local") : await fromFile(file);
  return printImported((text) => importDocker(text, by), read, options, terminal);
}

type Read = { readonly name: string; readonly text: string };

async function fromFile(name: string): Promise<Read> {
  const text = await readNamed(name);
  if (text !== undefined) return { name, text };
  throw new Failure("E807", name, "No such file", "name what docker printed, or leave it out to ask the engine");
}

async function fromEngine(words: string): Promise<Read> {
  const reach = reachField.safeParse(words);
  const shell = reach.success ? shellBy(reach.data) : undefined;
  if (shell === undefined) throw new Failure("E802", "--reach", "Not a way to a host", "local, or ssh:user@host");
  return { name: shell.name, text: await dumpOf(shell) };
}
