import { enrolAgent } from "../agent/enrol.ts";
import { type ControllerAt, readIdentity } from "../agent/identity.ts";
import { type JoinTokenParts, parseJoinToken } from "../agent/join-token.ts";
import { inboxPort } from "../agent/wire.ts";
import { Failure } from "../base/failure.ts";
import { parseAddress } from "../net/address.ts";
import { parsePort } from "../net/port.ts";
import { readText } from "../runtime/files.ts";
import { type Exit, exit } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

export type EnrolOptions = {
  readonly controller: string;
  readonly tokenFile?: string;
  readonly state: string;
  readonly again?: boolean;
  /** Whether somebody may be asked. */
  readonly ask: boolean;
};

/** A token is 99 characters; whoever sends more sends something else. */
const longestToken = 4096;

/** `sixgate enrol`. The token is never an argument: arguments are everybody's to read. */
export async function enrol(options: EnrolOptions, terminal: Terminal): Promise<Exit> {
  const controller = parseController(options.controller);
  await refuseSecond(options);
  const { host, ends } = await enrolAgent(controller, await readToken(options, terminal), options.state);
  const until = new Date(ends).toISOString();
  terminal.line(`This machine is host ${host} now; its certificate ends ${until} and is renewed by the agent`, "good");
  terminal.line("next: sixgate agent, as a service");
  terminal.result({ format: "sixgate.enrol/1", host, ends: until, state: options.state });
  return exit.fine;
}

async function refuseSecond(options: EnrolOptions): Promise<void> {
  if (options.again === true) return;
  const there = await readIdentity(options.state).catch(() => undefined);
  if (there === undefined) return;
  throw new Failure(
    "E924",
    options.state,
    `This machine is enrolled already, as ${there.host}`,
    "with --again its key and certificate are replaced; with --state another folder is used",
  );
}

/** `fw.example`, `fw.example:6464`, `10.10.10.1`, `2001:db8::1` or `[2001:db8::1]:6464`. Throws E802. */
export function parseController(text: string): ControllerAt {
  if (parseAddress(text) !== undefined) return { host: text, port: inboxPort };
  const [, bracketed, named, number] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const port = number === undefined ? inboxPort : parsePort(number);
  const host = bracketed === undefined ? named : parseAddress(bracketed);
  if (host !== undefined && port !== undefined && /^[\w.:-]{1,253}$/.test(host)) return { host, port };
  throw new Failure(
    "E802",
    "controller",
    `${JSON.stringify(text)} is no place of a controller`,
    "give a name or an address, with a port where it isn't the usual one: fw.example, [2001:db8::1]:6464",
  );
}

async function readToken(options: EnrolOptions, terminal: Terminal): Promise<JoinTokenParts> {
  const [at, text] = await tokenText(options, terminal);
  const token = parseJoinToken(text);
  if (token !== undefined) return token;
  // What it holds instead may be another secret: it is not quoted.
  throw new Failure(
    "E925",
    at,
    `This is not a join token (${text.trim().length} characters)`,
    "take the whole line that `sixgate invite HOST` printed",
  );
}

async function tokenText(options: EnrolOptions, terminal: Terminal): Promise<readonly [at: string, text: string]> {
  if (options.tokenFile !== undefined && options.tokenFile !== "-") {
    const text = await readText(options.tokenFile);
    if (text !== undefined) return [options.tokenFile, text];
    throw new Failure("E807", options.tokenFile, "No such file", "look at the path");
  }
  if (!process.stdin.isTTY) return ["standard input", await readInput()];
  if (options.ask && process.stderr.isTTY && !terminal.json) return ["prompt", await askToken()];
  throw new Failure(
    "E806",
    "token",
    "Nobody to ask for the join token",
    "give it with --token-file, or on standard input",
  );
}

async function readInput(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > longestToken) break;
  }
  return text;
}

async function askToken(): Promise<string> {
  const { isCancel, password } = await import("@clack/prompts");
  const said = await password({ message: "Join token (it is not shown)", mask: "" });
  if (isCancel(said)) throw new DOMException("cancelled", "AbortError");
  return said;
}
