import { resolve } from "node:path";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { places } from "../web/places.ts";
import { openDoor } from "./door.ts";
import { loginLink } from "./login-link.ts";
import { holds } from "./page.ts";
import type { Terminal } from "./terminal.ts";

type Where = { readonly socket: string; readonly tokenFile: string };

/**
 * At a controller's first start: a link to the page, for whoever started it by hand. Only on a terminal: what goes into a
 * pipe or the machine's journal is kept, and a link is a secret as long as it holds. There the verb is named that prints
 * one.
 */
export async function firstLink(where: Where, terminal: Terminal, log: (line: string) => void): Promise<void> {
  if (!process.stdout.isTTY) {
    log(`\`${verb(where)}\` prints a link to the page that signs in once`);
    return;
  }
  try {
    const { socket, tokenFile } = where;
    const found = await loginLink(await openDoor({ controller: `unix:${resolve(socket)}`, tokenFile }));
    terminal.line(`PAGE  ${found.link}`, "bold");
    terminal.line(`      ${holds(found)}; \`${verb(where)}\` prints another`);
    terminal.result({ format: "sixgate.page/1", ...found });
  } catch (error) {
    // Whatever it is: it is no reason to end.
    const text = error instanceof Error ? error.message : String(error);
    log(printable(`no link to the page: ${text}${error instanceof Failure ? `; fix: ${error.diagnostic.fix}` : ""}`));
  }
}

/** As it has to be called on this machine. */
function verb({ socket, tokenFile }: Where): string {
  const controller = socket === places.socket ? "" : ` --controller unix:${resolve(socket)}`;
  return `sixgate page${controller}${tokenFile === places.token ? "" : ` --token-file ${resolve(tokenFile)}`}`;
}
