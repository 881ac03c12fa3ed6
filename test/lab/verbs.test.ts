import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isRoot } from "./harness.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Options = {
  readonly user?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: { readonly after: string; readonly name: NodeJS.Signals };
};

/** The real command as a process of its own; as nobody with `user`; with a signal once it has said something. */
function sixgate(words: readonly string[], options: Options = {}): Promise<Ran> {
  const drop = options.user === true ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"] : [];
  const [program = "", ...args] = [...drop, process.execPath, main, ...words];
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
  });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    if (options.signal === undefined || sent || !stderr.includes(options.signal.after)) return;
    sent = true;
    child.kill(options.signal.name);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** What a lab could leave: named namespaces, mounts, folders, cgroups, links, processes with its mark. */
async function traces(name: string): Promise<Readonly<Record<string, unknown>>> {
  const marked: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`SIXGATE_LAB=`) && environment.includes(`/${name}\0`)) marked.push(pid);
  }
  const folders = await Promise.all(
    ["/run/netns", `/run/sixgate/lab/${name}`, "/sys/class/net", "/sys/fs/cgroup"].map((path) =>
      readdir(path).catch(() => []),
    ),
  );
  return {
    marked,
    mounts: (await readFile("/proc/self/mounts", "utf8")).split("\n").filter((line) => line.includes("sixgate")),
    folders: folders.map((names) =>
      names.filter((each) => !each.startsWith("sixgate-") || each === `sixgate-lab-${name}`),
    ),
    cgroup: await readdir(`/sys/fs/cgroup/memory/sixgate-lab-${name}`).catch(() => "none"),
  };
}

describe.skipIf(!isRoot)("lab verbs (need root)", () => {
  const name = "test-verbs";
  const named = ["-n", name];
  let before: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    await sixgate(["lab", "down", ...named]);
    before = await traces(name);
  });
  afterAll(async () => {
    await sixgate(["lab", "down", ...named]);
  });

  test("lab up --detach proves itself, prints the table and leaves it running; down leaves nothing", async () => {
    const up = await sixgate(["lab", "up", "--detach", "--stand-in", ...named]);
    expect(up.stdout).toContain("2001:db8:1234:321d:20::2/80");
    expect(up.stdout).toMatch(/^48 passed, 0 failed/m);
    expect(up.code).toBe(0);
    const shown = linkIn(up.stdout);
    expect([await redeem(shown), await redeem(shown)]).toEqual(["admin", "E956"]);
    expect(await redeem((await sixgate(["page", "--lab", name])).stdout.trim())).toBe("admin");

    const again = await sixgate(["lab", "up", "--detach", "--stand-in", ...named]);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("runs already")]);
    expect(again.stdout).toContain("11 of 11 nodes run");
    expect(again.stdout).toContain(`PAGE  ${new URL(shown).origin}    ./sixgate page --lab ${name} prints a link`);
    const literal = join(tmpdir(), "sixgate-other.yaml");
    await writeFile(literal, (await readFile("examples/lab.yaml", "utf8")).replace("fleet: lab", "fleet: other"));
    const another = await sixgate(["lab", "up", "--detach", "--stand-in", ...named, "-f", literal]);
    await rm(literal);
    expect([another.code, another.stderr]).toEqual([
      1,
      expect.stringContaining("E706 A lab of this name already runs"),
    ]);

    const status = await sixgate(["--json", "lab", "status", ...named]);
    const seen = JSON.parse(status.stdout) as { runs: boolean; state: { running: readonly unknown[] } };
    expect([status.code, seen.runs, seen.state.running.length]).toEqual([0, true, 5]);

    const test = await sixgate(["lab", "test", ...named]);
    expect([test.code, test.stdout]).toEqual([0, expect.stringContaining("no drift")]);

    const plan = await sixgate([
      "plan",
      "--lab",
      name,
      "-f",
      "examples/lab.yaml",
      "--only",
      "fw",
      "pve",
      "--detailed-exitcode",
    ]);
    expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining("No changes")]);

    const sh = await sixgate(["lab", "sh", ...named, "vm1/web", "ip", "-6", "-o", "addr", "show", "dev", "eth0"]);
    expect(sh.stdout).toContain("2001:db8:1234:321d:23::80/80");

    const down = await sixgate(["lab", "down", ...named]);
    expect([down.code, await traces(name)]).toEqual([0, before]);
    await expect(fetch(new URL("/healthz", shown))).rejects.toThrow("fetch failed");
    const twice = await sixgate(["lab", "down", ...named]);
    expect([twice.code, twice.stdout]).toEqual([0, `no lab "${name}" runs\n`]);
    expect((await sixgate(["lab", "status", ...named])).code).toBe(1);
    expect((await sixgate(["lab", "test", ...named])).stderr).toContain("E707");
  });

  test("lab test sees a rule added by hand, a port opened by hand and an address removed by hand; apply mends them", async () => {
    await sixgate(["lab", "up", "--detach", "--stand-in", ...named]);
    try {
      const inGateway = (...words: readonly string[]) => sixgate(["lab", "sh", ...named, "fw", ...words]);
      expect((await inGateway("nft", "insert", "rule", "inet", "sixgate", "openings", "accept")).code).toBe(0);
      expect((await inGateway("ip", "-6", "route", "del", "unreachable", "2001:db8:1234:321d::/64")).code).toBe(0);
      expect(
        (
          await sixgate([
            "lab",
            "sh",
            ...named,
            "vm1",
            "ip",
            "addr",
            "del",
            "2001:db8:1234:321d:20::2/80",
            "dev",
            "eth1",
          ])
        ).code,
      ).toBe(0);
      const test = await sixgate(["lab", "test", ...named]);
      expect(test.code).toBe(3);
      expect(test.stdout).toMatch(/^FAIL .*internet → vm2\/plain +8080\/tcp +closed +open/m);
      expect(test.stdout).toContain("DRIFT fw gateway: update chain openings");
      expect(test.stdout).toContain("DRIFT fw guest: create route 2001:db8:1234:321d::/64");
      expect(test.stdout).toContain("DRIFT vm1 guest: create address eth1 2001:db8:1234:321d:20::2/80");
      const diff = await sixgate(["diff", "--lab", name, "-f", "examples/lab.yaml"]);
      expect([diff.code, diff.stderr]).toEqual([2, expect.stringContaining("not read")]);
      expect(diff.stdout).toContain("  + address eth1 2001:db8:1234:321d:20::2/80");
      const guests = await sixgate(["apply", "--lab", name, "-f", "examples/lab.yaml", "--only", "fw", "--yes"]);
      expect([guests.code, guests.stdout]).toEqual([
        0,
        expect.stringContaining("every device read back and confirmed"),
      ]);
      const mended = await sixgate([
        "plan",
        "--lab",
        name,
        "-f",
        "examples/lab.yaml",
        "--only",
        "fw",
        "--detailed-exitcode",
      ]);
      expect(mended.code).toBe(0);
    } finally {
      await sixgate(["lab", "down", ...named]);
      await rm("examples/lab.ledger.json", { force: true });
    }
  });

  test("lab up that is interrupted takes down what it made", async () => {
    const up = await sixgate(["lab", "up", "--detach", "--stand-in", ...named], {
      signal: { after: "✓ machines", name: "SIGINT" },
    });
    expect(up.code).toBe(1);
    expect(await traces(name)).toEqual(before);
  });

  test("lab up in the foreground stays until Ctrl-C, and leaves nothing", async () => {
    const up = await sixgate(["lab", "up", "--stand-in", ...named], {
      signal: { after: "Ctrl-C ends it", name: "SIGINT" },
    });
    expect([up.code, up.stdout]).toEqual([0, expect.stringMatching(/^48 passed, 0 failed/m)]);
    expect(await traces(name)).toEqual(before);
  });

  test("lab up that is killed is cleaned up by the next verb", async () => {
    const up = await sixgate(["lab", "up", "--detach", "--stand-in", ...named], {
      signal: { after: "✓ machines", name: "SIGKILL" },
    });
    expect(up.code).toBe(null);
    expect((await traces(name))["marked"]).not.toEqual([]);
    expect((await sixgate(["lab", "down", ...named])).code).toBe(0);
    expect(await traces(name)).toEqual(before);
  });

  test("lab up without root says so, and does the same rootless", async () => {
    const home = await mkdtemp(join(tmpdir(), "sixgate-home-"));
    const environment = { HOME: home, XDG_CACHE_HOME: join(home, "cache"), SIXGATE_LAB_DIR: join(home, "lab") };
    await new Promise((resolve) => spawn("chown", ["65534:65534", home]).once("close", resolve));
    try {
      const refused = await sixgate(["lab", "up", "--detach", ...named], { user: true, environment });
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/E003 .*need root\n {2}fix: .*--rootless/),
      ]);
      const up = await sixgate(["lab", "up", "--rootless", "--detach", ...named], { user: true, environment });
      expect(up.stdout + up.stderr).toMatch(/^48 passed, 0 failed/m);
      // This process is outside: so is a browser.
      expect(await redeem(linkIn(up.stdout))).toBe("admin");
      const linked = await sixgate(["page", "--lab", name], { user: true, environment });
      expect(await redeem(linked.stdout.trim())).toBe("admin");
      const test = await sixgate(["lab", "test", ...named], { user: true, environment });
      expect([test.code, test.stdout]).toEqual([0, expect.stringContaining("48 passed, 0 failed")]);
    } finally {
      const down = await sixgate(["lab", "down", ...named], { user: true, environment });
      expect(down.stdout).toContain(`lab "${name}" is down`);
      expect(await readdir(join(home, "lab")).catch(() => [])).toEqual([]);
      expect(await processesWith(`HOME=${home}`)).toEqual([]);
      await rm(home, { recursive: true, force: true });
    }
  });
});

/** The link that `lab up` shows: on this machine's loopback, whatever else it prints. */
function linkIn(text: string): string {
  return /^PAGE  (http:\/\/127\.0\.0\.1:\d+\/#code=[\w-]{43})$/m.exec(text)?.[1] ?? `no link in ${text}`;
}

/** Does with a link what the page does: the role that it signs in with, or the code of the refusal. */
async function redeem(link: string): Promise<unknown> {
  const { origin, hash } = new URL(link);
  const said = await fetch(`${origin}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ code: hash.replace("#code=", "") }),
  });
  const answer = (await said.json()) as { role?: string; errors?: readonly { code: string }[] };
  return answer.role ?? answer.errors?.[0]?.code;
}

/** Command lines of the processes that have this in their environment. */
async function processesWith(variable: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name))) {
    const [environment, command] = await Promise.all(
      ["environ", "cmdline"].map((file) => readFile(`/proc/${entry}/${file}`, "utf8").catch(() => "")),
    );
    if (environment?.split("\0").includes(variable) === true) found.push(command ?? "");
  }
  return found;
}
