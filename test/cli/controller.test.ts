import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import { printable } from "../../src/base/printable.ts";
import { instant } from "../../src/base/time.ts";
import { serveApi } from "../../src/web/serve.ts";
import { type Stand, withApi } from "../web/bench.ts";
import { certificate } from "../web/certificate.ts";
import { MemoryController } from "../web/memory-controller.ts";
import { opening, refusal, suggestion, vm1 } from "../web/views.ts";
import { inFolder, main, type Said, sixgate } from "./run.ts";

const nowhere = { SIXGATE_CONTROLLER: undefined, SIXGATE_TOKEN_FILE: undefined, SIXGATE_CA: undefined };

/** The command line, told by its environment where the stand's controller is. */
function ask(
  stand: Stand,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Said> {
  return sixgate(words, {
    cwd: stand.folder,
    env: {
      ...nowhere,
      SIXGATE_CONTROLLER: stand.served.urls[0],
      SIXGATE_TOKEN_FILE: join(stand.folder, "admin.token"),
      ...env,
    },
  });
}

async function json(stand: Stand, words: readonly string[]): Promise<Record<string, unknown>> {
  const said = await ask(stand, ["--json", ...words]);
  expect(said.code, said.err).toBe(0);
  return JSON.parse(said.out) as Record<string, unknown>;
}

const reason = ["--because", "maintenance"];

test("open, openings and close: what a person opens is shown with its reason and its end, and closes", async () => {
  await withApi(async (stand) => {
    const opened = await ask(stand, [
      "open",
      "vm1/web",
      "443",
      "53/udp,ping",
      "--from",
      "office,2001:db8:7::/48",
      "--for",
      "2h",
      ...reason,
    ]);
    expect(opened.err).toBe("");
    expect(opened.code).toBe(0);
    expect(opened.out).toMatch(
      /vm1\/web +2001:db8:1234:321d:23::80 +443\/tcp +2001:db8:7::\/48, 2001:db8:aaaa::\/48 +person admin: maintenance/,
    );
    expect(stand.controller.openings().map((each) => each.ends)).toEqual(
      Array.from({ length: 3 }, () => expect.any(Number)),
    );
    const listed = await ask(stand, ["openings"]);
    // No packets can be told of: the gateway of this stand counts none.
    expect(listed.out).toMatch(/ {2}2h +\?$/m);
    const list = await json(stand, ["openings", "--host", "vm1"]);
    expect(list).toMatchObject({ format: "sixgate.openings/1" });
    expect(list["entries"]).toEqual(stand.controller.openings().toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    const id = stand.controller.openings()[0]?.id ?? "";
    const closed = await ask(stand, ["close", id, ...reason]);
    expect(closed.out).toContain("closed 443/tcp at 2001:db8:1234:321d:23::80 (vm1/web)");
    expect(stand.controller.openings()).toHaveLength(2);
    const again = await ask(stand, ["close", id, ...reason]);
    expect(again.code).toBe(1);
    expect(again.err).toContain("E960");
  });
});

test.each<readonly [name: string, words: readonly string[], code: number, says: string]>([
  ["no reason", ["open", "vm1/web", "443"], 64, "because"],
  ["no port", ["open", "vm1/web", ...reason], 64, "ports"],
  ["a port that is none", ["open", "vm1/web", "44x", ...reason], 1, "E802"],
  ["published", ["open", "vm1/web", "published", ...reason], 1, "E802"],
  ["no length of time", ["open", "vm1/web", "443", "--for", "ever", ...reason], 1, "E802"],
  ["an unknown group", ["open", "vm1/web", "443", "--from", "ofice", ...reason], 1, "E955"],
  ["what policy refuses", ["open", "2001:db8::1", "443", ...reason], 4, "E223"],
  ["two kinds of lists", ["openings", "--refused", "--suggestions"], 1, "E802"],
  ["no number", ["openings", "--most", "many"], 1, "E802"],
  ["no time", ["audit", "--since", "yesterday"], 1, "E802"],
  ["no head", ["audit", "--known", "abc"], 1, "E802"],
  ["a host that is not in the fleet", ["invite", "vm9"], 1, "E960"],
  ["a role that is none", ["token", "create", "x", "--role", "root"], 64, "root"],
  ["a name that is none", ["token", "create", "X Y", "--role", "viewer"], 1, "E955"],
  ["a token that is not there", ["token", "revoke", "nobody"], 1, "E960"],
  ["a target without a port", ["why", "vm1/web"], 1, "E955"],
  ["a URL in the clear", ["status", "--controller", "http://192.0.2.1:6464"], 1, "E813"],
  ["a URL with a password", ["status", "--controller", "https://a:b@fw"], 1, "E813"],
  ["a path without unix:", ["status", "--controller", "/run/sixgate/controller.sock"], 1, "E813"],
])("refuses %s, says why, and changes nothing", async (_, words, code, says) => {
  await withApi(async (stand) => {
    const said = await ask(stand, ["--json", ...words]);
    expect(said.err).toContain(says);
    expect(said.err).toMatch(/fix: \S/);
    expect(said.code).toBe(code);
    expect(stand.controller.journalEntries).toEqual([]);
    expect(JSON.parse(said.out)).toMatchObject({
      format: "sixgate.error/1",
      errors: [{ code: expect.stringMatching(/^E/) }],
    });
  });
});

test("errors of reach: no controller, no token, a wrong one, one that may not; each with its own fix", async () => {
  await withApi(async (stand) => {
    const file = (name: string, text: string): string => {
      writeFileSync(join(stand.folder, name), text);
      return join(stand.folder, name);
    };
    const viewer = file("viewer", `${await stand.tokenOf("viewer")}\n`);
    const wrong = file("wrong", `${stand.admin.slice(0, -2)}xx`);
    const cases: readonly (readonly [
      env: Record<string, string | undefined>,
      words: readonly string[],
      code: string,
      fix: string,
    ])[] = [
      [{ SIXGATE_CONTROLLER: `unix:${stand.folder}/none` }, ["status"], "E810", "sixgate controller"],
      [{ SIXGATE_CONTROLLER: "https://127.0.0.1:1" }, ["status"], "E810", "see that the controller runs"],
      [{ SIXGATE_TOKEN_FILE: join(stand.folder, "none") }, ["status"], "E811", "--token-file"],
      [{ SIXGATE_TOKEN_FILE: file("empty", "hello") }, ["status"], "E811", "sixgate token create"],
      [{ SIXGATE_TOKEN_FILE: wrong }, ["status"], "E956", "sixgate token create"],
      [{ SIXGATE_TOKEN_FILE: viewer }, ["open", "vm1/web", "443", ...reason], "E957", "--role operator"],
      [{ SIXGATE_TOKEN_FILE: viewer }, ["invite", "vm1"], "E957", "--role admin"],
    ];
    const all = await Promise.all(cases.map(([env, words]) => ask(stand, words, env)));
    for (const [i, [, words, code, fix]] of cases.entries()) {
      const said = all[i] as Said;
      expect({ words, code: said.code }).toEqual({ words, code: 1 });
      expect(said.err).toContain(code);
      expect(said.err.split("\n").find((line) => line.startsWith("  fix: "))).toContain(fix);
    }
    expect((await ask(stand, ["status"], { SIXGATE_TOKEN_FILE: viewer })).code).toBe(0);
  });
}, 60_000);

test("without a word and an environment the controller of this machine is meant", async () => {
  await inFolder(async (folder) => {
    const said = await sixgate(["status"], { cwd: folder, env: nowhere });
    // On a machine with no controller: either the token or the socket is not there.
    expect(said.err).toMatch(/\/var\/lib\/sixgate\/admin\.token: E811|unix:\/run\/sixgate\/controller\.sock: E810/);
    expect(said.code).toBe(1);
  });
});

test("over TLS with the controller's authority; not without it", async () => {
  const tls = certificate("controller");
  await withApi(
    async (stand) => {
      const ca = join(stand.folder, "ca.pem");
      writeFileSync(ca, tls.cert);
      const env = { SIXGATE_CONTROLLER: stand.served.urls[1] };
      expect((await ask(stand, ["status", "--ca", ca], env)).code).toBe(0);
      const refused = await ask(stand, ["status"], env);
      expect(refused.err).toContain("E810");
      expect(refused.err).toContain("--ca");
      expect((await ask(stand, ["status", "--ca", join(stand.folder, "admin.token")], env)).err).toContain("E811");
    },
    [{ kind: "tcp", host: "127.0.0.1", port: 0, tls }],
  );
});

const hostile = 'evil\u001b[2J\u202e\r\n<b>"';

test("what containers are called can't move the cursor, break a line or turn the text around", async () => {
  await withApi(async (stand) => {
    const container = { id: "a".repeat(64), name: hostile };
    stand.controller.scene.openings.set("vm1", [
      opening("a", { container, askedBy: { kind: "label", name: hostile, text: hostile }, reason: hostile }),
    ]);
    stand.controller.scene.refusals.set("vm1", [refusal({ container, text: hostile, why: hostile, fix: hostile })]);
    stand.controller.scene.suggestions.set("vm1", [suggestion({ container, label: hostile })]);
    stand.controller.scene.agents.push({
      host: vm1,
      state: "connected",
      containers: 1,
      version: hostile,
      engine: hostile,
    });
    await stand.controller.note({ name: hostile, role: "admin" }, hostile, { [hostile]: hostile });
    for (const words of [
      ["openings"],
      ["openings", "--refused"],
      ["openings", "--suggestions"],
      ["status"],
      ["audit"],
      ["why", "[2001:db8:1234:321d:23::80]:443"],
    ]) {
      const said = await ask(stand, words);
      expect(said.out).toContain("evil\\x1b[2J\\u{202e}\\r\\n<b>");
      // Each line as `printable` gives it: nothing is left to encode.
      for (const line of (said.out + said.err).split("\n")) expect(line).toBe(printable(line));
    }
    const entries = (await json(stand, ["openings"]))["entries"];
    expect(entries).toMatchObject([{ container }]);
  });
}, 60_000);

test("openings --refused and --suggestions show code, fix and the label to write", async () => {
  await withApi(async (stand) => {
    expect((await ask(stand, ["openings"])).out).toBe("nothing is open\n");
    stand.controller.scene.refusals.set("vm1", [refusal()]);
    stand.controller.scene.suggestions.set("vm1", [suggestion()]);
    expect((await ask(stand, ["openings", "--refused"])).out).toMatch(
      /vm1\/db +5432 .* E223 +No rule allows it +add a rule to policy\.allow/,
    );
    expect((await ask(stand, ["openings", "--suggestions"])).out).toMatch(
      /vm1\/cache .* 6379\/tcp +exposed +sixgate\.open=6379/,
    );
    expect(await json(stand, ["openings", "--refused"])).toMatchObject({
      format: "sixgate.refusals/1",
      entries: [{ code: "E223" }],
    });
  });
});

test("openings shows as many as are asked for, over several pages, and says that there are more", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.openings.set(
      "vm1",
      Array.from({ length: 2500 }, (_, i) => opening(`o${i}`)),
    );
    expect((await json(stand, ["openings", "--most", "2200"]))["entries"]).toHaveLength(2200);
    const all = await json(stand, ["openings", "--most", "9999"]);
    expect(all["entries"]).toHaveLength(2500);
    expect(all).not.toHaveProperty("next");
    const some = await ask(stand, ["openings"]);
    expect(some.out.split("\n")).toHaveLength(1002);
    expect(some.err).toContain("--most");
  });
});

test("status tells controller, gateway and agents, and its exit code whether all is well", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.agents.push(
      {
        host: vm1,
        state: "connected",
        containers: 3,
        version: "0.1.0",
        engine: "28.5",
        seen: instant(1_700_000_000_000),
      },
      { host: "vm2" as HostName, state: "silent", containers: 0 },
    );
    const fine = await ask(stand, ["status"]);
    expect(fine.code).toBe(0);
    expect(fine.out).toMatch(/agents +1 of 2 connected/);
    expect(fine.out).toMatch(/vm1 +connected +2023-11-14T22:13:20Z +3 +0\.1\.0 +28\.5/);
    stand.controller.scene.gateway = { reached: true, drift: 2 };
    expect((await ask(stand, ["status"])).code).toBe(2);
    stand.controller.scene.gateway = { reached: false, error: "no route", drift: 0 };
    const lost = await ask(stand, ["status"]);
    expect(lost.code).toBe(1);
    expect(lost.out).toContain("not reached: no route");
    const said = await ask(stand, ["--json", "status"]);
    expect(JSON.parse(said.out)).toMatchObject({
      format: "sixgate.status/1",
      agentsByHost: [{ host: "vm1" }, { host: "vm2" }],
    });
  });
});

test("why prints the chain with what is missing and the fix; its JSON is the API's", async () => {
  await withApi(async (stand) => {
    stand.controller.scene.openings.set("vm1", [opening("a")]);
    const open = await ask(stand, ["why", "vm1/web:443"]);
    expect(open.code).toBe(0);
    expect(open.out.split("\n")[0]).toBe("internet → vm1 2001:db8:1234:321d:23::80 443/tcp: open");
    expect(open.out).toMatch(/^ {2}✓ element {3}The gateway lets 443\/tcp in from any$/m);
    const closed = await ask(stand, ["why", "vm1/web:22", "--from", "office"]);
    expect(closed.code).toBe(0);
    expect(closed.out).toContain(": closed\n");
    expect(closed.out).toMatch(/^ {2}✗ request {3}Nobody asked for 22\/tcp\n +fix: \S/m);
    expect(await json(stand, ["why", "vm1/web:ping"])).toMatchObject({
      format: "sixgate.why/1",
      paths: [{ verdict: "closed" }],
    });
  });
});

test("audit shows the journal from where one wants, verifies it, and finds what was changed", async () => {
  await withApi(async (stand) => {
    const who = { name: "x", role: "admin" } as const;
    stand.later(-7_200_000);
    for (let i = 1; i <= 150; i++) await stand.controller.note(who, "early", { i });
    stand.later(7_200_000);
    for (let i = 1; i <= 5; i++) await stand.controller.note(who, "late", { i });
    const lines = async (words: readonly string[]): Promise<readonly string[]> =>
      (await ask(stand, ["audit", ...words])).out.trimEnd().split("\n");
    expect(await lines([])).toHaveLength(100);
    expect((await lines([])).at(-1)).toMatch(/ 155 {2}x {2}late {2}i=5$/);
    expect(await lines(["--most", "3"])).toHaveLength(3);
    expect(await lines(["--since", "1h"])).toHaveLength(5);
    expect(await lines(["--since", "3h"])).toHaveLength(155);
    expect(await lines(["--since", "2000-01-01T00:00:00Z"])).toHaveLength(155);
    expect((await ask(stand, ["audit", "--since", "2999-01-01T00:00:00Z"])).out).toBe("");
    const records = (await ask(stand, ["--json", "audit", "--most", "2"])).out.trimEnd().split("\n");
    expect(records.map((line) => JSON.parse(line) as unknown)).toEqual(stand.controller.journalEntries.slice(-2));
    const { head } = await json(stand, ["audit", "--verify"]);
    expect(head).toBe(stand.controller.journalEntries.at(-1)?.hash);
    await stand.controller.note(who, "more", {});
    expect((await ask(stand, ["audit", "--known", String(head)])).code).toBe(0);
    const other = await ask(stand, ["audit", "--known", "0".repeat(64)]);
    expect(other.code).toBe(3);
    expect(other.out).toContain("written anew");
    stand.controller.journalEntries[40] = { ...(stand.controller.journalEntries[40] as object), who: "y" } as never;
    const broken = await ask(stand, ["audit", "--verify"]);
    expect(broken.code).toBe(3);
    expect(broken.out).toContain("entry 41 does not fit its hash");
  });
}, 60_000);

test("invite and token create show a secret once, or keep it in a new file of one's own", async () => {
  await withApi(async (stand) => {
    const shown = await ask(stand, ["invite", "vm1"]);
    expect(shown.out).toMatch(/^join-[0-9a-f-]{36}\n$/);
    expect(shown.err).toContain("not shown again");
    const file = join(stand.folder, "join");
    const kept = await ask(stand, ["--json", "invite", "vm1", "--out", file]);
    expect(kept.out).not.toContain("join-");
    expect(readFileSync(file, "utf8")).toMatch(/^join-/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const before = stand.controller.journalEntries.length;
    const twice = await ask(stand, ["invite", "vm1", "--out", file]);
    expect(twice.err).toContain("E804");
    expect(stand.controller.journalEntries.length).toBe(before);
    const failed = await ask(stand, ["invite", "vm9", "--out", join(stand.folder, "other")]);
    expect(failed.code).toBe(1);
    expect(existsSync(join(stand.folder, "other"))).toBe(false);
    const tokenFile = join(stand.folder, "robot");
    expect(
      (await ask(stand, ["token", "create", "robot", "--role", "viewer", "--for", "1h", "-o", tokenFile])).code,
    ).toBe(0);
    expect((await ask(stand, ["status"], { SIXGATE_TOKEN_FILE: tokenFile })).code).toBe(0);
    const list = await ask(stand, ["token", "list"]);
    expect(list.out).toMatch(/admin +admin .* -$/m);
    expect(list.out).toMatch(/robot +viewer .* admin +\d{4}-/);
    expect(list.out).not.toContain(readFileSync(tokenFile, "utf8").trim().split(".")[2]);
    expect((await ask(stand, ["token", "revoke", "robot"])).code).toBe(0);
    expect((await ask(stand, ["status"], { SIXGATE_TOKEN_FILE: tokenFile })).err).toContain("E956");
    expect((await ask(stand, ["revoke", "vm1", ...reason])).out).toContain("vm1 is let in no more");
    expect(stand.controller.journalEntries.at(-1)).toMatchObject({
      what: "revoked",
      detail: { reason: "maintenance" },
    });
  });
}, 60_000);

test("no secret stands in the words of a process or in what an error prints", async () => {
  await withApi(async (stand) => {
    for (const env of [
      {},
      { SIXGATE_CONTROLLER: `unix:${stand.folder}/none` },
      { SIXGATE_CONTROLLER: "https://127.0.0.1:1" },
    ]) {
      const said = await ask(stand, ["openings", "--host", "x"], { ...env, SIXGATE_DEBUG: "1" });
      expect(said.out + said.err).not.toContain(stand.admin.split(".")[2]);
    }
    const help = await ask(stand, ["open", "--help"]);
    expect(help.out).not.toMatch(/--token(?!-file)/);
  });
});

type Watching = {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
};

function watch(stand: Stand, words: readonly string[]): Watching {
  const env = {
    ...process.env,
    NO_COLOR: "1",
    SIXGATE_CONTROLLER: `unix:${stand.folder}/api.sock`,
    SIXGATE_TOKEN_FILE: join(stand.folder, "admin.token"),
  };
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, out: () => out.join(""), err: () => err.join(""), ended };
}

async function until(what: () => boolean, said: () => string): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1500) throw new Error(`Never happened: ${said()}`);
    await sleep(20);
  }
}

const at = instant(1_700_000_000_000);

test("watch tells what happens until Ctrl-C, and ends with 0", async () => {
  await withApi(async (stand) => {
    const plain = watch(stand, ["watch", "--host", "vm1"]);
    const records = watch(stand, ["--json", "watch", "--denied"]);
    try {
      await until(
        () => stand.controller.watchers > 0 && stand.logged.filter((line) => line.includes("/events")).length === 2,
        plain.err,
      );
      stand.controller.emit({ kind: "opened", at, opening: opening("a"), ms: 3.25 });
      stand.controller.emit({
        kind: "denied",
        at,
        from: "2001:db8:bad::1",
        to: "2001:db8::2",
        transport: "tcp",
        port: 22,
        count: 4,
      } as never);
      stand.controller.emit({ kind: "alarm", at, host: vm1, alarm: "replay", text: hostile });
      await until(() => plain.out().includes("alarm") && records.out().includes("alarm"), plain.err);
      expect(plain.out().split("\n")[0]).toBe(
        "2023-11-14T22:13:20Z  opened   vm1/web 443/tcp at 2001:db8:1234:321d:23::80 from any (label web, granted by allow[0], 3.3 ms)",
      );
      expect(plain.out()).not.toContain("bad::1");
      expect(plain.out()).toContain("evil\\x1b[2J");
      const lines = records.out().trimEnd().split("\n");
      expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(["opened", "denied", "alarm"]);
      for (const each of [plain, records]) each.child.kill("SIGINT");
      expect([await plain.ended, await records.ended]).toEqual([0, 0]);
    } finally {
      for (const each of [plain, records]) each.child.kill("SIGKILL");
    }
  });
}, 60_000);

test("watch comes back when the controller does, and says what it may have missed", async () => {
  await withApi(async (stand) => {
    const watching = watch(stand, ["watch"]);
    try {
      await until(() => stand.logged.some((line) => line.includes("/events")), watching.err);
      stand.controller.emit({ kind: "opened", at, opening: opening("before") });
      await until(() => watching.out().includes("opened"), watching.err);
      await stand.served.close();
      await until(() => watching.err().includes("trying again"), watching.err);
      const controller = new MemoryController();
      // Another run of the controller: its events have other numbers, its store the same tokens.
      const again = await serveApi({
        controller,
        store: stand.store,
        listen: [{ kind: "unix", path: join(stand.folder, "api.sock") }],
        tokenFile: join(stand.folder, "admin.token"),
        log: () => undefined,
      });
      try {
        await until(() => watching.err().includes("something may have been missed"), watching.err);
        controller.emit({ kind: "closed", at, opening: opening("after"), why: "its container stopped" });
        await until(() => watching.out().includes("its container stopped"), watching.err);
      } finally {
        await again.close();
      }
    } finally {
      watching.child.kill("SIGTERM");
      expect(await watching.ended).toBe(0);
    }
  });
}, 60_000);

test("watch ends with an error when nobody is there, or nobody lets it in", async () => {
  await withApi(async (stand) => {
    const none = await ask(stand, ["watch"], { SIXGATE_CONTROLLER: `unix:${stand.folder}/none` });
    expect(none.code).toBe(1);
    expect(none.err).toContain("E810");
    writeFileSync(join(stand.folder, "wrong"), stand.admin.replace(/..$/, "xx"));
    expect((await ask(stand, ["watch"], { SIXGATE_TOKEN_FILE: join(stand.folder, "wrong") })).err).toContain("E956");
  });
});
