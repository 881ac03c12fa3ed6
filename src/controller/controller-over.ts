import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { suggestionsOf } from "../openings/suggestions.ts";
import type { Controller, OpeningView, OpenWish, Person, Status, SuggestionView } from "./controller.ts";
import type { Core } from "./core.ts";
import type { Enrolment } from "./enrolment.ts";
import { openingId } from "./opening-id.ts";
import { heldView } from "./opening-register.ts";
import { grantWish, requireAdmin, requireOperator, requireReason, type Wish } from "./people.ts";
import { markOf } from "./state.ts";

/** Milliseconds that a person waits for the gateway. */
const patience = 15_000;

/** What the API, the page and the command line see of a running controller. */
export function controllerOver(core: Core, enrolment: Enrolment, version: string): Controller {
  const { book, register, refusals, announcer } = core;
  const { journal } = core.state;
  const hostsOf = (host: HostName | undefined): readonly HostName[] => (host === undefined ? core.hosts() : [host]);
  return {
    status: () => statusOf(core, version),
    basis: () => core.basis,
    hosts: () => core.hosts(),
    openings: (host) => hostsOf(host).flatMap((each) => openingsOf(core, each)),
    opening: (id) => register.byId(id) ?? staticById(core, id) ?? heldById(core, id),
    refusals: (host) => hostsOf(host).flatMap((each) => refusals.ofHost(each)),
    suggestions: (host) => hostsOf(host).flatMap((each) => suggestionsOn(core, each)),
    containers: (host) => [...(book.find(host)?.containers() ?? [])].map(({ report }) => report),
    agents: () => core.hosts().map((host) => core.agent(host)),
    inForce: (to, signal) => core.lane.readAt(to, signal),
    counts: async (hosts, signal) => await core.lane.counts?.(hosts, signal),
    open: (by, wish) => open(core, by, wish),
    close: (by, id, reason) => close(core, by, id, reason),
    async invite(by, host) {
      requireAdmin(by, "invite an agent");
      requireHost(core, host);
      const token = await enrolment.invite(host);
      journal.append(by.name, "invited", { host, ends: token.ends });
      await journal.flush();
      return token;
    },
    async revoke(by, host, text) {
      requireAdmin(by, "revoke an agent");
      const reason = requireReason(text);
      journal.append(by.name, "revoke", { host, reason });
      await journal.flush();
      // Who is revoked may have been taken over: what it had opened is not left open.
      core.revoked.add(host);
      book.expireHost(host);
      await enrolment.revoke(host, reason);
    },
    journal: (after, most) => journal.read(after, most),
    async note(by, what, detail) {
      journal.append(by.name, what, detail);
      await journal.flush();
    },
    verifyJournal: () => journal.verify(),
    watch: (listener) => announcer.watch(listener),
  };
}

function statusOf(core: Core, version: string): Status {
  const { book, register, refusals, writer, latency } = core;
  const agents = core.hosts().map((host) => core.agent(host).state);
  const { sequence, hash } = core.state.journal.head();
  const failure = core.failure();
  return {
    fleet: core.basis.fleet.name,
    version,
    started: core.started,
    complete: core.isAdopted && book.heldHosts().length === 0,
    gateway: {
      reached: core.isAdopted && writer.failing() === undefined,
      drift: core.drift,
      ...(failure === undefined ? {} : { error: failure.message }),
    },
    openings: register.size + book.heldCount + core.statics().length,
    refusals: refusals.size,
    agents: { all: agents.length, connected: agents.filter((state) => state === "connected").length },
    journal: { entries: sequence, head: hash },
    latency: latency.summary(),
  };
}

function openingsOf(core: Core, host: HostName): readonly OpeningView[] {
  const known = core.register.ofHost(host);
  const ids = new Set(known.map((each) => `${each.to} ${JSON.stringify(each.service)}`));
  const held: OpeningView[] = [];
  for (const [to, services] of core.book.held(host)) {
    for (const each of services) {
      if (ids.has(`${to} ${JSON.stringify(each.service)}`)) continue;
      held.push(heldView({ host, to, ...each }, core.started));
    }
  }
  return [...core.statics(host).map((each) => core.named(each)), ...known, ...held];
}

function staticById(core: Core, id: string): OpeningView | undefined {
  const found = core.statics().find((each) => each.id === id);
  return found === undefined ? undefined : core.named(found);
}

function heldById(core: Core, id: string): OpeningView | undefined {
  for (const host of core.book.heldHosts()) {
    const found = openingsOf(core, host).find((each) => each.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

function suggestionsOn(core: Core, host: HostName): readonly SuggestionView[] {
  const found = core.book.find(host);
  if (found === undefined) return [];
  const { trustImages } = core.book.rules.policy;
  return [...found.containers()].flatMap(({ report }) =>
    suggestionsOf(report, found.directory, trustImages).map((each) => ({
      ...each,
      host,
      container: { id: report.id, name: report.name },
    })),
  );
}

function requireHost(core: Core, host: HostName): void {
  if (!core.basis.fleet.hosts.has(host))
    throw new Failure("E948", host, "No such host in the fleet file", "look at `sixgate addr`");
}

/** Written down, kept, in force, written down again: who gets an answer can rely on all of it. */
async function open(core: Core, by: Person, wish: OpenWish): Promise<readonly OpeningView[]> {
  const { book, people, roll, clock } = core;
  const { journal } = core.state;
  if (!core.isAdopted) throw core.failure() ?? new Failure("E950", "gateway", "It was not read yet", "try again");
  const now = clock.now();
  const wishes = grantWish({ book, isEnrolled: (host) => roll.isEnrolled(host) }, by, wish, now);
  const keys = wishes.map(({ granted }) => granted.request.key);
  const ids = keys.map(openingId);
  const { reason, granted: first } = wishes[0] as Wish;
  journal.append(by.name, "open", { ids, to: wish.to, reason, ends: first.ends });
  await journal.flush();
  const revision = await people.add(wishes, [markOf(journal)]);
  try {
    const waiting = core.whenOpen(keys, patience);
    for (const { granted } of wishes) book.wish(granted, now);
    await waiting;
  } catch (cause) {
    for (const { granted } of wishes) {
      core.reasons.set(granted.request.key, "it could not be opened in time");
      book.unwish(granted, clock.now());
    }
    journal.append(by.name, "open-failed", { ids, why: String(cause) });
    await people.remove(keys);
    throw cause;
  }
  journal.append(by.name, "open-done", { ids, revision });
  await journal.flush();
  return ids.flatMap((id) => core.register.byId(id) ?? []);
}

/** Resolves when it is closed, or when the gateway does not answer: it is kept in mind then, and closed when it does. */
async function close(core: Core, by: Person, id: string, text: string): Promise<void> {
  requireOperator(by, "close");
  const reason = requireReason(text);
  const wish = core.people.all().find(({ granted }) => openingId(granted.request.key) === id);
  if (wish === undefined) {
    const view = core.register.byId(id);
    const [what, fix] =
      view === undefined
        ? ["There is no opening of this id", "look at `sixgate openings`"]
        : ["A label asks for it", "remove the label, stop the container, or change the policy"];
    throw new Failure("E949", id, what, fix);
  }
  const { granted } = wish;
  const { key } = granted.request;
  core.state.journal.append(by.name, "close", { id, reason });
  await core.state.journal.flush();
  const revision = await core.people.remove([key], [markOf(core.state.journal)]);
  core.reasons.set(key, `${by.name}: ${reason}`);
  core.book.unwish(granted, core.clock.now());
  await core.writer.settled();
  if (core.register.isOpen(key))
    throw core.failure() ?? new Failure("E950", "gateway", "It is not closed yet", "it is tried again");
  core.reasons.delete(key);
  core.state.journal.append(by.name, "close-done", { id, revision });
  await core.state.journal.flush();
}
