import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sweepSocketFolders } from "./socket-folder.ts";

test("sweepSocketFolders takes away empty folders of a day ago whose process is gone, and nothing else", () => {
  const within = mkdtempSync(join(tmpdir(), "sixgate-sweep-"));
  try {
    const ended = spawnSync("true").pid;
    const [gone, full, ours] = [
      `sixgate-ssh-${ended}-gone`,
      `sixgate-ssh-${ended}-full`,
      `sixgate-ssh-${process.pid}-a`,
    ];
    for (const name of [gone, full, ours, "sixgate-ssh-x", "other"]) mkdirSync(join(within, name));
    writeFileSync(join(within, full, "socket"), "");

    sweepSocketFolders(within);
    expect(readdirSync(within)).toHaveLength(5);

    sweepSocketFolders(within, Date.now() + 2 * 86_400_000);
    expect(readdirSync(within).toSorted()).toEqual([full, ours, "sixgate-ssh-x", "other"].toSorted());
  } finally {
    rmSync(within, { recursive: true });
  }
});

test("sweepSocketFolders of a folder that can't be read does nothing", () => {
  expect(() => sweepSocketFolders(join(tmpdir(), "sixgate-not-there"))).not.toThrow();
});
