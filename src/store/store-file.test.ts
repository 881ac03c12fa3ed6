import { copyFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { Failure } from "../base/failure.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { copyStoreFile } from "./store-file.ts";

const folder = await mkdtemp(join(tmpdir(), "sixgate-store-"));
afterAll(() => rm(folder, { recursive: true }));
/** More by hand: `MUTATIONS=10000`. */
const mutations = Number(process.env["MUTATIONS"] ?? 600);

/** What the store at `path` says after each of its revisions. */
async function filled(path: string): Promise<ReadonlyMap<number, string>> {
  const store = openSqliteStore(path);
  const states = new Map([[0, "[]"]]);
  for (let n = 1; n <= 40; n++) {
    const commit = Array.from({ length: 1 + (n % 3) }, (_, i) => ({
      key: `k/${(n * 7 + i) % 23}`,
      value: n % 5 === 0 && i === 0 ? undefined : `${n} ${"value ".repeat(n)}`,
      expected: "any" as const,
    }));
    states.set(await store.commit(commit), await shown(store));
  }
  copyFileSync(path, `${path}.live`);
  copyFileSync(`${path}-wal`, `${path}.live-wal`);
  await store.end();
  return states;
}

async function shown(store: ReturnType<typeof openSqliteStore>): Promise<string> {
  return JSON.stringify(await store.list(""));
}

/** What a store says; the code of its refusal where it refuses. */
async function told(path: string): Promise<{ readonly state?: string; readonly code?: string }> {
  try {
    const store = openSqliteStore(path);
    try {
      return { state: await shown(store) };
    } finally {
      await store.end();
    }
  } catch (error) {
    if (error instanceof Failure) return { code: error.diagnostic.code };
    throw error;
  }
}

/** The same in every run (xorshift32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("openSqliteStore refuses a file with a flipped bit, or says what was in it", { timeout: 300_000 }, async () => {
  const path = join(folder, "flip.db");
  const states = await filled(path);
  const whole = readFileSync(path);
  const next = numbers(1);
  const victim = join(folder, "flip-victim.db");
  let refused = 0;
  for (let n = 0; n < mutations; n++) {
    const copy = Buffer.from(whole);
    const at = next(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << next(8));
    clear(victim);
    writeFileSync(victim, copy);
    const { state, code } = await told(victim);
    if (code === undefined) expect(state, `bit at ${at}`).toBe(states.get(40));
    else refused++;
    if (code !== undefined) expect(["E941", "E945"], `bit at ${at}`).toContain(code);
  }
  expect(refused).toBeGreaterThan(mutations / 4);
});

test("openSqliteStore refuses a file that was cut, wherever", { timeout: 300_000 }, async () => {
  const path = join(folder, "cut.db");
  await filled(path);
  const whole = readFileSync(path);
  const victim = join(folder, "cut-victim.db");
  for (let length = 0; length < whole.length; length += 509) {
    clear(victim);
    writeFileSync(victim, whole.subarray(0, length));
    expect(await told(victim), `cut to ${length}`).toEqual({ code: "E941" });
  }
});

test("openSqliteStore on a damaged log of commits is whole, at an earlier revision at worst", {
  timeout: 300_000,
}, async () => {
  const path = join(folder, "wal.db");
  const states = [...(await filled(path)).values()];
  const log = readFileSync(`${path}.live-wal`);
  const next = numbers(2);
  const victim = join(folder, "wal-victim.db");
  const seen = new Set<number>();
  for (let n = 0; n < mutations / 2; n++) {
    const copy = Buffer.from(log);
    const at = next(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << next(8));
    clear(victim);
    copyFileSync(`${path}.live`, victim);
    writeFileSync(`${victim}-wal`, n % 2 === 0 ? copy : log.subarray(0, at));
    const { state, code } = await told(victim);
    if (code === undefined) expect(states).toContain(state);
    else expect(code).toBe("E941");
    seen.add(states.indexOf(state ?? ""));
  }
  expect(seen.size).toBeGreaterThan(5);
});

test("openSqliteStore refuses what is no store, or one of a newer sixgate", async () => {
  const text = join(folder, "text.db");
  writeFileSync(text, "this is not a database, however long it may be ".repeat(100));
  expect(await told(text)).toEqual({ code: "E941" });
  const other = join(folder, "other.db");
  const db = new DatabaseSync(other);
  db.exec("CREATE TABLE entries (key TEXT)");
  db.close();
  expect(await told(other)).toEqual({ code: "E941" });
  const newer = join(folder, "newer.db");
  await openSqliteStore(newer).end();
  const opened = new DatabaseSync(newer);
  opened.exec("PRAGMA user_version = 99");
  opened.close();
  expect(await told(newer)).toEqual({ code: "E945" });
});

test("openSqliteStore refuses rows that were changed or removed behind its back", async () => {
  for (const sabotage of [
    "UPDATE entries SET value = 'other' WHERE key = 'k/7'",
    "UPDATE entries SET revision = 1 WHERE key = 'k/7'",
    "DELETE FROM entries WHERE key = 'k/7'",
    "UPDATE head SET revision = 3",
    "DELETE FROM head",
  ]) {
    const path = join(folder, "sabotage.db");
    clear(path);
    await filled(path);
    const db = new DatabaseSync(path);
    db.exec(sabotage);
    db.close();
    expect(await told(path), sabotage).toEqual({ code: "E941" });
  }
});

test("openSqliteStore leaves nothing behind where making a file was cut off", async () => {
  const path = join(folder, "fresh.db");
  writeFileSync(`${path}.sixgate-new`, "half of a database");
  expect(await told(path)).toEqual({ state: "[]" });
  expect(existsSync(`${path}.sixgate-new`)).toBe(false);
});

test("copyStoreFile gives a whole store of one moment, and never written over anything", async () => {
  const path = join(folder, "backup.db");
  const states = await filled(path);
  const store = openSqliteStore(path);
  const copy = join(folder, "backup-copy.db");
  copyStoreFile(path, copy);
  await store.commit([{ key: "later", value: "x", expected: 0 }]);
  expect(await told(copy)).toEqual({ state: states.get(40) });
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(() => copyStoreFile(path, copy)).toThrow(Failure);
  await store.end();
});

function clear(path: string): void {
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
}
