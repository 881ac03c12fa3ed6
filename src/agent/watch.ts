import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { ContainerReport } from "../openings/container-report.ts";
import { Asking } from "./asking.ts";
import type { Board } from "./board.ts";
import type { EngineClient } from "./engine-client.ts";
import { ImageShelf } from "./image-shelf.ts";
import type { AgentLog } from "./log.ts";
import { Past } from "./past.ts";
import { reportOf } from "./report.ts";
import type { EngineEvent } from "./sight.ts";
import { type Asked, type Tick, WatchState } from "./watch-state.ts";

export type WatchOptions = {
  readonly client: EngineClient;
  readonly board: Board;
  readonly log: AgentLog;
  /** Milliseconds between full listings; 30,000 by default. */
  readonly relist?: number;
};

const standardRelist = 30_000;
/** How far back a stream begins, before the last event that was heard: the engine's seams overlap by no more. */
const overlap = 2_000;
const remembered = 4_096;
const firstWait = 100;
const longestWait = 10_000;
/** An engine keeps 1,024 events for a reader that is slow, then drops what comes. */
const burstEvents = 512;
/** Milliseconds without an event that end a burst. */
const calm = 1_000;
/** Milliseconds by which an engine's list may lag behind its events; 10 were seen. */
const lag = 2_000;
/** Milliseconds between events of one container that are one story, for the time that its report is said to be of. */
const story = 5_000;
const looksAtOnce = 64;
const endings: ReadonlySet<EngineEvent["action"]> = new Set(["die", "destroy", "disconnect"]);

/**
 * Keeps the board true to the engine for as long as it runs: events, then a full listing, then what events tell, and
 * a full listing again at times. When the engine goes away the board stays as it was, until it can be listed again.
 * Resolves when the signal says so; never rejects.
 */
export async function watchEngine(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const watch = new Watch(options);
  let tries = 0;
  while (!signal.aborted) {
    try {
      await watch.run(signal);
      if (signal.aborted) return;
      options.log.warn("Docker's stream of events ended");
    } catch (error) {
      if (signal.aborted) return;
      options.log.warn(error instanceof Error ? error.message : String(error));
    }
    if (watch.listed) tries = 0;
    const wait = Math.min(longestWait, firstWait * 2 ** Math.min(tries, 20)) * (0.5 + Math.random() / 2);
    tries++;
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

type Asks = { readonly look: Asking; readonly networks: Asking; readonly images: Asking };

/** One engine as it is known, over all its streams. */
class Watch {
  readonly #options: WatchOptions;
  readonly #state = new WatchState();
  readonly #images: ImageShelf;
  readonly #heard = new Set<string>();
  /** By container: when the event behind what is asked now happened. */
  readonly #eventAt = new Map<string, { readonly at: number; readonly ends: boolean }>();
  #last: number | undefined;
  #tick = 0;
  readonly #past = new Past();
  #complete = false;
  /** Since this stream was opened. */
  listed = false;
  #settling = false;
  #burst = 0;
  #asks: Asks | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#images = new ImageShelf(options.client, options.log);
  }

  /** From the opening of one stream to its end. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, board } = this.#options;
    const over = new AbortController();
    const ends = AbortSignal.any([signal, over.signal]);
    board.know(await client.greet(ends));
    const asks = this.#asking(ends);
    this.#asks = asks;
    this.listed = false;
    try {
      await new Promise<void>((resolve, reject) => {
        const since = this.#last === undefined ? undefined : this.#last - overlap;
        // Not before: what happens between a list and the stream would be lost.
        const opened = (): void => void this.#listAlways(ends).catch(reject);
        client.events(since, (event) => this.#hear(event), opened, ends).then(resolve, reject);
      });
    } finally {
      over.abort();
      for (const each of [asks.look, asks.networks, asks.images]) each.end();
      this.#asks = undefined;
    }
  }

  #asking(signal: AbortSignal): Asks {
    const { client, log } = this.#options;
    const failed = (error: unknown): void => {
      if (!signal.aborted) log.warn(error instanceof Error ? error.message : String(error));
    };
    const look = async (ids: readonly string[]): Promise<void> => {
      const asked = this.#ask();
      this.#state.looked(ids, await client.containers(ids, signal), asked);
      this.#settle();
    };
    const network = async (id: string): Promise<void> => {
      const asked = this.#ask();
      this.#state.network(id, await client.network(id, signal), asked);
      this.#settle();
    };
    const image = async (id: string): Promise<void> => {
      for (const waiter of await this.#images.fetch(id, signal)) this.#state.news.touched.add(waiter);
      this.#settle();
    };
    const each = (one: (id: string) => Promise<void>) => async (ids: readonly string[]) => {
      await Promise.all(ids.map(one));
    };
    return {
      look: new Asking({ ask: look, most: looksAtOnce, failed }),
      networks: new Asking({ ask: each(network), most: 2, failed }),
      images: new Asking({ ask: each(image), most: 2, failed }),
    };
  }

  #next(): Tick {
    this.#tick++;
    this.#past.note(this.#tick, performance.now());
    return this.#tick;
  }

  #ask(): Asked {
    const began = this.#next();
    return { began, quiet: this.#past.at(performance.now() - lag) };
  }

  /** Rejects where the engine can't be listed: then the stream is begun anew, too. */
  async #listAlways(signal: AbortSignal): Promise<void> {
    const { client, relist = standardRelist } = this.#options;
    for (;;) {
      const asked = this.#ask();
      this.#state.listed(await client.containers("running", signal), asked);
      this.#complete = true;
      this.listed = true;
      this.#settle();
      this.#burst = 0;
      this.#outdate();
      const due = performance.now() + relist;
      while (performance.now() < due) {
        const before = this.#burst;
        await sleep(Math.min(calm, Math.max(1, due - performance.now())), undefined, { signal });
        // When more came than an engine keeps for a slow reader it may have dropped some, and says nothing.
        if (this.#burst >= burstEvents && this.#burst === before) break;
      }
    }
  }

  /** Times of events that nothing came of. */
  #outdate(): void {
    for (const [id, { at }] of this.#eventAt) if (at < (this.#last ?? 0) - story) this.#eventAt.delete(id);
  }

  #hear(event: EngineEvent | undefined): void {
    this.#burst += event === undefined ? burstEvents : 1;
    if (event === undefined || this.#heard.has(event.key)) return;
    this.#heard.add(event.key);
    if (this.#heard.size > remembered) for (const oldest of this.#heard.keys().take(1)) this.#heard.delete(oldest);
    this.#last = Math.max(this.#last ?? 0, event.at);
    const earlier = this.#eventAt.get(event.container);
    const ends = endings.has(event.action);
    // `connect` and `start` are one story; an end is one of its own.
    if (earlier === undefined || ends || earlier.ends || event.at - earlier.at > story)
      this.#eventAt.set(event.container, { at: event.at, ends });
    this.#state.event(event, this.#next());
    if (this.#settling) return;
    this.#settling = true;
    // A thousand events in one read are one change.
    queueMicrotask(() => this.#settle());
  }

  /** Asks what the state wants to know, and puts on the board what has changed. */
  #settle(): void {
    this.#settling = false;
    const { look, later, networks, touched } = this.#state.news;
    this.#asks?.look.want(look);
    this.#asks?.networks.want(networks);
    if (later.size > 0) this.#lookLater([...later]);
    for (const each of [look, later, networks]) each.clear();
    const { board } = this.#options;
    const put: ContainerReport[] = [];
    const gone: string[] = [];
    let at: number | undefined;
    for (const id of touched) {
      const report = this.#reportOf(id);
      const shown = board.reports.get(id);
      if (report === "wait" || isDeepStrictEqual(report, shown)) continue;
      if (report === undefined) gone.push(id);
      else put.push(report);
      at = Math.min(at ?? Number.POSITIVE_INFINITY, this.#eventAt.get(id)?.at ?? Number.POSITIVE_INFINITY);
      this.#eventAt.delete(id);
    }
    touched.clear();
    const timed = at === undefined || at === Number.POSITIVE_INFINITY ? {} : { at };
    board.change({ put, gone, ...timed }, this.#complete && this.#images.waiters === 0);
  }

  #lookLater(ids: readonly string[]): void {
    const asks = this.#asks;
    setTimeout(() => asks?.look.want(ids), lag + 100).unref();
  }

  /** `wait`: it takes the labels of its image, which are being asked. */
  #reportOf(id: string): ContainerReport | undefined | "wait" {
    const view = this.#state.view(id);
    if (view === undefined) {
      this.#images.leave(id);
      return undefined;
    }
    // Most containers have no label that could come from an image.
    const image = Object.keys(view.sight.labels).length === 0 ? {} : this.#images.labelsOf(view.sight.imageId, id);
    if (image === undefined) {
      this.#asks?.images.want([view.sight.imageId]);
      return "wait";
    }
    return reportOf(view, image, (nameOrId) => this.#state.idOf(nameOrId));
  }
}
