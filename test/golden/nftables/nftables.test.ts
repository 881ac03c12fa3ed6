import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { GatewayDesired } from "../../../src/desired/desired.ts";
import { nftables } from "../../../src/drivers/nftables/driver.ts";
import { runProcess } from "../../../src/runtime/process.ts";

const here = import.meta.dirname;
const cases = ["article", "closed-ranges", "site-48"] as const;
/** A network namespace of its own, and without root a user namespace around it. */
const alone = process.getuid?.() === 0 ? ["-n"] : ["-U", "-r", "-n"];

async function desiredOf(name: string): Promise<GatewayDesired> {
  return JSON.parse(await readFile(join(here, name, "desired.json"), "utf8")) as GatewayDesired;
}

function textOf(desired: GatewayDesired, file: string): string {
  const found = nftables.render(desired).find((each) => each.path.endsWith(`/${file}`));
  if (found === undefined) throw new Error(`No file ${file}`);
  return found.text;
}

test.each(cases)("render writes the boot file of %s", async (name) => {
  const desired = await desiredOf(name);
  expect(nftables.audit(desired).filter((each) => each.severity === "error")).toEqual([]);
  await expect(textOf(desired, "boot.nft")).toMatchFileSnapshot(join(here, name, "boot.nft"));
});

test("render writes the same unit for every gateway", async () => {
  const desired = await Promise.all(cases.map(desiredOf));
  for (const file of ["sixgate-boot.service", "50-sixgate.conf"]) {
    const texts = new Set(desired.map((each) => textOf(each, file)));
    expect(texts.size).toBe(1);
    for (const text of texts) await expect(text).toMatchFileSnapshot(join(here, file));
  }
});

test.each(cases)("nft loads the boot file of %s where no interface is, and again over itself", async (name) => {
  const script =
    "cat >/dev/shm/sixgate-test-$$ && nft -f - </dev/shm/sixgate-test-$$ && nft -f - </dev/shm/sixgate-test-$$; rm /dev/shm/sixgate-test-$$; nft list chains inet";
  const input = textOf(await desiredOf(name), "boot.nft");
  const ran = await runProcess("test", ["unshare", ...alone, "sh", "-c", script], { input });
  expect([ran.code, ran.stderr]).toEqual([0, ""]);
  expect(ran.stdout).toContain("hook forward priority filter; policy drop;");
  expect(ran.stdout).toContain("hook input priority filter; policy drop;");
});
