import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { Failure } from "../base/failure.ts";
import { systemClock } from "../runtime/clock.ts";
import { type Journal, openJournal } from "./journal.ts";
import { canonicalJson, type JournalMark } from "./journal-line.ts";
import type { JournalSettings } from "./journal-open.ts";

const root = await mkdtemp(join(tmpdir(), "sixgate-journal-"));
afterAll(() => rm(root, { recursive: true }));
let folders = 0;

function newFolder(): string {
  return join(root, `${++folders}`);
}

function open(folder: string, more: Partial<JournalSettings> = {}): Promise<Journal> {
  return openJournal({ folder, ...more }, systemClock);
}

async function write(journal: Journal, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    journal.append("agent vm1", "opened", { n, name: `web\u202e${n}`, ports: ["80/tcp"] });
  await journal.flush();
}

/** Opens, writes, ends: the mark that a store would have kept, and the only file. */
async function written(folder: string, count: number): Promise<JournalMark & { readonly path: string }> {
  const journal = await open(folder);
  await write(journal, count);
  const mark = journal.head();
  await journal.end();
  return { ...mark, path: join(folder, "journal-000000000001.ndjson") };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof Failure ? error.diagnostic.code : String(error);
}

test("openJournal goes on where it ended, in one chain", async () => {
  const folder = newFolder();
  const first = await written(folder, 3);
  const journal = await open(folder, { mark: first });
  expect(journal.head()).toMatchObject({ sequence: 3, hash: first.hash });
  await write(journal, 2);
  const entries = await journal.read(0, 100);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
  expect(entries[3]).toMatchObject({ who: "agent vm1", what: "opened", detail: { n: 0, name: "web\u202e0" } });
  expect(await journal.verify()).toBeUndefined();
  expect(await journal.read(2, 2)).toEqual(entries.slice(2, 4));
  expect(await journal.read(5, 10)).toEqual([]);
  await journal.end();
});

test("append needs no disk; flush does", async () => {
  const journal = await open(newFolder());
  const entry = journal.append("ada", "open", { reason: "why" });
  expect(journal.head()).toEqual({ sequence: 1, hash: entry.hash });
  await journal.flush();
  expect(await journal.read(0, 1)).toEqual([entry]);
  await journal.end();
});

test("entries go into more files, which read and verify take for one journal", async () => {
  const folder = newFolder();
  const journal = await open(folder, { segmentBytes: 2000 });
  for (let n = 0; n < 40; n++) await write(journal, 50);
  expect((await readdir(folder)).length).toBeGreaterThan(10);
  expect(await journal.verify()).toBeUndefined();
  expect((await journal.read(0, 5000)).map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 2000 }, (_, n) => n + 1),
  );
  for (const after of [0, 1, 511, 512, 513, 777, 1500, 1999])
    expect((await journal.read(after, 3)).map(({ sequence }) => sequence)).toEqual(
      [after + 1, after + 2, after + 3].filter((n) => n <= 2000),
    );
  const mark = journal.head();
  await journal.end();
  const again = await open(folder, { segmentBytes: 2000, mark });
  await write(again, 1);
  expect(await again.verify()).toBeUndefined();
  await again.end();
});

test("read finds its place in a large file, in any order", async () => {
  const folder = newFolder();
  const journal = await open(folder);
  await write(journal, 3000);
  for (const after of [2500, 10, 511, 512, 1024, 2999, 0, 1500])
    expect((await journal.read(after, 2)).map(({ sequence }) => sequence)).toEqual(
      [after + 1, after + 2].filter((n) => n <= 3000),
    );
  await journal.end();
});

test("a flipped bit is found and named, wherever it is", { timeout: 120_000 }, async () => {
  const folder = newFolder();
  const mark = await written(folder, 12);
  const whole = readFileSync(mark.path);
  const starts = [0];
  for (let at = whole.indexOf(10); at >= 0; at = whole.indexOf(10, at + 1)) starts.push(at + 1);
  for (let at = 0; at < whole.length; at += 7) {
    const copy = Buffer.from(whole);
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(mark.path, copy);
    const line = starts.findLastIndex((start) => start <= at);
    const error: unknown = await open(folder, { mark }).catch((cause: unknown) => cause);
    const code = error instanceof Failure ? error.diagnostic.code : "none";
    expect(["E943", "E944"], `bit at ${at}`).toContain(code);
    if (code === "E943") expect(String(error)).toContain(`Entry ${Math.max(line, 1)} does not fit`);
  }
});

test("verify names the first entry that does not fit, also in an older file", async () => {
  const folder = newFolder();
  const journal = await open(folder, { segmentBytes: 2000 });
  for (let n = 0; n < 10; n++) await write(journal, 20);
  const path = join(folder, "journal-000000000021.ndjson");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace('"n":7', '"n":8'));
  expect(await journal.verify()).toBe(28);
  writeFileSync(path, text.split("\n").toSpliced(5, 1).join("\n"));
  expect(await journal.verify()).toBe(25);
  writeFileSync(path, text);
  expect(await journal.verify()).toBeUndefined();
  await rm(path);
  expect(await journal.verify()).toBe(41);
  await journal.end();
});

test("a cut end is found: by the store's mark where whole entries are missing", async () => {
  const folder = newFolder();
  const mark = await written(folder, 12);
  const whole = readFileSync(mark.path);
  const lastStart = whole.lastIndexOf(10, whole.length - 2) + 1;
  for (let length = 0; length < whole.length; length += 11) {
    writeFileSync(mark.path, whole.subarray(0, length));
    expect(await codeOf(open(folder, { mark })), `cut to ${length}`).toBe("E944");
    writeFileSync(mark.path, whole);
  }
  truncateSync(mark.path, lastStart);
  expect(await codeOf(open(folder, { mark }))).toBe("E944");
  await rm(folder, { recursive: true });
  expect(await codeOf(open(folder, { mark }))).toBe("E944");
});

test("an entry that was never finished is cut off, and it is said", async () => {
  const folder = newFolder();
  const mark = await written(folder, 2);
  appendFileSync(mark.path, '{"at":1,"det');
  const journal = await open(folder, { mark });
  expect((await journal.read(2, 10)).map(({ what }) => what)).toEqual(["journal-repaired"]);
  expect(await journal.verify()).toBeUndefined();
  await journal.end();
});

test("verify finds that the end was cut while it is in use", async () => {
  const folder = newFolder();
  const journal = await open(folder);
  await write(journal, 5);
  const path = join(folder, "journal-000000000001.ndjson");
  const whole = readFileSync(path);
  truncateSync(path, whole.lastIndexOf(10, whole.length - 2) + 1);
  expect(await journal.verify()).toBe(5);
  await journal.end();
});

test("a journal of another chain is refused", async () => {
  const folder = newFolder();
  const { sequence } = await written(folder, 3);
  expect(await codeOf(open(folder, { mark: { sequence, hash: "f".repeat(64) } }))).toBe("E942");
});

test("acceptLoss begins a new chain that says what was lost, and keeps what was broken", async () => {
  const folder = newFolder();
  const mark = await written(folder, 5);
  const whole = readFileSync(mark.path, "utf8");
  writeFileSync(mark.path, whole.replace('"n":3', '"n":9'));
  const journal = await open(folder, { mark, acceptLoss: true });
  await write(journal, 1);
  const entries = await journal.read(0, 100);
  expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 6, 7]);
  expect(entries[3]).toMatchObject({ what: "journal-repaired" });
  expect(await journal.verify()).toBeUndefined();
  const names = await readdir(folder);
  expect(names.some((name) => name.includes(".broken-"))).toBe(true);
  const after = journal.head();
  await journal.end();
  await (await open(folder, { mark: after })).end();
});

test("acceptLoss also after the whole folder was lost", async () => {
  const folder = newFolder();
  const mark = { sequence: 40, hash: "a".repeat(64) };
  const journal = await open(folder, { mark, acceptLoss: true });
  expect((await journal.read(0, 9)).map(({ sequence }) => sequence)).toEqual([41]);
  await journal.end();
});

test("a file whose making was cut off is no fault", async () => {
  const folder = newFolder();
  const mark = await written(folder, 3);
  writeFileSync(join(folder, "journal-000000000004.ndjson"), '{"at":1');
  const journal = await open(folder, { mark });
  await write(journal, 1);
  expect(await journal.verify()).toBeUndefined();
  expect(existsSync(join(folder, "journal-000000000004.ndjson"))).toBe(false);
  await journal.end();
});

test("flush rejects while the disk takes nothing, and loses nothing", async () => {
  const folder = newFolder();
  const journal = await open(folder, { segmentBytes: 10 });
  // The next file's name is taken by a folder: for any user an error that ends.
  await write(journal, 1);
  await mkdir(join(folder, "journal-000000000002.ndjson"));
  journal.append("ada", "open", { n: 2 });
  expect(await codeOf(journal.flush())).toBe("E947");
  expect(journal.failing()?.diagnostic.code).toBe("E947");
  journal.append("ada", "open", { n: 3 });
  await rm(join(folder, "journal-000000000002.ndjson"), { recursive: true });
  await journal.flush();
  expect(journal.failing()).toBeUndefined();
  expect((await journal.read(1, 9)).map(({ detail }) => detail["n"])).toEqual([2, 3]);
  expect(await journal.verify()).toBeUndefined();
  await journal.end();
});

test("canonicalJson is the same for the same data, whatever the order of keys, and is JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
  expect(canonicalJson({ b: 1, a: [{ d: 1, c: undefined }], 10: 1, 9: 2 })).toBe('{"10":1,"9":2,"a":[{"d":1}],"b":1}');
  expect(canonicalJson(JSON.parse('{"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1}}');
});

test("long texts of hosts are cut", async () => {
  const journal = await open(newFolder());
  const entry = journal.append("agent vm1", "refused", { text: "\ud83d\ude00".repeat(400) });
  expect(String(entry.detail["text"]).length).toBe(501);
  expect(await journal.verify()).toBeUndefined();
  await journal.end();
});
