import { type Signal, signal } from "@preact/signals";
import { findSession } from "./session.ts";

/** The kinds of GET /api/v1/events that the page hears. */
export const liveKinds = ["opened", "closed", "refused", "agent", "alarm", "gateway", "plan"] as const;
export type LiveKind = (typeof liveKinds)[number];
export type LiveEvent = { readonly kind: LiveKind; readonly at: number } & Readonly<Record<string, unknown>>;

/** `live`: what is shown is what is so. `lost`: it may be old. */
export const connection: Signal<"connecting" | "live" | "lost"> = signal("connecting");

const hearers = new Set<(event: LiveEvent) => void>();
const readers = new Set<() => void>();
const starters = new Set<() => void>();
let source: EventSource | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

/** Hears every event until the function that it gives is called. */
export function onEvent(hear: (event: LiveEvent) => void): () => void {
  hearers.add(hear);
  return () => hearers.delete(hear);
}

/** Called when lists have to be read, whole: at the start, and whenever events may have been missed. */
export function onReadAgain(read: () => void): () => void {
  readers.add(read);
  if (connection.peek() === "live") read();
  return () => readers.delete(read);
}

/** Called whenever the stream is there again, whether or not something was missed. */
export function onLive(start: () => void): () => void {
  starters.add(start);
  return () => starters.delete(start);
}

/** Opens the stream. A browser comes back by itself with the id of the last event, unless the answer was no stream. */
export function startLive(): void {
  if (source !== undefined) return;
  const stream = new EventSource("/api/v1/events");
  source = stream;
  stream.addEventListener("ready", ({ data }: MessageEvent<string>) => {
    connection.value = "live";
    const ready = JSON.parse(data) as { readonly resumed: boolean };
    for (const start of starters) start();
    if (!ready.resumed) for (const read of readers) read();
  });
  for (const kind of liveKinds)
    stream.addEventListener(kind, ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as LiveEvent;
      for (const hear of hearers) hear(event);
    });
  stream.addEventListener("error", () => {
    connection.value = "lost";
    if (stream.readyState !== EventSource.CLOSED) return;
    stopLive();
    // A session that has ended looks like any other refusal from here; asking for it tells.
    again = setTimeout(() => void findSession().then(startLive, startLive), 3000);
  });
}

export function stopLive(): void {
  clearTimeout(again);
  source?.close();
  source = undefined;
}
