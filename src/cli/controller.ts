import { pino } from "pino";
import { formatDiagnostic } from "../base/diagnostic.ts";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { type Authority, openAuthority } from "../controller/authority.ts";
import type { Basis } from "../controller/controller.ts";
import { keepServerIdentity } from "../controller/inbox-identity.ts";
import { lazyLane } from "../controller/lazy-lane.ts";
import { type RunningController, startController } from "../controller/start-controller.ts";
import { type ControllerState, openState } from "../controller/state.ts";
import { deriveFilter } from "../desired/derive-filter.ts";
import { gatewayWay } from "../drivers/gateway-way.ts";
import { lanes } from "../drivers/index.ts";
import type { LaneKind } from "../drivers/members-lane.ts";
import { controllerAddress } from "../fleet/controller-address.ts";
import { systemClock } from "../runtime/clock.ts";
import { localShell } from "../runtime/shell-local.ts";
import type { Way } from "../runtime/way.ts";
import { apiPlaces } from "../web/api-places.ts";
import { type Served, serveApi } from "../web/serve.ts";
import { type Exit, exit } from "./exit.ts";
import { firstLink } from "./first-link.ts";
import { type Opened, openFleet } from "./fleet-file.ts";
import { pageThere } from "./page-there.ts";
import { plannerFor } from "./planner.ts";
import { proveBy } from "./prove.ts";
import { Refused } from "./refused.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

export type ControllerVerbOptions = {
  readonly file?: string;
  readonly prefix?: string;
  /** Folder of what must outlive it. */
  readonly state: string;
  /** The API's unix socket, and where the first admin token is written. */
  readonly socket: string;
  readonly tokenFile: string;
  readonly acceptLoss?: boolean;
  /** Plans may be applied over the API, by admins. Without it the API only shows them. */
  readonly mayApply?: boolean;
};

type Log = ReturnType<typeof makeLog>;

/** `sixgate controller`. Until SIGTERM or SIGINT, then 0; what is open stays open. SIGHUP reads the fleet file again. */
export async function controller(options: ControllerVerbOptions, terminal: Terminal): Promise<Exit> {
  const opened = await openFleet(options);
  const kind = requireLane(opened);
  const log = makeLog(opened.fleet.name);
  for (const warning of opened.warnings) log.warn(formatDiagnostic(warning).replaceAll("\n", " "));
  const stop = new AbortController();
  const ended = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
  void ended.then(() => stop.abort());
  // What waits for another controller's end has nothing else that keeps the process alive.
  const alive = setInterval(() => undefined, 60_000);
  const { state: folder, acceptLoss = false } = options;
  const state = await openState({ folder, clock: systemClock, acceptLoss });
  for (const lost of state.losses) log.error(`Accepted as lost: ${printable(lost)}`);
  try {
    await pageThere((line) => log.info(line));
    const authority = await openAuthority(folder, () => systemClock.now());
    const running = await run({ opened, kind, state, authority, log }, stop.signal);
    const served = await serve(options, { opened, state, authority, log }, running);
    const onHangUp = (): void => void reload(options, running, log);
    process.on("SIGHUP", onHangUp);
    log.info(
      `sixgate ${version}, controller of ${opened.fleet.name}, agents on port ${running.inbox?.port ?? "none"}, API on ${served.api.urls.join(" and ")}`,
    );
    if (served.api.first) await firstLink(options, terminal, (line) => log.info(line));
    const reason = await Promise.race([ended, running.lost]);
    log.info(`${typeof reason === "string" ? reason : reason.message}: the controller stops, what is open stays open`);
    process.off("SIGHUP", onHangUp);
    served.stop();
    await served.api.close();
    await running.stop();
    if (typeof reason !== "string") throw reason;
    return exit.fine;
  } finally {
    clearInterval(alive);
    await state.end();
  }
}

type Parts = {
  readonly opened: Opened;
  readonly state: ControllerState;
  readonly authority: Authority;
  readonly log: Log;
};

async function run(
  { opened, kind, state, authority, log }: Parts & { readonly kind: LaneKind },
  signal: AbortSignal,
): Promise<RunningController> {
  const way = await wayTo(opened);
  const { fleet, plan, ledger } = opened;
  // Without one on the hosts' link, where the gateway has many addresses.
  const address = controllerAddress(fleet);
  return await startController(
    {
      basis: { fleet, plan, ledger },
      state,
      authority,
      clock: systemClock,
      version,
      log,
      lane: (basis: Basis) => lazyLane((until) => kind.open(way, deriveFilter(basis.fleet, basis.plan), until)),
      ...(kind.watchDenied === undefined
        ? {}
        : { watchDenied: (listener) => kind.watchDenied?.(way, listener) ?? (() => undefined) }),
      inbox: {
        names: namesOf(opened),
        listen: {
          ...(address === undefined ? {} : { address }),
          ...(fleet.controller === undefined ? {} : { port: fleet.controller.agentPort }),
        },
      },
    },
    signal,
  );
}

/** The gateway's own kernel where it runs on it, its API where it runs beside it. */
async function wayTo({ fleet }: Opened): Promise<Way> {
  if (fleet.gateway.kind === "nftables") return localShell();
  const way = await gatewayWay(fleet.gateway);
  if (way !== undefined) return way;
  throw new Failure("E805", fleet.gateway.name, "No way to the gateway's API", "give gateway.api in the fleet file");
}

function namesOf({ fleet }: Opened): readonly string[] {
  const address = controllerAddress(fleet);
  return [fleet.gateway.name, ...(address === undefined ? [] : [address])];
}

async function serve(
  options: ControllerVerbOptions,
  { opened, state, authority, log }: Parts,
  running: RunningController,
): Promise<{ readonly api: Served; readonly stop: () => void }> {
  const { socket, tokenFile } = options;
  const { controller: served } = running;
  let api: Served | undefined;
  const clock = (): ReturnType<typeof systemClock.now> => systemClock.now();
  const identity = await keepServerIdentity(authority, namesOf(opened), clock, (pair) => api?.renew(pair));
  const tls = { key: identity.first.key, cert: identity.first.certificate };
  try {
    api = await serveApi({
      controller: served,
      store: state.store,
      listen: apiPlaces(opened.fleet, tls, socket),
      tokenFile,
      log: (event, fields) => log.event(event, fields),
      prove: proveBy(await wayTo(opened), () => served.basis()),
      planner: plannerFor({
        source: options,
        gateway: wayTo,
        mayApply: options.mayApply === true,
        applied: () => reload(options, running, log),
        now: clock,
      }),
    });
    return { api, stop: identity.stop };
  } catch (cause) {
    identity.stop();
    throw cause;
  }
}

/** A file that is wrong changes nothing. */
async function reload(options: ControllerVerbOptions, running: RunningController, log: Log): Promise<void> {
  try {
    const { fleet, plan, ledger, warnings } = await openFleet(options);
    for (const warning of warnings) log.warn(formatDiagnostic(warning).replaceAll("\n", " "));
    await running.reload({ fleet, plan, ledger });
  } catch (cause) {
    const texts = cause instanceof Refused ? cause.diagnostics.map(formatDiagnostic) : [String(cause)];
    for (const text of texts) log.error(printable(text));
    log.error("The fleet file was read again and is wrong: nothing was changed");
  }
}

function requireLane({ fleet, file }: Opened): LaneKind {
  if (fleet.controller === undefined)
    throw new Failure(
      "E954",
      file,
      "This fleet has no controller",
      "add `controller: {}` to the fleet file, then apply",
    );
  return lanes[fleet.gateway.kind];
}

/** One line of JSON each, written before the next thing happens: journald reads standard error. */
function makeLog(fleet: string): {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  event(name: string, fields: Readonly<Record<string, string | number>>): void;
} {
  const logger = pino(
    { base: { fleet }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (text) => logger.info(text),
    warn: (text) => logger.warn(text),
    error: (text) => logger.error(text),
    event: (name, fields) => logger.info(fields, name),
  };
}
