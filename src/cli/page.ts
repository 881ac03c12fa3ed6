import { join } from "node:path";
import { places } from "../web/places.ts";
import { openDoor, readOrigin } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { type LoginLink, loginLink } from "./login-link.ts";
import type { Terminal } from "./terminal.ts";

export type PageOptions = DoorOptions & { readonly at?: string };

/** `sixgate page`: a link that signs in once, as whoever's token asked for it. */
export async function page(options: PageOptions, terminal: Terminal): Promise<Exit> {
  const at =
    options.at === undefined
      ? undefined
      : readOrigin(options.at, "--at", "write https://HOST:PORT, or http://127.0.0.1:PORT for a tunnel's end here");
  const found = await loginLink(await openDoor(options), at);
  terminal.line(found.link);
  terminal.say(holds(found));
  if (found.origin.startsWith("https:"))
    terminal.say(
      `its certificate is of the fleet's own authority (${join(places.state, "authority.crt")} of the controller's machine): a browser that does not know it warns; docs/api.md has two ways`,
    );
  terminal.result({ format: "sixgate.page/1", ...found });
  return exit.fine;
}

/** How long a link holds, and whom it signs in. */
export function holds({ seconds, name, role }: LoginLink): string {
  return `signs in once, as ${name} (${role}), within ${Math.round(seconds / 60)} minutes; it is not shown again`;
}
