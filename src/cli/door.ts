import { Failure } from "../base/failure.ts";
import { places } from "../web/places.ts";
import { parseToken } from "../web/token.ts";
import type { DoorOptions } from "./door-options.ts";
import { readNamed } from "./fleet-file.ts";
import { labDoor } from "./lab-door.ts";

/** Where a controller's API listens, and what opens it. */
export type Door = {
  /** `unix:/path`, `https://host:port`, or `http://` on this machine. */
  readonly url: string;
  readonly token: string;
  /** Where the token was read. */
  readonly tokenFile: string;
  /** Where a browser on this machine reaches the page, where that is known here: the door of a lab. */
  readonly origin?: string;
  /** PEM of the authority that a certificate has to be of; absent: those that this machine trusts. */
  readonly ca?: string;
};

export async function openDoor(options: DoorOptions): Promise<Door> {
  const lab = options.lab === undefined ? undefined : await labDoor(options.lab === true ? "lab" : options.lab);
  const url = readUrl(options.controller ?? lab?.url ?? `unix:${places.socket}`);
  const tokenFile = options.tokenFile ?? lab?.tokenFile ?? places.token;
  const origin = options.controller === undefined ? lab?.origin : undefined;
  const door = { url, tokenFile, token: await readToken(tokenFile), ...(origin === undefined ? {} : { origin }) };
  return options.ca === undefined ? door : { ...door, ca: await readCa(options.ca) };
}

function readUrl(text: string): string {
  return /^unix:\/./.test(text)
    ? text
    : readOrigin(text, "--controller", "write unix:/run/sixgate/controller.sock or https://HOST:PORT");
}

/**
 * A place of the API as browsers name it. In the clear on this machine only: whoever is on the way would read token,
 * code or cookie. Rejects with E813 at the option `at`.
 */
export function readOrigin(text: string, at: string, fix: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const bare =
    url !== undefined && /^\/?$/.test(url.pathname) && url.search === "" && url.hash === "" && url.username === "";
  if (url?.protocol === "https:" && bare) return url.origin;
  if (url?.protocol === "http:" && bare && /^(?:\[::1\]|127(?:\.[0-9]{1,3}){3}|localhost)$/.test(url.hostname))
    return url.origin;
  const why = url?.protocol === "http:" && bare ? "In the clear over a network" : "Not a way to a controller";
  throw new Failure("E813", at, `${why}: ${JSON.stringify(text)}`, fix);
}

async function readToken(path: string): Promise<string> {
  const text = await readNamed(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EACCES") throw cause;
    const fix = "use sudo, or name the file with a token of your own: --token-file, or SIXGATE_TOKEN_FILE";
    throw new Failure("E811", path, "Not yours to read", fix, { cause });
  });
  if (text === undefined)
    throw new Failure(
      "E811",
      path,
      "No such file",
      "name the file with your token: --token-file, or SIXGATE_TOKEN_FILE; on the controller's own machine, be root",
    );
  const token = text.trim();
  if (parseToken(token) === undefined)
    throw new Failure(
      "E811",
      path,
      "No token in it",
      "write into it what `sixgate token create` printed, and nothing else",
    );
  return token;
}

async function readCa(path: string): Promise<string> {
  const text = await readNamed(path);
  if (text?.includes("-----BEGIN CERTIFICATE-----") === true) return text;
  throw new Failure("E811", path, text === undefined ? "No such file" : "No certificate in it", "name a PEM file");
}
