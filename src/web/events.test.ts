import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { type Stand, withApi } from "../../test/web/bench.ts";
import { MemoryController } from "../../test/web/memory-controller.ts";
import { opening, refusal, vm1 } from "../../test/web/views.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { readEvents, type SentEvent } from "../cli/event-text.ts";
import type { ControllerEvent } from "../controller/controller.ts";
import { address } from "../net/address.ts";
import { EventRing } from "./event-ring.ts";
import { eventStream } from "./event-stream.ts";

const at = instant(1_700_000_000_000);
const opened = (id: string, change = {}): ControllerEvent => ({
  kind: "opened",
  at,
  opening: opening(id, change),
  ms: 7,
});
const denied: ControllerEvent = {
  kind: "denied",
  at,
  from: address("2001:db8:bad::1"),
  to: address("2001:db8:1234:321d:23::80"),
  transport: "tcp",
  port: 22,
  count: 3,
};

afterEach(() => void vi.useRealTimers());

/** Listens to the stand's events; `next` waits for one more. */
async function listen(
  stand: Stand,
  query = "",
  lastEventId?: string,
  token = stand.admin,
): Promise<{ next(): Promise<SentEvent | undefined>; hangUp(): void }> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
  };
  const path = `/api/v1/events${query}`;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ socketPath: `${stand.folder}/api.sock`, path, headers, agent: false }, resolve);
    asked.on("error", reject);
    asked.end();
  });
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe("text/event-stream");
  const events = readEvents(response);
  return { next: async () => (await events.next()).value as SentEvent | undefined, hangUp: () => response.destroy() };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1000) throw new Error("Never happened");
    await sleep(10);
  }
}

test("GET /events tells what happens, with ids, and goes on where a listener left off", async () => {
  await withApi(async (stand) => {
    const first = await listen(stand);
    const ready = await first.next();
    expect(ready).toMatchObject({ event: "ready", data: '{"format":"sixgate.events/1","resumed":false}' });
    stand.controller.emit(opened("a"));
    const told = await first.next();
    expect(told?.event).toBe("opened");
    expect(JSON.parse(told?.data ?? "")).toEqual(opened("a"));
    first.hangUp();
    stand.controller.emit(opened("b"));
    stand.controller.emit({ kind: "refused", at, refusal: refusal() });
    const again = await listen(stand, "", told?.id);
    expect(await again.next()).toMatchObject({ data: '{"format":"sixgate.events/1","resumed":true}' });
    expect([(await again.next())?.event, (await again.next())?.event]).toEqual(["opened", "refused"]);
    again.hangUp();
    const none = await listen(stand, "", ready?.id);
    expect((await none.next())?.data).toContain('"resumed":true');
    expect(JSON.parse((await none.next())?.data ?? "")).toMatchObject({ opening: { id: "a" } });
    none.hangUp();
    await until(() => stand.logged.filter((line) => line.includes("/api/v1/events")).length === 3);
  });
});

test.each(["0", "x-1", "000000000000-0", `${"a".repeat(12)}-5`, "-1", "1".repeat(50)])(
  "GET /events says that something may be missed behind an id it does not know: %s",
  async (id) => {
    await withApi(async (stand) => {
      const listener = await listen(stand, "", id);
      expect((await listener.next())?.data).toContain('"resumed":false');
      listener.hangUp();
    });
  },
);

test("GET /events filters by kind and host, and tells of denied packets to those who ask", async () => {
  await withApi(async (stand) => {
    const usual = await listen(stand);
    const packets = await listen(stand, "?kinds=denied,closed");
    const ofOne = await listen(stand, "?host=vm1");
    for (const each of [usual, packets, ofOne]) await each.next();
    stand.controller.emit(denied);
    stand.controller.emit(opened("other", { host: "vm2" as HostName }));
    stand.controller.emit(opened("mine", { host: vm1 }));
    stand.controller.emit({ kind: "gateway", at, reached: false, text: "gone" });
    expect((await packets.next())?.data).toBe(JSON.stringify(denied));
    expect(JSON.parse((await usual.next())?.data ?? "")).toMatchObject({ opening: { id: "other" } });
    expect(JSON.parse((await ofOne.next())?.data ?? "")).toMatchObject({ opening: { id: "mine" } });
    expect((await ofOne.next())?.event).toBe("gateway");
    for (const each of [usual, packets, ofOne]) each.hangUp();
    expect((await stand.ask("/api/v1/events?kinds=opened,root")).status).toBe(400);
  });
});

test("GET /events lets 64 listen, and forgets those who hang up, however they do it", async () => {
  await withApi(async (stand) => {
    const all = await Promise.all(Array.from({ length: 64 }, () => listen(stand)));
    const more = await stand.ask("/api/v1/events");
    expect(more.status).toBe(503);
    expect(more.text).toContain("E965");
    for (const each of all) each.hangUp();
    for (let i = 0; i < 40; i++) await stand.ask("/api/v1/events", { hangUp: true });
    const metrics = async (): Promise<string> => (await stand.ask("/metrics")).text;
    for (let tries = 0; !(await metrics()).includes("sixgate_event_listeners 0\n"); tries++) {
      expect(tries).toBeLessThan(500);
      await sleep(20);
    }
  });
});

test("serveApi stops watching the controller when it is closed", async () => {
  let controller: MemoryController | undefined;
  await withApi(async (stand) => {
    controller = stand.controller;
    const listener = await listen(stand);
    await listener.next();
    expect(controller.watchers).toBeGreaterThan(0);
  });
  expect(controller?.watchers).toBe(0);
});

test("EventRing keeps 4,096 events, and says when one of those asked for is gone; denied ones push nothing out", () => {
  const controller = new MemoryController();
  const ring = new EventRing(controller);
  const start = ring.last;
  controller.emit(opened("first"));
  const second = ring.last;
  for (let i = 0; i < 10_000; i++) controller.emit(denied);
  expect(ring.after(start)?.map((event) => event.kind)).toEqual(["opened"]);
  for (let i = 0; i < 4096; i++) controller.emit(opened(String(i)));
  expect(ring.after(start)).toBeUndefined();
  expect(ring.after(second)).toHaveLength(4096);
  for (let i = 0; i < 5000; i++) controller.emit(opened(String(i)));
  expect(ring.after(second)).toBeUndefined();
  const numbers = ring.after(ring.last.replace(/-.*/, "-15097"))?.map((event) => event.number) ?? [];
  expect(numbers.length).toBe(4000);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  ring.end();
  expect(controller.watchers).toBe(0);
});

test("eventStream lets go of who does not read: what waits is bounded", async () => {
  const controller = new MemoryController();
  const ring = new EventRing(controller);
  const stream = eventStream(ring, { after: undefined, wants: () => true, alive: () => Promise.resolve(true) });
  const reader = stream.getReader();
  await reader.read();
  expect(ring.listeners).toBe(1);
  for (let i = 0; i < 20_000; i++) controller.emit(opened(String(i)));
  expect(ring.listeners).toBe(0);
  let bytes = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.length;
  expect(bytes).toBeLessThan(8192 * 1000);
});

test("GET /events lets go of a client that takes nothing: what waits for it is bounded, socket and all", async () => {
  await withApi(async (stand) => {
    const headers = { authorization: `Bearer ${stand.admin}` };
    const silent = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(
        { socketPath: `${stand.folder}/api.sock`, path: "/api/v1/events", headers, agent: false },
        resolve,
      );
      asked.on("error", reject);
      asked.end();
    });
    silent.pause();
    const listeners = async (): Promise<string | undefined> =>
      /^sixgate_event_listeners (\d+)$/m.exec((await stand.ask("/metrics")).text)?.[1];
    expect(await listeners()).toBe("1");
    let told = 0;
    for (; told < 200_000 && (await listeners()) === "1"; told += 1000)
      for (let i = 0; i < 1000; i++) stand.controller.emit(opened(String(i)));
    expect(told).toBeLessThan(50_000);
    silent.destroy();
  });
}, 60_000);

test("eventStream shows that it lives, and ends when who listens may no longer", async () => {
  vi.useFakeTimers();
  const ring = new EventRing(new MemoryController());
  let allowed = true;
  const stream = eventStream(ring, { after: undefined, wants: () => true, alive: () => Promise.resolve(allowed) });
  const reader = stream.getReader();
  await reader.read();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(": alive\n\n");
  allowed = false;
  await vi.advanceTimersByTimeAsync(15_000);
  await reader.read();
  expect((await reader.read()).done).toBe(true);
  expect(ring.listeners).toBe(0);
});
