import { randomUUID } from "node:crypto";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import type { Denied, MembersLane } from "../drivers/members-lane.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ControllerLog } from "./announcer.ts";
import type { Authority } from "./authority.ts";
import type { Basis, Controller } from "./controller.ts";
import { controllerOver } from "./controller-over.ts";
import { Core } from "./core.ts";
import { followEnrolments, keepDuties } from "./duties.ts";
import { Enrolment } from "./enrolment.ts";
import { type Inbox, startInbox } from "./inbox.ts";
import { reportSink } from "./report-intake.ts";
import type { ReportSink } from "./report-sink.ts";
import type { ControllerState } from "./state.ts";
import { takeWriterLease, type WriterLease } from "./writer-lease.ts";

export type ControllerOptions = {
  readonly basis: Basis;
  readonly state: ControllerState;
  readonly lane: (basis: Basis) => MembersLane;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly log: ControllerLog;
  readonly version: string;
  /** Tells of packets that the gateway drops, until what it gives is called; absent where nobody can. May throw. */
  readonly watchDenied?: (listener: (denied: readonly Denied[]) => void) => () => void;
  /** Where agents reach it; absent: nowhere, for tests that report by themselves. */
  readonly inbox?: {
    readonly names: readonly string[];
    readonly listen: { readonly address?: string; readonly port?: number };
  };
};

export type RunningController = {
  readonly controller: Controller;
  /** Where reports go; the inbox's. */
  readonly sink: ReportSink;
  readonly inbox: Inbox | undefined;
  /** Resolves once the gateway was read for the first time. Until then nothing is written to it. */
  readonly adopted: Promise<void>;
  /** Resolves when another controller has the right to write: this one writes nothing any more, and should end. */
  readonly lost: Promise<Failure>;
  /** Another fleet file is in force. */
  reload(basis: Basis): Promise<void>;
  /** Resolves when all that is known now is in force, or can't be. */
  settled(): Promise<void>;
  /** Stops listening and writing. What is open stays open. Ends the lane; the state is its owner's to end. */
  stop(): Promise<void>;
};

/** Milliseconds between two tries to read a gateway that could not be read yet: at first, and at most. */
const adoptAgain = { first: 500, longest: 30_000 };

/**
 * Starts a controller: waits until it is the one that may write, loads what is kept, takes over what the gateway holds,
 * and listens for agents. A gateway that can't be read is tried again; meanwhile nothing is written to it.
 */
export async function startController(options: ControllerOptions, signal?: AbortSignal): Promise<RunningController> {
  const { state, clock, log, basis } = options;
  let lose: (failure: Failure) => void = () => undefined;
  const lost = new Promise<Failure>((resolve) => {
    lose = resolve;
  });
  const other = "Another controller writes to the gateway";
  const lease = await takeWriterLease(
    {
      store: state.store,
      clock,
      holder: randomUUID(),
      waits: () => log.warn(`${other}: this one waits until it has ended`),
      lost: () => lose(new Failure("E946", basis.fleet.name, other, "end one of them")),
    },
    signal,
  );
  const core = new Core({ basis, state, lane: options.lane, isWriter: () => lease.isOurs(), clock, log });
  await core.load();
  state.journal.append("controller", "started", {
    version: options.version,
    epoch: lease.epoch,
    revision: await state.store.commit([]),
  });
  await state.journal.flush().catch((cause: unknown) => log.error(printable(String(cause))));
  return await tied(options, core, lease, lost);
}

/** Everything that goes on beside the core, from here to `stop`. */
async function tied(
  options: ControllerOptions,
  core: Core,
  lease: WriterLease,
  lost: Promise<Failure>,
): Promise<RunningController> {
  const { state, clock, log } = options;
  const enrolment = new Enrolment({ authority: options.authority, store: state.store, clock: () => clock.now() });
  const end = new AbortController();
  await core.loadAgents();
  const following = followEnrolments(core, end.signal);
  const sink = reportSink(core);
  const adopted = adopt(core, end.signal);
  const endDenied = watchDenied(options, core);
  const endDuties = keepDuties(core);
  let inbox: Inbox | undefined;
  async function stop(): Promise<void> {
    await inbox?.stop();
    end.abort();
    endDenied();
    await endDuties();
    await core.writer.stop();
    await following;
    state.journal.append("controller", "stopped");
    await lease.end();
    await core.lane.end();
  }
  try {
    inbox = await startOptionalInbox(options, core, enrolment, sink);
  } catch (cause) {
    await stop();
    throw cause;
  }
  return {
    controller: controllerOver(core, enrolment, options.version),
    sink,
    inbox,
    adopted,
    lost,
    async reload(next) {
      await core.rebase(next);
      inbox?.moved();
      state.journal.append("controller", "reloaded", { fleet: next.fleet.name });
      log.info("The fleet file was read again and is in force");
    },
    settled: () => core.writer.settled(),
    stop,
  };
}

async function startOptionalInbox(
  { inbox, authority, clock, log }: ControllerOptions,
  core: Core,
  enrolment: Enrolment,
  sink: ReportSink,
): Promise<Inbox | undefined> {
  if (inbox === undefined) return undefined;
  return await startInbox({
    ...inbox,
    authority,
    enrolment,
    sink,
    blockOf: (host: HostName) => core.book.rules.hosts.get(host)?.block,
    clock: () => clock.now(),
    log: (level, text) => log[level](text),
  });
}

/** For people to see, and nothing depends on it: where it can't be had it is said once. */
function watchDenied({ watchDenied: watch, log }: ControllerOptions, core: Core): () => void {
  try {
    return watch?.((denied) => core.announcer.denied(denied)) ?? (() => undefined);
  } catch (cause) {
    log.warn(`Dropped packets are not told: ${printable(cause instanceof Error ? cause.message : String(cause))}`);
    return () => undefined;
  }
}

/** Until it was read once: a gateway that is away when the controller starts is no reason to end. */
async function adopt(core: Core, signal: AbortSignal): Promise<void> {
  for (let wait = adoptAgain.first; !signal.aborted; wait = Math.min(adoptAgain.longest, wait * 2)) {
    try {
      await core.adopt();
      return;
    } catch (cause) {
      core.notAdopted(cause);
    }
    await new Promise<void>((resolve) => {
      const callOff = core.clock.after(wait, resolve);
      signal.addEventListener(
        "abort",
        () => {
          callOff();
          resolve();
        },
        { once: true },
      );
    });
  }
}
