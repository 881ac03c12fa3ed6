import { rm } from "node:fs/promises";
import { formatTimestamp } from "../base/timestamp.ts";
import type { JoinToken } from "../controller/controller.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { type Exit, exit } from "./exit.ts";
import { beforehand, keepSecret } from "./keep-secret.ts";
import { remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

/** `sixgate invite`: a token for one enrolment of one host, shown this once. */
export async function invite(
  host: string,
  options: DoorOptions & { readonly out?: string },
  terminal: Terminal,
): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  await beforehand(options.out);
  try {
    const path = `/api/v1/agents/${encodeURIComponent(host)}/invite`;
    const { token, ...rest } = await remote.post<JoinToken>("invitation/1", path, {});
    await keepSecret(token, options.out, terminal);
    terminal.say(`good for one enrolment of ${rest.host} until ${formatTimestamp(rest.ends)}; it is not shown again`);
    terminal.result(options.out === undefined ? { ...rest, token } : { ...rest, file: options.out });
    return exit.fine;
  } catch (error) {
    if (options.out !== undefined) await rm(options.out, { force: true });
    throw error;
  }
}

/** `sixgate revoke`: the host's agent is let in no more. What it had open is closed. */
export async function revoke(
  host: string,
  options: DoorOptions & { readonly because: string },
  terminal: Terminal,
): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const path = `/api/v1/agents/${encodeURIComponent(host)}/revoke`;
  const revoked = await remote.post("revoked/1", path, { reason: options.because });
  terminal.line(`the agent of ${host} is let in no more`, "good");
  terminal.result(revoked);
  return exit.fine;
}
