import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import { openDoor } from "./door.ts";
import type { DoorOptions } from "./door-options.ts";
import { eventLine, readEvent } from "./event-line.ts";
import { readEvents } from "./event-text.ts";
import { type Exit, exit } from "./exit.ts";
import { type Query, type Remote, remoteAt } from "./remote.ts";
import type { Terminal } from "./terminal.ts";

export type WatchOptions = DoorOptions & { readonly denied?: boolean; readonly host?: string };

const usual = "opened,closed,refused,agent,alarm,gateway";
/** Milliseconds without any sign of life before the connection is taken for dead: three of the API's heartbeats. */
const silence = 45_000;

/**
 * `sixgate watch`: what happens, until Ctrl-C. A connection that breaks is made again, and goes on where it ended;
 * where something may have been missed, it is said. Ends with an error when the controller was not there at first, or
 * refuses.
 */
export async function watch(options: WatchOptions, terminal: Terminal): Promise<Exit> {
  const remote = remoteAt(await openDoor(options));
  const kinds = options.denied === true ? `${usual},denied` : usual;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  try {
    await listen(remote, { kinds, host: options.host }, terminal, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  return exit.fine;
}

async function listen(remote: Remote, query: Query, terminal: Terminal, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  for (let lost = 0; ; lost++) {
    try {
      for await (const event of eventsOf(remote, query, last, signal)) {
        if (event.event === "ready") sayReady(event.data, last, lost, terminal);
        else show(event.event, event.data, terminal);
        last = event.id;
        lost = 0;
      }
    } catch (cause) {
      signal.throwIfAborted();
      // Never there, or a refusal: trying again would not change it.
      if (last === undefined || !(cause instanceof Failure) || cause.diagnostic.code !== "E810") throw cause;
    }
    if (lost === 0) terminal.say("the connection to the controller is lost; trying again");
    await sleep(Math.min(10_000, 500 * 2 ** Math.min(lost, 5)), undefined, { signal });
  }
}

async function* eventsOf(
  remote: Remote,
  query: Query,
  last: string | undefined,
  signal: AbortSignal,
): ReturnType<typeof readEvents> {
  const headers = { accept: "text/event-stream", ...(last === undefined ? {} : { "last-event-id": last }) };
  const answer = await remote.stream("/api/v1/events", query, headers, signal);
  const timer = setTimeout(() => answer.destroy(), silence);
  try {
    yield* readEvents(refreshing(answer, timer));
  } catch (cause) {
    signal.throwIfAborted();
    // Broken off in the middle, however: what counts is that it is to be made again.
    if (!(cause instanceof RangeError)) return;
    throw cause;
  } finally {
    clearTimeout(timer);
    answer.destroy();
  }
}

async function* refreshing(chunks: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    timer.refresh();
    yield chunk;
  }
}

function sayReady(data: string, last: string | undefined, lost: number, terminal: Terminal): void {
  if (last === undefined) return;
  const resumed = data.includes('"resumed":true');
  if (lost > 0 || !resumed)
    terminal.say(resumed ? "connected again; nothing was missed" : "connected again; something may have been missed");
  if (!resumed) terminal.record({ kind: "missed" });
}

function show(kind: string, data: string, terminal: Terminal): void {
  const event = readEvent(kind, data);
  if (event === undefined) {
    terminal.say(`an event of a kind that this version does not know: ${kind}`);
    return;
  }
  const { text, tone } = eventLine(event);
  terminal.line(text, tone);
  terminal.record(event);
}
