import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { GatewayDesired } from "../../../src/desired/desired.ts";
import { nftables } from "../../../src/drivers/nftables/driver.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const cases = ["article", "closed-ranges", "site-48"] as const;
const isRoot = process.getuid?.() === 0;
/** A network namespace of its own, and without root a user namespace around it. */
const alone = isRoot ? ["-n"] : ["-U", "-r", "-n"];

async function desiredOf(name: string): Promise<GatewayDesired> {
  return JSON.parse(await readFile(join(here, name, "desired.json"), "utf8")) as GatewayDesired;
}

test.each(cases)("render writes the files of %s", async (name) => {
  const desired = await desiredOf(name);
  expect(nftables.audit(desired).filter((each) => each.severity === "error")).toEqual([]);
  const files = nftables.render(desired);
  expect(files.map((each) => each.path)).toEqual([
    "/etc/sixgate/boot.nft",
    "/etc/systemd/system/sixgate-boot.service",
    "/etc/systemd/system/sysinit.target.d/50-sixgate.conf",
  ]);
  for (const { path, text } of files)
    await expect(text).toMatchFileSnapshot(join(here, name, path.split("/").at(-1) ?? ""));
});

test.each(cases)("nft loads the boot file of %s, twice, where no interface is", async (name) => {
  const file = join(here, name, "boot.nft");
  const script = `nft -f "$1" && nft list table inet sixgate >/dev/null && nft -f "$1" && nft --json list chains inet | grep -o '"hook": "[a-z]*"[^}]*"policy": "[a-z]*"'`;
  const { stdout } = await run("unshare", [...alone, "sh", "-c", script, "sh", file]);
  const policies = stdout.match(/"hook": "(input|forward)".*?"policy": "drop"/g);
  expect(policies?.length).toBe(2);
});
