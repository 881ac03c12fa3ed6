import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPageFiles } from "./page-files.ts";

test("readPageFiles serves what was built and nothing else of its folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-page-files-"));
  try {
    expect(await readPageFiles(folder)).toBeUndefined();
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<!doctype html>");
    writeFileSync(join(folder, "assets/index-1.js"), "1");
    writeFileSync(join(folder, "assets/index-1.js.map"), "{}");
    writeFileSync(join(folder, "other.txt"), "no");
    const files = await readPageFiles(folder);
    expect([...(files ?? [])].map(([path, { type, cache }]) => `${path} ${type} ${cache}`)).toEqual([
      "/ text/html; charset=utf-8 no-cache",
      "/assets/index-1.js text/javascript; charset=utf-8 public, max-age=31536000, immutable",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
