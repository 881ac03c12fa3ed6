import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Board } from "./board.ts";
import { connectController, showController } from "./connect.ts";
import { type Identity, readIdentity, writePair } from "./identity.ts";
import { type Counter, Link, type LinkEnd } from "./link.ts";
import type { AgentLog } from "./log.ts";
import { agentProtocol } from "./wire.ts";

export type ReportOptions = {
  readonly folder: string;
  readonly board: Board;
  readonly version: string;
  readonly log: AgentLog;
  /** Milliseconds until the second attempt; each further one waits twice as long, up to `slowest`. */
  readonly firstWait?: number;
};

const slowest = 30_000;
/** Where coming again at once would change nothing, but an operator may. */
const patient = 60_000;
/** A connection that held so long makes the next attempt a first one. */
const settled = 30_000;

const atOnce: readonly LinkEnd["reason"][] = ["renewed", "moved", "replaced"];
const inVain: readonly LinkEnd["reason"][] = [
  "clone",
  "replay",
  "malformed",
  "flood",
  "expired",
  "not-yet-valid",
  "unknown",
];

const fixes: Partial<Readonly<Record<LinkEnd["reason"], string>>> = {
  clone: "is this machine a copy of another one? Enrol it under a name of its own",
  expired: "enrol this host again, or set the clock",
  "not-yet-valid": "set the clock",
  unknown: "is this host in the fleet file, and enrolled with this controller?",
};

/**
 * Reports to the controller for as long as the process runs: connects, comes again when the connection ends, waits
 * longer each time, a little by chance so that a fleet doesn't come at one moment. The identity is read anew for each
 * attempt, so a host that is enrolled again needs no restart. Resolves when the signal says so; rejects with E928 when
 * the host was revoked.
 */
export async function reportAlways(options: ReportOptions, signal: AbortSignal): Promise<void> {
  const counter: Counter = { epoch: randomBytes(16).toString("hex"), sequence: 0 };
  let tries = 0;
  while (!signal.aborted) {
    const began = performance.now();
    const end = await reportOnce(options, counter, signal);
    if (signal.aborted) return;
    if (end.reason === "revoked") {
      throw new Failure(
        "E928",
        options.folder,
        `This host was revoked: ${end.text}`,
        "ask who did it; then enrol again",
      );
    }
    if (performance.now() - began > settled || atOnce.includes(end.reason)) tries = 0;
    const wait = waitFor(end, tries, options.firstWait ?? 500);
    tries++;
    say(options.log, end, wait);
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

function waitFor(end: LinkEnd, tries: number, first: number): number {
  if (atOnce.includes(end.reason) && tries === 0) return 100 * Math.random();
  const most = inVain.includes(end.reason) ? patient : Math.min(slowest, first * 2 ** Math.min(tries, 20));
  return most * (0.5 + Math.random() / 2);
}

function say(log: AgentLog, end: LinkEnd, wait: number): void {
  const text = printable(end.text);
  const fix = fixes[end.reason];
  const next = `next attempt in ${(wait / 1000).toFixed(1)} s`;
  if (end.reason === "renewed") log.info(text);
  else if (fix !== undefined) log.error(`${text}; fix: ${fix}; ${next}`);
  else log.warn(`${text}; ${next}`);
}

/** One connection, or the attempt at one. Never rejects: whatever is wrong may be put right while the agent runs. */
async function reportOnce(options: ReportOptions, counter: Counter, signal: AbortSignal): Promise<LinkEnd> {
  const { board, folder, log, version } = options;
  let identity: Identity;
  try {
    identity = await readIdentity(folder);
    const { controller, authority } = identity;
    log.info(`Connecting to ${printable(showController(controller))}`);
    const wish = { controller, protocol: agentProtocol, trust: { authority }, pair: identity };
    const socket = await connectController(wish, signal);
    const keep = (pair: { readonly key: string; readonly certificate: string }): Promise<void> =>
      writePair(folder, pair);
    const link = new Link({ socket, identity, board, counter, version, log, keep });
    const stop = (): void => link.close({ reason: "closed", text: "The agent stops" });
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await link.run();
    } finally {
      signal.removeEventListener("abort", stop);
    }
  } catch (error) {
    if (!(error instanceof Failure))
      return { reason: "lost", text: error instanceof Error ? error.message : String(error) };
    const { code, text, fix } = error.diagnostic;
    return { reason: code === "E923" || code === "E922" ? "unknown" : "lost", text: `${code} ${text}; ${fix}` };
  }
}
