import type { Address } from "../net/address.ts";
import { AddressOwners } from "./address-owners.ts";
import type { Attachment, ContainerSight, EngineEvent, NetworkSight } from "./sight.ts";

/** Steps of a counter: each event takes one when it arrives, each question when it is asked. */
export type Tick = number;

/**
 * When something was asked. The answer tells how things were at some moment after `began`, so it can't gainsay an event
 * that came after that. And an engine's list lags behind its own events: where one ended something, the list may call
 * it alive for a moment longer (measured: 10 ms, Docker 20.10). So what an event ended, a list brings back only when
 * that event came before `quiet`, a moment well before the question.
 */
export type Asked = { readonly began: Tick; readonly quiet: Tick };

/** One attachment. It is kept after its end, so that an answer from before can't bring it back. */
type Attached = {
  network: string;
  address: Address | undefined;
  /** When it came to be, as far as that is known; of two with one address the later owns it. */
  since: Tick;
  connected: Tick;
  disconnected: Tick;
};

type Known = {
  readonly id: string;
  sight: ContainerSight | undefined;
  running: boolean;
  /** The last `start`, the last `start` or `connect`, and the last `die` or `destroy`. */
  started: Tick;
  added: Tick;
  removed: Tick;
  /** By network id. */
  readonly attached: Map<string, Attached>;
};

/** What one container is, for a report. */
export type View = {
  readonly sight: ContainerSight;
  readonly state: "starting" | "running" | "paused";
  readonly endpoints: readonly ViewEndpoint[];
};

type ViewEndpoint = { readonly networkId: string; readonly network: string; readonly address: Address };

/** What is to be asked now, and in a while, and whose report may have changed. Emptied by who uses it. */
export class WatchNews {
  readonly look = new Set<string>();
  /** After a while, when the engine's list has caught up. */
  readonly later = new Set<string>();
  readonly networks = new Set<string>();
  readonly touched = new Set<string>();
}

const never: Tick = -1;

/**
 * All that is known of an engine's containers, from events and answers in whatever order they come. Nothing in here
 * touches the world: it is told, and says what it wants to know. An event is a hint: it ends at once what it says has
 * ended, and what it says has begun is asked for. What was lost or came late, the next full listing puts right.
 */
export class WatchState {
  readonly news: WatchNews = new WatchNews();
  readonly #known = new Map<string, Known>();
  readonly #owners = new AddressOwners();
  /** Networks without IPv6 have nothing to tell. */
  readonly #without6 = new Set<string>();
  #listing: Tick = never;

  event(event: EngineEvent, tick: Tick): void {
    const known = this.#of(event.container);
    this.news.touched.add(known.id);
    switch (event.action) {
      case "start":
        known.started = tick;
        known.added = tick;
        known.running = true;
        return void this.news.look.add(known.id);
      case "die":
      case "destroy":
        return this.#gone(known, tick);
      case "connect":
        return this.#connect(known, event.network ?? "", tick);
      case "disconnect":
        return this.#disconnect(known, event.network ?? "", tick);
      case "pause":
      case "unpause":
      case "rename":
        return void this.news.look.add(known.id);
    }
  }

  /** The answer for these ids; those without a sight are not there. */
  looked(ids: readonly string[], sights: readonly ContainerSight[], asked: Asked): void {
    const found = new Map(sights.map((sight) => [sight.id, sight]));
    for (const id of ids) {
      const sight = found.get(id);
      if (sight === undefined) this.#absent(this.#of(id), asked);
      else this.#absorb(this.#of(id), sight, asked);
    }
  }

  /** All containers that ran or were paused. Never call it with a part of them. */
  listed(sights: readonly ContainerSight[], asked: Asked): void {
    const found = new Map(sights.map((sight) => [sight.id, sight]));
    for (const [id, known] of this.#known) {
      if (found.has(id)) continue;
      // Of one that doesn't run the list says nothing: it may be about to start.
      if (known.running) this.#absent(known, asked);
      else if (isAttached(known)) this.news.look.add(id);
      // No answer is under way that is as old as the listing before this one.
      const old = Math.max(known.removed, known.added) < this.#listing;
      if (old && !known.running && !isAttached(known)) this.#known.delete(id);
    }
    for (const [id, sight] of found) this.#absorb(this.#of(id), sight, asked);
    this.#listing = asked.began;
  }

  /** The answer for a network; undefined: there is no such network. Unlike the list it never lags. */
  network(id: string, sight: NetworkSight | undefined, asked: Asked): void {
    if (sight !== undefined && !sight.ipv6) this.#without6.add(id);
    const members = sight?.members ?? new Map<string, Address>();
    for (const [container, address] of members) {
      const known = this.#of(container);
      const ended = endOf(known, id);
      if (ended > asked.began) this.#ask(id);
      // A dead container is a member until it is disconnected (20.10), which is no news of it.
      else if (attachedOf(known, id).connected > ended || asked.quiet >= ended)
        this.#attach(known, id, { network: sight?.name ?? "", address }, asked);
      if (known.sight === undefined) this.news.look.add(container);
    }
    for (const known of this.#known.values()) {
      const attached = known.attached.get(id);
      if (attached === undefined || members.has(known.id)) continue;
      if (attached.connected > asked.began) this.#ask(id);
      else this.#clear(known, id, attached);
    }
  }

  /** What is to be reported of a container; undefined where it has no part in anything. */
  view(id: string): View | undefined {
    const known = this.#known.get(id);
    if (known?.sight === undefined) return undefined;
    const endpoints: ViewEndpoint[] = [];
    for (const [networkId, { network, address }] of known.attached) {
      if (address !== undefined && this.#owners.owns(address, id, networkId))
        endpoints.push({ networkId, network, address });
    }
    if (!known.running && endpoints.length === 0) return undefined;
    const state = !known.running ? "starting" : known.sight.status === "paused" ? "paused" : "running";
    return { sight: known.sight, state, endpoints: endpoints.sort(byNetwork) };
  }

  /** All that are known of, for a report or not. */
  ids(): Iterable<string> {
    return this.#known.keys();
  }

  /** The id of the container that a name, or the beginning of an id, means. */
  idOf(nameOrId: string): string | undefined {
    if (this.#known.has(nameOrId)) return nameOrId;
    for (const [id, { sight }] of this.#known) if (sight?.name === nameOrId || id.startsWith(nameOrId)) return id;
    return undefined;
  }

  #of(id: string): Known {
    let known = this.#known.get(id);
    if (known === undefined) {
      const ticks = { started: never, added: never, removed: never };
      known = { id, sight: undefined, running: false, ...ticks, attached: new Map() };
      this.#known.set(id, known);
    }
    return known;
  }

  #connect(known: Known, networkId: string, tick: Tick): void {
    const attached = attachedOf(known, networkId);
    known.added = tick;
    attached.connected = tick;
    attached.since = tick;
    // An answer was quicker than the event.
    if (attached.address !== undefined) this.#touchAll(this.#owners.add(attached.address, known.id, networkId, tick));
    this.#ask(networkId);
    // Its labels; of its address the list knows nothing before the start.
    if (known.sight === undefined || known.running) this.news.look.add(known.id);
  }

  #disconnect(known: Known, networkId: string, tick: Tick): void {
    const attached = attachedOf(known, networkId);
    attached.disconnected = tick;
    this.#clear(known, networkId, attached);
  }

  /** It does not run, and has no address. What is known of it stays for a while, against answers from before. */
  #gone(known: Known, tick: Tick): void {
    known.removed = Math.max(known.removed, tick);
    known.running = false;
    this.news.touched.add(known.id);
    for (const [networkId, attached] of known.attached) this.#clear(known, networkId, attached);
  }

  #absent(known: Known, asked: Asked): void {
    if (known.added > asked.began) this.news.look.add(known.id);
    else this.#gone(known, asked.began);
  }

  #absorb(known: Known, sight: ContainerSight, asked: Asked): void {
    known.sight = sight;
    this.news.touched.add(known.id);
    if (sight.status === "stopped") {
      if (known.running && known.started > asked.began) return void this.news.look.add(known.id);
      known.running = false;
      // Before the start the list knows no address: only the network knows whether it is attached.
      for (const [networkId, attached] of known.attached) if (attached.address !== undefined) this.#ask(networkId);
      return;
    }
    if (!believed(known.started, known.removed, asked)) return this.#doubt(known, known.removed, asked);
    known.running = true;
    for (const [networkId, attachment] of sight.attachments) {
      const ended = endOf(known, networkId);
      const begun = Math.max(known.started, attachedOf(known, networkId).connected);
      if (believed(begun, ended, asked)) this.#attach(known, networkId, attachment, asked);
      else this.#doubt(known, ended, asked);
    }
    for (const [networkId, attached] of known.attached) {
      if (attached.address === undefined || sight.attachments.has(networkId)) continue;
      if (attached.connected > asked.began) this.news.look.add(known.id);
      else this.#clear(known, networkId, attached);
    }
  }

  /** A list called something alive that an event had ended: ask again, at once only where the question was older. */
  #doubt(known: Known, ended: Tick, asked: Asked): void {
    (ended > asked.began && known.added > ended ? this.news.look : this.news.later).add(known.id);
  }

  #ask(networkId: string): void {
    if (!this.#without6.has(networkId)) this.news.networks.add(networkId);
  }

  #attach(known: Known, networkId: string, { network, address }: Attachment, asked: Asked): void {
    const attached = attachedOf(known, networkId);
    if (attached.address === undefined && attached.since <= endOf(known, networkId)) attached.since = asked.began;
    if (attached.address !== address) {
      this.#clear(known, networkId, attached);
      attached.address = address;
      this.#touchAll(this.#owners.add(address, known.id, networkId, attached.since));
    }
    attached.network = network;
    this.news.touched.add(known.id);
  }

  #clear(known: Known, networkId: string, attached: Attached): void {
    if (attached.address === undefined) return;
    this.#touchAll(this.#owners.remove(attached.address, known.id, networkId));
    attached.address = undefined;
    this.news.touched.add(known.id);
  }

  #touchAll(ids: Iterable<string>): void {
    for (const id of ids) this.news.touched.add(id);
  }
}

/** Whether a list is right that something is alive: an event ended it long ago or never, or another began it anew. */
function believed(begun: Tick, ended: Tick, asked: Asked): boolean {
  return asked.quiet >= ended || (begun > ended && asked.began > begun);
}

/** When an attachment was last said to have ended. */
function endOf(known: Known, networkId: string): Tick {
  return Math.max(known.removed, known.attached.get(networkId)?.disconnected ?? never);
}

function attachedOf(known: Known, networkId: string): Attached {
  let attached = known.attached.get(networkId);
  if (attached === undefined) {
    attached = { network: "", address: undefined, since: never, connected: never, disconnected: never };
    known.attached.set(networkId, attached);
  }
  return attached;
}

function isAttached(known: Known): boolean {
  return known.attached.values().some((attached) => attached.address !== undefined);
}

function byNetwork(a: ViewEndpoint, b: ViewEndpoint): number {
  if (a.network !== b.network) return a.network < b.network ? -1 : 1;
  return a.networkId < b.networkId ? -1 : a.networkId > b.networkId ? 1 : 0;
}
