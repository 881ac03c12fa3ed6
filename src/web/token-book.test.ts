import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { instant, seconds } from "../base/time.ts";
import { memoryStore } from "../store/memory-store.ts";
import { ensureFirstToken } from "./first-token.ts";
import { fitsHash, formatToken, hashOf, newSecret, parseToken } from "./token.ts";
import { TokenBook } from "./token-book.ts";

function bookAt(start = 0): { book: TokenBook; store: ReturnType<typeof memoryStore>; later: (ms: number) => void } {
  let now = start;
  const store = memoryStore();
  return { book: new TokenBook(store, () => instant(now)), store, later: (ms) => (now += ms) };
}

function tokenFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-token-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "state/admin.token");
}

test("newSecret gives 256 bits, never the same", () => {
  const secrets = new Set(Array.from({ length: 1000 }, newSecret));
  expect(secrets.size).toBe(1000);
  for (const secret of secrets) expect(Buffer.from(secret, "base64url")).toHaveLength(32);
});

test("parseToken reads what formatToken writes and nothing near it", () => {
  const token = { name: "grafana-1", secret: newSecret() };
  const text = formatToken(token);
  expect(parseToken(text)).toEqual(token);
  for (const other of [
    `${text}x`,
    ` ${text}`,
    `${text}\n`,
    text.slice(1),
    text.replace("sgt.", "sgt.."),
    text.toUpperCase(),
    "",
  ]) {
    expect(parseToken(other)).toBeUndefined();
  }
});

test("fitsHash says no to a hash that is none, without a throw", () => {
  expect(fitsHash("a", hashOf("a"))).toBe(true);
  expect(fitsHash("b", hashOf("a"))).toBe(false);
  expect(fitsHash("a", "")).toBe(false);
  expect(fitsHash("a", "zz")).toBe(false);
});

test("TokenBook keeps hashes, never a secret", async () => {
  const { book, store } = bookAt();
  const text = await book.create("robot", "viewer", "admin", seconds(60));
  const entries = JSON.stringify(await store.list(""));
  expect(entries).not.toContain(parseToken(text)?.secret);
  expect(entries).toContain(hashOf(parseToken(text)?.secret ?? ""));
});

test("TokenBook lets a token in until it ends or is revoked, and its name is free again then", async () => {
  const { book, later } = bookAt();
  const text = await book.create("robot", "operator", "admin", seconds(60));
  expect((await book.bearerOf(text))?.person).toEqual({ name: "robot", role: "operator" });
  await expect(book.create("robot", "admin", "admin", undefined)).rejects.toMatchObject({
    diagnostic: { code: "E967" },
  });
  later(60_000);
  expect(await book.bearerOf(text)).toBeUndefined();
  const again = await book.create("robot", "viewer", "admin", undefined);
  expect(await book.bearerOf(text)).toBeUndefined();
  expect((await book.bearerOf(again))?.person.role).toBe("viewer");
  expect(await book.revoke("robot")).toBe(true);
  expect(await book.revoke("robot")).toBe(false);
  expect(await book.bearerOf(again)).toBeUndefined();
});

test("TokenBook says that a record is broken, and takes it for no absence", async () => {
  const { book, store } = bookAt();
  const text = await book.create("robot", "viewer", "admin", undefined);
  await store.commit([
    { key: "web/token/robot", value: '{"format":"sixgate.token/1","role":"root"}', expected: "any" },
  ]);
  await expect(book.bearerOf(text)).rejects.toMatchObject({ diagnostic: { code: "E966" } });
  await expect(book.list()).rejects.toMatchObject({ diagnostic: { code: "E966" } });
});

test("ensureFirstToken writes a file for its owner only, keeps it, and makes both anew when they do not fit", async () => {
  const { book } = bookAt();
  const file = tokenFile();
  expect(await ensureFirstToken(file, book)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const first = readFileSync(file, "utf8").trim();
  expect(await book.bearerOf(first)).toMatchObject({ person: { name: "admin", role: "admin" } });
  expect(await ensureFirstToken(file, book)).toBe(false);
  expect(readFileSync(file, "utf8").trim()).toBe(first);
  rmSync(file);
  expect(await ensureFirstToken(file, book)).toBe(true);
  expect(await book.bearerOf(first)).toBeUndefined();
  writeFileSync(file, await book.create("low", "viewer", "admin", undefined));
  expect(await ensureFirstToken(file, book)).toBe(true);
  expect((await book.bearerOf(readFileSync(file, "utf8").trim()))?.person.role).toBe("admin");
});
