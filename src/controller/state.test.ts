import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Failure } from "../base/failure.ts";
import { systemClock } from "../runtime/clock.ts";
import { openAuthority } from "./authority.ts";
import { type ControllerState, openState } from "./state.ts";
import { backupState } from "./state-backup.ts";

const root = await mkdtemp(join(tmpdir(), "sixgate-state-"));
afterAll(() => rm(root, { recursive: true }));
let folders = 0;

function open(folder: string, acceptLoss = false): Promise<ControllerState> {
  return openState({ folder, clock: systemClock, acceptLoss });
}

/** A folder that a controller has used for a while. */
async function used(): Promise<string> {
  const folder = join(root, `${++folders}`);
  const state = await open(folder);
  for (let n = 0; n < 5; n++) {
    await state.store.commit([{ key: `k/${n}`, value: `${n}`, expected: 0 }]);
    state.journal.append("ada", "open", { n });
    await state.anchor();
  }
  await state.end();
  return folder;
}

async function codeOf(work: Promise<ControllerState>): Promise<string> {
  const result: unknown = await work.catch((cause: unknown) => cause);
  if (result instanceof Failure) return result.diagnostic.code;
  await (result as ControllerState).end();
  return "opened";
}

function lastSegment(folder: string): string {
  const names = readdirSync(join(folder, "journal")).sort();
  return join(folder, "journal", names.at(-1) ?? "");
}

test("openState opens what it made, as often as one likes", async () => {
  const folder = await used();
  for (let n = 0; n < 3; n++) expect(await codeOf(open(folder))).toBe("opened");
  const state = await open(folder);
  expect(await state.journal.verify()).toBeUndefined();
  expect((await state.store.list("k/")).length).toBe(5);
  await state.end();
});

test("anchor writes nothing where nothing has moved", async () => {
  const state = await open(await used());
  await state.anchor();
  const { sequence } = state.journal.head();
  for (let n = 0; n < 3; n++) await state.anchor();
  expect(state.journal.head().sequence).toBe(sequence);
  await state.end();
});

test.each<[string, (folder: string) => void | Promise<void>, string]>([
  ["a store that is missing", (folder) => rmSync(join(folder, "store.db")), "E942"],
  ["a store that is empty", (folder) => truncateSync(join(folder, "store.db"), 0), "E941"],
  ["a store that is broken", (folder) => writeFileSync(join(folder, "store.db"), "nothing of the kind"), "E941"],
  ["a journal that is missing", (folder) => rmSync(join(folder, "journal"), { recursive: true }), "E944"],
  [
    "a journal whose end was cut off",
    (folder) => {
      const text = readFileSync(lastSegment(folder), "utf8").trimEnd().split("\n");
      writeFileSync(lastSegment(folder), `${text.slice(0, -1).join("\n")}\n`);
    },
    "E944",
  ],
  [
    "a journal in which a letter was changed",
    (folder) => writeFileSync(lastSegment(folder), readFileSync(lastSegment(folder), "utf8").replace('"n":2', '"n":7')),
    "E943",
  ],
])("openState refuses %s, and begins anew only when that is accepted", async (_, harm, code) => {
  const folder = await used();
  await harm(folder);
  expect(await codeOf(open(folder))).toBe(code);
  expect(await codeOf(open(folder))).toBe(code);
  const state = await open(folder, true);
  await state.journal.flush();
  expect(await state.journal.verify()).toBeUndefined();
  const whats = (await state.journal.read(0, 1000)).map(({ what }) => what);
  expect(whats.some((what) => what === "store-lost" || what === "journal-repaired")).toBe(true);
  await state.end();
  expect(await codeOf(open(folder))).toBe("opened");
});

test("openState refuses a store that was put back alone: the journal knows a newer one", async () => {
  const folder = await used();
  const old = join(root, `${++folders}.db`);
  await cp(join(folder, "store.db"), old);
  const state = await open(folder);
  await state.store.commit([{ key: "later", value: "x", expected: 0 }]);
  await state.end();
  await cp(old, join(folder, "store.db"));
  expect(await codeOf(open(folder))).toBe("E942");
  expect(await codeOf(open(folder, true))).toBe("opened");
  expect(await codeOf(open(folder))).toBe("opened");
});

test("openState refuses a journal that was put back alone", async () => {
  const folder = await used();
  const old = join(root, `${++folders}-journal`);
  await cp(join(folder, "journal"), old, { recursive: true });
  const state = await open(folder);
  state.journal.append("ada", "open");
  await state.end();
  rmSync(join(folder, "journal"), { recursive: true });
  await cp(old, join(folder, "journal"), { recursive: true });
  expect(await codeOf(open(folder))).toBe("E944");
});

test("a state that a killed process left is opened, with what was on disk", async () => {
  const folder = await used();
  const state = await open(folder);
  await state.store.commit([{ key: "later", value: "x", expected: 0 }]);
  state.journal.append("ada", "open", { revision: 99_999 });
  const copy = join(root, `${++folders}`);
  await cp(folder, copy, { recursive: true });
  const again = await open(copy);
  expect(await again.store.get("later")).toBeDefined();
  await again.end();
  await state.journal.end();
  await state.store.end();
});

test("backupState makes a folder that a controller starts from, while another uses the first", async () => {
  const folder = await used();
  await openAuthority(folder, () => systemClock.now());
  const state = await open(folder);
  state.journal.append("ada", "open", { n: 100 });
  await state.store.commit([{ key: "later", value: "x", expected: 0 }]);
  await state.journal.flush();
  const to = join(root, `${++folders}`);
  const last = await backupState(folder, to);
  expect(last).toBeGreaterThan(5);
  await expect(backupState(folder, to)).rejects.toThrow(Failure);
  state.journal.append("ada", "open", { n: 101 });
  await state.end();
  const restored = await open(to);
  expect(restored.journal.head().sequence).toBe(last);
  expect(await restored.journal.verify()).toBeUndefined();
  expect(await restored.store.get("later")).toBeDefined();
  expect(existsSync(join(to, "authority.key"))).toBe(true);
  await openAuthority(to, () => systemClock.now());
  await restored.end();
});
