import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSecret } from "./secret.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sixgate-secret-"));
});
afterAll(() => {
  delete process.env["SIXGATE_TEST_KEY"];
  delete process.env["CREDENTIALS_DIRECTORY"];
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

test("readSecret takes it from a file, the environment or a credential of systemd, without the end of its line", async () => {
  process.env["SIXGATE_TEST_KEY"] = "from env";
  process.env["CREDENTIALS_DIRECTORY"] = folder;
  file("fw-key", "from systemd\n", 0o400);
  expect(await readSecret({ kind: "file", path: file("key", "abc=\r\n") }, "fw")).toBe("abc=");
  expect(await readSecret({ kind: "env", name: "SIXGATE_TEST_KEY" }, "fw")).toBe("from env");
  expect(await readSecret({ kind: "credential", name: "fw-key" }, "fw")).toBe("from systemd");
});

test("readSecret rejects with E550 what is missing, empty, of several lines, or open to everybody, and never shows it", async () => {
  delete process.env["SIXGATE_TEST_KEY"];
  const failing = [
    { kind: "env", name: "SIXGATE_TEST_KEY" },
    { kind: "file", path: join(folder, "none") },
    { kind: "file", path: folder },
    { kind: "file", path: file("empty", "\n") },
    { kind: "file", path: file("lines", "s3cret\nx: y\n") },
    { kind: "file", path: file("accent", "s3crét\n") },
    { kind: "file", path: file("open", "s3cret\n", 0o644) },
    { kind: "credential", name: "none" },
  ] as const;
  for (const source of failing) {
    const failed = await readSecret(source, "fw").catch((error: unknown) => error);
    expect(failed).toMatchObject({ diagnostic: { code: "E550", at: "fw" } });
    expect(JSON.stringify((failed as { diagnostic: unknown }).diagnostic)).not.toContain("s3cr");
  }
});
