import type { OpeningView } from "../controller/controller.ts";
import { formatService } from "../openings/services.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { whereOf } from "./opening-row.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate close`: of what people opened. Ends when it is closed and its live connections are cut. */
export async function close(
  id: string,
  options: DoorOptions & { readonly because: string },
  terminal: Terminal,
): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const path = `/api/v1/openings/${encodeURIComponent(id)}/close`;
  const closed = await remote.post<{ readonly opening: OpeningView }>("closed/1", path, { reason: options.because });
  const { opening } = closed;
  terminal.line(`closed ${formatService(opening.service)} at ${opening.to} (${whereOf(opening)})`, "good");
  terminal.result(closed);
  return exit.fine;
}
