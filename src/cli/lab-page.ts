import { Failure } from "../base/failure.ts";
import { openDoor } from "./door.ts";
import { type LoginLink, loginLink } from "./login-link.ts";
import { holds } from "./page.ts";
import type { Terminal } from "./terminal.ts";

/** Shows a link that signs in to the page of a running lab. Says why there is none: the lab runs all the same. */
export async function showPage(name: string, terminal: Terminal): Promise<LoginLink | undefined> {
  try {
    const found = await loginLink(await openDoor({ lab: name }));
    terminal.line(`PAGE  ${found.link}`, "bold");
    terminal.line(`      ${holds(found)}; ${pageVerb(name)} prints another`, "dim");
    return found;
  } catch (error) {
    const fix = error instanceof Failure ? `\n  fix: ${error.diagnostic.fix}` : "";
    terminal.say(`no link to the page: ${error instanceof Error ? error.message : String(error)}${fix}`);
    return undefined;
  }
}

/** The verb that prints a link to the page of that lab. */
export function pageVerb(name: string): string {
  return `./sixgate page --lab${name === "lab" ? "" : ` ${name}`}`;
}
