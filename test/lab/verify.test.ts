import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRoot } from "./harness.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

function sixgate(...words: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe.skipIf(!isRoot)("verify in a running lab (needs root)", () => {
  const name = "test-verify";
  const verify = (...words: readonly string[]): Promise<Ran> => sixgate("verify", "--lab", name, ...words);
  const nft = async (...words: readonly string[]): Promise<string> => {
    const ran = await sixgate("lab", "sh", "-n", name, "fw", "nft", ...words);
    if (ran.code !== 0) throw new Error(`nft ${words.join(" ")}: ${ran.stderr}`);
    return ran.stdout;
  };

  beforeAll(async () => {
    await sixgate("lab", "down", "-n", name);
    const up = await sixgate("lab", "up", "--detach", "--stand-in", "-n", name);
    if (up.code !== 0) throw new Error(up.stdout + up.stderr);
  });
  afterAll(async () => {
    await sixgate("lab", "down", "-n", name);
  });

  test("verify ends 0 where the gateway is as it was applied", async () => {
    const ran = await verify();
    expect([ran.code, ran.stdout]).toEqual([
      0,
      expect.stringMatching(/^no drift.*\nproved: nothing gets through but what is allowed/),
    ]);
  });

  test("verify ends 2 after a rule by hand, and names the packet and the rule", async () => {
    await nft("insert", "rule", "inet", "sixgate", "openings", 'tcp dport 22 accept comment "by hand"');
    try {
      const ran = await verify("--from", "internet");
      expect(ran.code).toBe(2);
      expect(ran.stdout).toContain("DRIFT    fw gateway: update chain openings");
      expect(ran.stdout).toMatch(/^EXPOSED {2}E971 internet → 2001:db8:1234:321d:/m);
      expect(ran.stdout).toMatch(
        /^ {2}packet in wan tcp \[2001:db8:ffff::2\]:40000 to \[2001:db8:1234:321d:[0-9a-f:]+\]:22$/m,
      );
      expect(ran.stdout).toMatch(
        /^ {2}accept by inet sixgate openings handle \d+: tcp dport 22 accept \(comment "by hand"\)$/m,
      );
    } finally {
      const listed = await nft("--json", "--handle", "list", "chain", "inet", "sixgate", "openings");
      const handle = /"handle": ?(\d+), "comment": ?"by hand"/.exec(listed)?.[1] ?? "";
      await nft("delete", "rule", "inet", "sixgate", "openings", "handle", handle);
    }
    expect((await verify("--from", "internet")).code).toBe(0);
  });

  test("verify ends 2 where a table of somebody else keeps out what is allowed, though nothing of ours drifted", async () => {
    await nft(
      "add table inet other; add chain inet other f { type filter hook forward priority 5; }; add rule inet other f ip6 daddr 2001:db8:1234:321d:23::80 tcp dport 443 counter drop",
    );
    try {
      const ran = await verify("--json", "--from", "internet");
      const said = JSON.parse(ran.stdout) as { drift: unknown[]; differences: Record<string, unknown>[] };
      expect([ran.code, said.drift, said.differences]).toEqual([
        2,
        [],
        [
          expect.objectContaining({
            kind: "blocked",
            places: ["2001:db8:1234:321d:23::80"],
            packet: expect.objectContaining({ to: "2001:db8:1234:321d:23::80", toPort: 443, protocol: 6 }),
            decision: expect.objectContaining({
              verdict: "drop",
              rule: expect.objectContaining({ table: "inet other", chain: "f" }),
            }),
          }),
        ],
      ]);
    } finally {
      await nft("delete table inet other");
    }
  });

  test("verify is not sure, and says so, where a rule is not understood", async () => {
    await nft(
      "add table inet other; add chain inet other f { type filter hook forward priority 5; }; add rule inet other f jhash ip6 saddr mod 2 0 drop",
    );
    try {
      const ran = await verify("--from", "internet");
      expect(ran.code).toBe(2);
      expect(ran.stdout).toMatch(/^UNSURE {3}E973 internet → 2001:db8:1234:321d:23::80/m);
      expect(ran.stdout).toMatch(/unknown by inet other f handle \d+: jhash .*: jhash$/m);
    } finally {
      await nft("delete table inet other");
    }
  });

  test("an element by hand is drift, and exposed at its address only", async () => {
    const element = "{ 2001:db8:1234:321d:32::80 . tcp . 22 }";
    await nft("add", "element", "inet", "sixgate", "static_open", element);
    try {
      const ran = await verify("--from", "internet");
      expect([ran.code, ran.stdout.match(/^EXPOSED.*$/gm)]).toEqual([
        2,
        ["EXPOSED  E971 internet → 2001:db8:1234:321d:32::80"],
      ]);
      expect(ran.stdout).toContain("tcp 22 from any on the Internet");
      const seen = await sixgate("exposure", "--lab", name);
      expect(seen.stdout).toMatch(
        /^2001:db8:1234:321d:32::80 +tcp 22 +any on the Internet +yes\n +tcp 8000 +2001:db8:aaaa::\/48/m,
      );
    } finally {
      await nft("delete", "element", "inet", "sixgate", "static_open", element);
    }
  });

  test("why --rules names the rule that decides, without a controller", async () => {
    const open = await sixgate("why", "vm2/api:8000", "--from", "office", "--rules", "--lab", name);
    expect([open.code, open.stdout]).toEqual([
      0,
      expect.stringMatching(/accept by inet sixgate static_openings handle \d+: .*@static_from/),
    ]);
    const closed = await sixgate("why", "vm2/api:8000", "--rules", "--lab", name);
    expect(closed.stdout).toMatch(/drop {3}by inet sixgate denied handle \d+: counter drop/);
  });

  test("test asks the fleet's tests of the rules and, live, with packets", async () => {
    const asked = await sixgate("test", "--lab", name);
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringMatching(/^11 passed, 0 failed$/m)]);
    const live = await sixgate("test", "--live", "--lab", name);
    expect([live.code, live.stdout]).toEqual([0, expect.stringMatching(/^\d\d passed, 0 failed, with packets$/m)]);
  });

  test("probe asks in nmap's words, and only the fleet's own addresses", async () => {
    const ran = await sixgate("probe", "vm1/web:443", "--lab", name, "--wait", "2000");
    expect(ran.stdout).toMatch(/443\/tcp +open +syn-ack/);
    expect(ran.stdout).toMatch(/444\/tcp +filtered +no-response/);
    expect(ran.stdout).toMatch(/ping +open +echo-reply/);
    const foreign = await sixgate("probe", "[2001:db8:ffff::2]:22", "--lab", name);
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining("E976 Not in 2001:db8:1234:321d::/64")]);
  });

  test("a test that fails ends plan 3, and stops apply", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sixgate-tests-"));
    try {
      const file = join(folder, "fleet.yaml");
      const text = await readFile("examples/lab.yaml", "utf8");
      await writeFile(
        file,
        text
          .replace("to: vm1/db, closed: all", "to: vm1/web, closed: [80]")
          .replace("open: [80, 443, ping], closed: all", "open: [443], closed: [22]"),
      );
      const planned = await sixgate("plan", "-f", file, "--lab", name);
      expect([planned.code, planned.stdout]).toEqual([
        3,
        expect.stringMatching(/FAILS .* internet → vm1\/web 80\/tcp is not closed/),
      ]);
      const applied = await sixgate("apply", "-f", file, "--lab", name, "--yes");
      expect([applied.code, applied.stderr]).toEqual([
        3,
        expect.stringContaining("E975 internet → vm1/web 80/tcp would not be closed"),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
