import { pino } from "pino";
import { Board } from "../agent/board.ts";
import { engineClient } from "../agent/engine-client.ts";
import { readIdentity } from "../agent/identity.ts";
import type { AgentLog } from "../agent/log.ts";
import { reportAlways } from "../agent/run.ts";
import { watchEngine } from "../agent/watch.ts";
import { Failure } from "../base/failure.ts";
import { type Exit, exit } from "./exit.ts";
import { Refused } from "./refused.ts";
import { version } from "./version.ts";

export type AgentOptions = { readonly state: string; readonly docker: string };

/** `sixgate agent`. Until SIGTERM or SIGINT, then 0; 4 where the host was revoked; 1 where it is not enrolled. */
export async function agent(options: AgentOptions): Promise<Exit> {
  const { host } = await readIdentity(options.state);
  // One line of JSON each, written before the next thing happens: journald reads standard error.
  const logger = pino(
    { base: { host }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const log: AgentLog = {
    info: (text) => logger.info(text),
    warn: (text) => logger.warn(text),
    error: (text) => logger.error(text),
  };
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    log.info(`${name}: the agent stops`);
    stop.abort();
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  log.info(`sixgate ${version}, agent of ${host}`);
  const board = new Board();
  const client = engineClient(options.docker);
  const watching = watchEngine({ client, board, log }, stop.signal);
  try {
    await reportAlways({ folder: options.state, board, version, log }, stop.signal);
    return exit.fine;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.error(error.message);
    throw new Refused([error.diagnostic], exit.refused);
  } finally {
    stop.abort();
    await watching;
    client.end();
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
