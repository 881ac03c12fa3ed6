import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { manualClock, settled } from "../../test/manual-clock.ts";
import { ownMark } from "../runtime/process-mark.ts";
import { memoryShelf, memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import { type LeaseOptions, takeWriterLease } from "./writer-lease.ts";

function options(store: Store, over: Partial<LeaseOptions> = {}): LeaseOptions {
  return { store, clock: manualClock(), holder: "a", lost: () => undefined, waits: () => undefined, ...over };
}

test("takeWriterLease does not wait for a process of this machine that has ended", async () => {
  const store = memoryStore();
  const child = spawn("true");
  await once(child, "exit");
  const value = JSON.stringify({ ...ownMark(), holder: "dead", pid: child.pid });
  await store.commit([{ key: "controller/holder", value, expected: 0 }]);
  await store.lease("writer", "dead", 15);
  const waited: string[] = [];
  const lease = await takeWriterLease(options(store, { waits: () => void waited.push("waits") }));
  expect(lease.epoch).toBe(2);
  expect(waited).toEqual([]);
});

test("takeWriterLease waits for one that runs, and for one before this machine's last start it does not", async () => {
  const store = memoryStore();
  const living = JSON.stringify({ ...ownMark(), holder: "other" });
  await store.commit([{ key: "controller/holder", value: living, expected: 0 }]);
  await store.lease("writer", "other", 15);
  const clock = manualClock();
  let epoch = 0;
  void takeWriterLease(options(store, { clock })).then((lease) => {
    epoch = lease.epoch;
  });
  await clock.pass(10_000);
  expect(epoch).toBe(0);
  const before = JSON.stringify({ ...ownMark(), holder: "other", boot: "another" });
  await store.commit([{ key: "controller/holder", value: before, expected: "any" }]);
  await clock.pass(1000);
  expect(epoch).toBe(2);
});

test("isOurs ends before anybody else can have it: after a renewal that failed, a sleep, a loss", async () => {
  const clock = manualClock();
  const shelf = memoryShelf();
  const store = memoryStore(shelf, clock);
  let fails = false;
  const flaky: Store = {
    ...store,
    lease: (...asked) => (fails ? Promise.reject(new Error("disk")) : store.lease(...asked)),
  };
  const lost: string[] = [];
  const lease = await takeWriterLease(options(flaky, { clock, lost: () => void lost.push("lost") }));
  await clock.pass(60_000);
  expect(lease.isOurs()).toBe(true);
  fails = true;
  await clock.pass(13_000);
  expect(lease.isOurs()).toBe(false);
  fails = false;
  await clock.pass(5000);
  expect(lease.isOurs()).toBe(true);
  clock.set((clock.now() + 60_000) as never);
  expect(lease.isOurs()).toBe(false);
  await clock.pass(5000);
  expect(lease.isOurs()).toBe(true);
  await store.lease("writer", "a", 0);
  await memoryStore(shelf, clock).lease("writer", "b", 15);
  await clock.pass(5000);
  await settled();
  expect(lease.isOurs()).toBe(false);
  expect(lost).toEqual(["lost"]);
});

test("end gives it back, and takes nothing from the next", async () => {
  const store = memoryStore();
  const clock = manualClock();
  const first = await takeWriterLease(options(store, { clock }));
  await first.end();
  const second = await takeWriterLease(options(store, { clock, holder: "b" }));
  await first.end();
  expect(first.isOurs()).toBe(false);
  expect(second.isOurs()).toBe(true);
});

test("takeWriterLease gives up with the signal", async () => {
  const store = memoryStore();
  await store.lease("writer", "other", 15);
  const stop = new AbortController();
  const waiting = takeWriterLease(options(store), stop.signal);
  await settled();
  stop.abort();
  await expect(waiting).rejects.toThrow("E808");
});
