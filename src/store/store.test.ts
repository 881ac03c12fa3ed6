import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { manualClock } from "../../test/manual-clock.ts";
import { Failure } from "../base/failure.ts";
import type { Clock } from "../runtime/clock.ts";
import { memoryShelf, memoryStore } from "./memory-store.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import type { Store, Write } from "./store.ts";

const folder = await mkdtemp(join(tmpdir(), "sixgate-store-"));
afterAll(() => rm(folder, { recursive: true }));
let files = 0;

/** Each gives a shop: stores opened in it share what is kept, as two processes do. */
const kinds: Readonly<Record<string, () => (clock?: Clock) => Store>> = {
  memory: () => {
    const shelf = memoryShelf();
    return (clock) => memoryStore(shelf, clock);
  },
  sqlite: () => {
    const path = join(folder, `${++files}.db`);
    return (clock) => openSqliteStore(path, clock);
  },
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof Failure ? error.diagnostic.code : String(error);
}

async function taken<T>(from: AsyncIterable<T>, count: number): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const each of from) if (found.push(each) === count) break;
  return found;
}

describe.each(Object.entries(kinds))("%s store", (_, shop) => {
  test("commit is seen by get and list, in order of keys", async () => {
    const store = shop()();
    expect(await store.get("a")).toBeUndefined();
    expect(await store.commit([])).toBe(0);
    expect(await store.commit([put("b/2", "two", 0), put("b/1", "one", 0), put("c", "", 0)])).toBe(1);
    expect(await store.commit([put("b/1", "uno", 1)])).toBe(2);
    expect(await store.get("b/1")).toEqual({ key: "b/1", value: "uno", revision: 2 });
    expect(await store.list("b/")).toEqual([
      { key: "b/1", value: "uno", revision: 2 },
      { key: "b/2", value: "two", revision: 1 },
    ]);
    expect((await store.list("")).map(({ key }) => key)).toEqual(["b/1", "b/2", "c"]);
    expect(await store.list("b/3")).toEqual([]);
    await store.commit([{ key: "b/1", value: undefined, expected: 2 }]);
    expect(await store.get("b/1")).toBeUndefined();
    await store.end();
  });

  test("commit is all or none: E940 where one entry is not as expected", async () => {
    const store = shop()();
    await store.commit([put("a", "1", 0)]);
    for (const wrong of [
      put("a", "2", 0),
      put("a", "2", 2),
      put("b", "2", 1),
      { key: "b", value: undefined, expected: 7 },
    ]) {
      expect(await codeOf(store.commit([put("x", "1", "any"), wrong]))).toBe("E940");
    }
    expect((await store.list("")).map(({ key, value }) => key + value)).toEqual(["a1"]);
    expect(await store.commit([put("a", "2", 1)])).toBe(2);
    await store.end();
  });

  test("commit refuses keys and values that could not come back as they are", async () => {
    const store = shop()();
    for (const write of [put("ä", "", 0), put("", "", 0), put("a b", "", 0), put("a", "\ud800", 0)])
      await expect(store.commit([write])).rejects.toThrow(RangeError);
    await expect(store.commit([put("a", "1", 0), put("a", "2", 0)])).rejects.toThrow("twice");
    expect(await store.list("")).toEqual([]);
    await store.end();
  });

  test("values come back as they were, whatever is in them", async () => {
    const store = shop()();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (value) => {
        await store.commit([put("k", value, "any")]);
        expect((await store.get("k"))?.value).toBe(value);
      }),
      { numRuns: 50 },
    );
    await store.end();
  });

  test("watch gives what came after a revision, then what comes, until the signal", async () => {
    const store = shop()();
    await store.commit([put("a", "1", 0)]);
    await store.commit([put("b", "2", 0), put("a", "2", 1)]);
    const signal = new AbortController();
    const coming = taken(store.watch(1, signal.signal), 3);
    await store.commit([{ key: "a", value: undefined, expected: "any" }]);
    const changes = await coming;
    expect(changes.slice(0, 2).toSorted((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: "a", value: "2", revision: 2 },
      { key: "b", value: "2", revision: 2 },
    ]);
    expect(changes[2]).toEqual({ key: "a", value: undefined, revision: 3 });
    const none = taken(store.watch(3, signal.signal), 1);
    signal.abort();
    expect(await none).toEqual([]);
    await store.end();
  });

  test("watch sees what another store on the same commits", async () => {
    const open = shop();
    const [ours, theirs] = [open(), open()];
    const coming = taken(ours.watch(0, new AbortController().signal), 1);
    await theirs.commit([put("a", "1", 0)]);
    expect(await coming).toEqual([{ key: "a", value: "1", revision: 1 }]);
    expect((await ours.get("a"))?.value).toBe("1");
    await ours.end();
    await theirs.end();
  });

  test("lease has one holder at a time, and a new epoch for each", async () => {
    const clock = manualClock();
    const open = shop();
    const [ours, theirs] = [open(clock), open(clock)];
    expect(await ours.lease("writer", "a", 15)).toBe(1);
    expect(await theirs.lease("writer", "b", 15)).toBeUndefined();
    await clock.pass(14_000);
    expect(await ours.lease("writer", "a", 15)).toBe(1);
    expect(await theirs.lease("writer", "b", 15)).toBeUndefined();
    await clock.pass(14_999);
    expect(await theirs.lease("writer", "b", 15)).toBeUndefined();
    await clock.pass(1);
    expect(await theirs.lease("writer", "b", 15)).toBe(2);
    expect(await ours.lease("writer", "a", 15)).toBeUndefined();
    expect(await ours.lease("other", "a", 15)).toBe(1);
    await ours.end();
    await theirs.end();
  });

  test("lease given back is free at once", async () => {
    const clock = manualClock();
    const open = shop();
    const [ours, theirs] = [open(clock), open(clock)];
    await ours.lease("writer", "a", 15);
    await ours.lease("writer", "a", 0);
    expect(await theirs.lease("writer", "b", 15)).toBe(2);
    await ours.end();
    await theirs.end();
  });

  test("lease is not stolen by setting the clock", async () => {
    const clock = manualClock();
    const open = shop();
    const [ours, theirs] = [open(clock), open(clock)];
    await ours.lease("writer", "a", 15);
    clock.set(0 as never);
    expect(await theirs.lease("writer", "b", 15)).toBeUndefined();
    clock.set(4_000_000_000_000 as never);
    expect(await theirs.lease("writer", "b", 15)).toBeUndefined();
    await ours.end();
    await theirs.end();
  });

  test("commits of any kind lead to what a plain map has", async () => {
    const writes = fc.array(
      fc.record({ key: fc.constantFrom("a", "b", "c/d", "c/e"), value: fc.option(fc.string(), { nil: undefined }) }),
      { maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(writes, { maxLength: 12 }), async (commits) => {
        const store = shop()();
        const model = new Map<string, string>();
        for (const commit of commits) {
          const unique = [...new Map(commit.map((each) => [each.key, each])).values()];
          await store.commit(unique.map(({ key, value }) => ({ key, value, expected: "any" })));
          for (const { key, value } of unique) {
            if (value === undefined) model.delete(key);
            else model.set(key, value);
          }
        }
        const entries = (await store.list("")).map(({ key, value }) => [key, value]);
        expect(entries).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
        await store.end();
      }),
      { numRuns: 20 },
    );
  });
});

test("openSqliteStore keeps what was committed, in one file that only its owner reads", async () => {
  const path = join(folder, `${++files}.db`);
  const store = openSqliteStore(path);
  await store.commit([put("a", "1", 0)]);
  await store.lease("writer", "a", 15);
  await store.end();
  const again = openSqliteStore(path);
  expect(await again.get("a")).toEqual({ key: "a", value: "1", revision: 1 });
  expect(await again.lease("writer", "a", 15)).toBe(1);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await again.end();
});

test("watch says when it is asked for what is no longer known", async () => {
  const path = join(folder, `${++files}.db`);
  const store = openSqliteStore(path);
  for (let n = 0; n < 1005; n++) await store.commit([put("a", `${n}`, "any")]);
  expect(await codeOf(taken(store.watch(4, new AbortController().signal), 1))).toBe("E952");
  expect(await taken(store.watch(5, new AbortController().signal), 1000)).toHaveLength(1000);
  await store.end();
});

function put(key: string, value: string, expected: Write["expected"]): Write {
  return { key, value, expected };
}
