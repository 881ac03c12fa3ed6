import { rm } from "node:fs/promises";
import { formatTimestamp } from "../base/timestamp.ts";
import type { TokenView } from "../web/token-book.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { beforehand, keepSecret } from "./keep-secret.ts";
import { lengthOption } from "./length-option.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

export type TokenOptions = DoorOptions & { readonly role: string; readonly for: string; readonly out?: string };

/** `sixgate token create`: shown this once. */
export async function createToken(name: string, options: TokenOptions, terminal: Terminal): Promise<Exit> {
  const length = lengthOption(options.for, "12h or 90d");
  const remote = remoteAt(await openDoor(options));
  await beforehand(options.out);
  try {
    const body = { name, role: options.role, seconds: length };
    const { token, ...rest } = await remote.post<{ readonly token: string }>("token-made/1", "/api/v1/tokens", body);
    await keepSecret(token, options.out, terminal);
    terminal.say(`${options.role} ${name} for ${options.for}; the token is not shown again`);
    terminal.result(options.out === undefined ? { ...rest, token } : { ...rest, file: options.out });
    return exit.fine;
  } catch (error) {
    if (options.out !== undefined) await rm(options.out, { force: true });
    throw error;
  }
}

/** `sixgate token list`. */
export async function listTokens(options: DoorOptions, terminal: Terminal): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const tokens = await remote.get<{ readonly entries: readonly TokenView[] }>("tokens/1", "/api/v1/tokens");
  terminal.table(
    ["NAME", "ROLE", "MADE", "BY", "ENDS"],
    tokens.entries.map(({ name, role, made, by, ends }) => [
      name,
      role,
      formatTimestamp(made),
      by,
      ends === undefined ? "-" : { text: formatTimestamp(ends), tone: ends <= Date.now() ? "bad" : "plain" },
    ]),
  );
  terminal.result(tokens);
  return exit.fine;
}

/** `sixgate token revoke`: it holds no more, and sessions that were begun with it end. */
export async function revokeToken(name: string, options: DoorOptions, terminal: Terminal): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const revoked = await remote.post("token-revoked/1", `/api/v1/tokens/${encodeURIComponent(name)}/revoke`, {});
  terminal.line(`token ${name} holds no more`, "good");
  terminal.result(revoked);
  return exit.fine;
}
