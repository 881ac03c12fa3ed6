import { printable } from "../base/printable.ts";
import type { Core } from "./core.ts";
import { openingId } from "./opening-id.ts";
import { isOver } from "./people.ts";
import { type AgentRecord, agentPrefix, readAgents } from "./trust-records.ts";

/** Milliseconds between two rounds; rounds between two anchors, and between two clearings-up. */
const every = { round: 1000, anchor: 60, clearing: 3600 };
/** By so many milliseconds the time of day may differ from what has passed until somebody has set the clock. */
const jump = 5000;

/**
 * What has to be done from time to time: ends what is over, closes hosts that were silent for too long, notices that the
 * clock was set, ties store and journal together. Runs until it is called off.
 */
export function keepDuties(core: Core): () => Promise<void> {
  const { clock } = core;
  let reference = clock.now() - clock.steady();
  let rounds = 0;
  let isOff = false;
  let busy: Promise<void> = Promise.resolve();
  let callOff = clock.after(every.round, next);

  function next(): void {
    busy = round().catch((cause: unknown) => core.log.error(`A round failed: ${printable(String(cause))}`));
    void busy.finally(() => {
      if (!isOff) callOff = clock.after(every.round, next);
    });
  }
  async function round(): Promise<void> {
    rounds++;
    const by = clock.now() - clock.steady() - reference;
    reference += by;
    if (Math.abs(by) > jump) await shift(core, by);
    core.book.expire(clock.now());
    await endWishes(core);
    expireHosts(core);
    core.tellAgents();
    await lookAtJournal(core);
    if (rounds % every.clearing === 0) {
      core.sightings.prune(clock.now());
      await core.sightings.save();
    }
    if (rounds % every.anchor === 0 && core.state.journal.failing() === undefined) await core.state.anchor();
  }
  return async () => {
    isOff = true;
    callOff();
    await busy;
  };
}

/** Leases go on as long as they were to, by the new time of day. */
async function shift(core: Core, by: number): Promise<void> {
  const { journal } = core.state;
  journal.append("controller", "clock-set", { milliseconds: by });
  core.log.warn(`The clock was set by ${Math.round(by / 1000)} s; openings go on as long as they were to`);
  core.sightings.shift(by);
  core.book.shift(by, core.clock.now());
  await core.people.shift([...core.book.books()].flatMap((host) => [...host.wishes()]));
  await core.sightings.save();
}

/** The kernel has ended them by itself; this tells it, cuts what still flows, and forgets them. */
async function endWishes(core: Core): Promise<void> {
  const over = core.people.all().filter((wish) => isOver(wish, core.clock.now()));
  if (over.length === 0) return;
  for (const { granted } of over) {
    if (!core.register.isOpen(granted.request.key))
      core.state.journal.append("controller", "ended", { id: openingId(granted.request.key), to: granted.request.to });
    else core.reasons.set(granted.request.key, "its time has passed");
    core.book.unwish(granted, core.clock.now());
  }
  await core.people.remove(over.map(({ granted }) => granted.request.key));
}

/** Nobody heard of them for `policy.staleAfter`: their openings end, and come back with the next snapshot. */
function expireHosts(core: Core): void {
  if (!core.isAdopted) return;
  const limit = core.book.rules.policy.staleAfter * 1000;
  for (const host of new Set([...core.book.heldHosts(), ...core.book.completeHosts()])) {
    if (core.book.isStale(host) || core.roll.silence(host) < limit) continue;
    const closed = core.book.expireHost(host);
    const text = `No sign of life for ${Math.round(core.roll.silence(host) / 1000)} s: ${closed.length} addresses closed`;
    core.announcer.alarm(host, "stale", text);
  }
}

/** What waited for the journal's disk may go on; what can't be written down is said. */
async function lookAtJournal(core: Core): Promise<void> {
  const { journal } = core.state;
  const before = core.isJournalFailing;
  const failure = journal.failing();
  core.isJournalFailing = failure !== undefined;
  if (failure !== undefined && !before) core.log.error(`${failure.message}: nothing new is opened until it can`);
  if (failure === undefined && before) {
    core.log.info("The journal can be written again");
    core.writer.resume();
  }
}

/** Who was enrolled, came with a new key, or was revoked: told once the store has it, by whoever did it. */
export async function followEnrolments(core: Core, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await followOnce(core, signal);
    } catch (cause) {
      core.log.error(`Enrolments could not be followed: ${printable(String(cause))}`);
      await new Promise<void>((resolve) => void core.clock.after(every.round, resolve));
    }
  }
}

async function followOnce(core: Core, signal: AbortSignal): Promise<void> {
  const { store } = core.state;
  const revision = await store.commit([]);
  tellEnrolments(core, await readAgents(store));
  for await (const { key } of store.watch(revision, signal))
    if (key.startsWith(agentPrefix)) tellEnrolments(core, await readAgents(store));
}

function tellEnrolments(core: Core, records: readonly AgentRecord[]): void {
  for (const { before, after } of core.roll.setRecords(records)) {
    const isSameKeyring = before?.enrolled === after.enrolled;
    const what = after.revoked !== undefined ? "revoked" : isSameKeyring ? "renewed" : "enrolled";
    const { host, serial, generation, ends } = after;
    core.state.journal.append(`agent ${host}`, what, { serial, generation, ends });
    if (what !== "renewed") core.log.info(`${host}: ${what}`);
  }
}
