import type { EventRing, Numbered } from "./event-ring.ts";

/** A line now and then, so that both ends and whatever is between them know that the other lives. */
const heartbeat = 15_000;
/** Events waiting for one listener. Who is slower than that is let go, and comes back with the last id it had. */
const waiting = 8192;

export type EventWish = {
  /** `Last-Event-ID`, as the listener had it. */
  readonly after: string | undefined;
  wants(event: Numbered): boolean;
  /** False once whoever listens may no longer: asked at every heartbeat. */
  alive(): Promise<boolean>;
};

const encoder = new TextEncoder();

/**
 * Server-sent events (HTML living standard §9.2). The first is `ready`: with `resumed` false something may have been
 * missed, and lists have to be read anew. Nothing is buffered beyond what the listener is behind.
 */
export function eventStream(ring: EventRing, wish: EventWish): ReadableStream<Uint8Array> {
  const missed = wish.after === undefined ? undefined : ring.after(wish.after);
  const queue: string[] = [
    `retry: 2000\nid: ${missed === undefined ? ring.last : wish.after}\nevent: ready\ndata: ${JSON.stringify({ format: "sixgate.events/1", resumed: missed !== undefined })}\n\n`,
    ...(missed ?? []).filter((event) => wish.wants(event)).map((event) => format(ring, event)),
  ];
  let wake: (() => void) | undefined;
  let ended = false;
  const put = (text: string): void => {
    if (queue.length >= waiting) end();
    else queue.push(text);
    wake?.();
  };
  const forget = ring.listen((event) => {
    if (wish.wants(event)) put(format(ring, event));
  });
  const beat = setInterval(() => {
    if (queue.length === 0) put(": alive\n\n");
    wish.alive().then(
      (alive) => alive || end(),
      () => end(),
    );
  }, heartbeat);
  beat.unref();
  function end(): void {
    ended = true;
    forget();
    clearInterval(beat);
    wake?.();
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (queue.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
      if (ended) controller.close();
      else controller.enqueue(encoder.encode(queue.splice(0, 256).join("")));
    },
    cancel: end,
  });
}

function format(ring: EventRing, event: Numbered): string {
  return `id: ${ring.idOf(event)}\nevent: ${event.kind}\ndata: ${event.json}\n\n`;
}
