import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseController } from "../../src/cli/enrol.ts";
import { canary, FakeEngine, flavours } from "../fake-engine.ts";
import { type Trust, trust, until, vm1 } from "../trust.ts";
import { main, type Said, sixgate } from "./run.ts";

let fleet: Trust;
let state: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  fleet = await trust();
  state = join(fleet.folder, "state");
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await fleet.end();
});

/** A verb that goes on, with what it is told on standard input. */
function begun(
  words: readonly string[],
  input = "",
): { readonly child: ChildProcess; readonly said: Promise<Said>; readonly err: () => string } {
  const child = spawn(process.execPath, [main, ...words], { stdio: ["pipe", "pipe", "pipe"] });
  children.push(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const said = new Promise<Said>((resolve) => child.on("close", (code) => resolve({ code, out, err })));
  return { child, said, err: () => err };
}

const at = (): string => `[::1]:${fleet.inbox.port}`;

async function enrol(): Promise<void> {
  const { token } = await fleet.enrolment.invite(vm1);
  expect((await begun(["enrol", at(), "--state", state], `${token}\n`).said).code).toBe(0);
}

describe("sixgate enrol", () => {
  test("takes the token from standard input or a file, and says who this machine is now", async () => {
    const { token } = await fleet.enrolment.invite(vm1);
    const said = await begun(["enrol", at(), "--state", state, "--json"], token).said;
    expect(said.code).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ format: "sixgate.enrol/1", host: "vm1", state });
    const file = join(fleet.folder, "token");
    const again = await fleet.enrolment.invite(vm1);
    writeFileSync(file, `${again.token}\n`);
    const words = ["enrol", at(), "--state", state, "--token-file", file];
    const second = await sixgate(words);
    expect(second.code).toBe(1);
    expect(second.err).toContain("E924 This machine is enrolled already, as vm1");
    const third = await sixgate([...words, "--again"]);
    expect(third).toMatchObject({ code: 0 });
    for (const text of [said.out, said.err, second.out, second.err, third.out, third.err]) {
      expect(text).not.toContain(token.split(".")[1]);
      expect(text).not.toContain(again.token.split(".")[1]);
    }
  });

  test("does not show what was no token, and knows when nobody can be asked", async () => {
    const said = await begun(["enrol", at(), "--state", state], `${canary} hunter2`).said;
    expect(said.code).toBe(1);
    expect(said.err).toContain("E925");
    expect(said.err).not.toContain(canary);
    expect((await sixgate(["enrol", at(), "--state", state])).err).toContain("E925");
    expect((await sixgate(["enrol", "a:b:c", "--state", state])).err).toContain("E802");
  });

  test("says that nobody answers", async () => {
    const { token } = await fleet.enrolment.invite(vm1);
    const said = await begun(["enrol", "[::1]:1", "--state", state], token).said;
    expect(said.code).toBe(1);
    expect(said.err).toContain("[::1]:1: E926 Controller not reached");
  });
});

test.each([
  ["fw.example", { host: "fw.example", port: 6464 }],
  ["fw.example:1", { host: "fw.example", port: 1 }],
  ["10.10.10.1", { host: "10.10.10.1", port: 6464 }],
  ["2001:db8::1", { host: "2001:db8::1", port: 6464 }],
  ["[2001:db8:0::1]:99", { host: "2001:db8::1", port: 99 }],
  ["", undefined],
  ["fw.example:0", undefined],
  ["fw.example:70000", undefined],
  ["https://fw.example", undefined],
  ["[fw]:1", undefined],
  ["a b", undefined],
])("parseController reads %j", (text, expected) => {
  if (expected === undefined) expect(() => parseController(text)).toThrow(/E802/);
  else expect(parseController(text)).toEqual(expected);
});

describe("sixgate agent", () => {
  test("reports what runs, logs lines of JSON, listens on nothing, and ends with 0 on SIGTERM", async () => {
    await enrol();
    const engine = await FakeEngine.start(flavours["28.5"]);
    try {
      engine.model.start(engine.model.create({ name: "web\u202e\u001b[31m" }));
      const { child, said, err } = begun(["agent", "--state", state, "--docker", engine.path]);
      await until(() => fleet.sink.hosts.get("vm1")?.size === 1, "the snapshot");
      engine.act((model) => model.start(model.create({ name: "second" })));
      await until(() => fleet.sink.hosts.get("vm1")?.size === 2, "the delta");
      const listening = readFileSync(`/proc/${child.pid ?? 0}/net/tcp6`, "utf8");
      // Its one connection to the inbox, and nothing else of its own: sockets are told by their inodes.
      expect(await listeners(child.pid ?? 0, listening)).toEqual([]);
      await fleet.inbox.stop();
      await until(() => err().includes("next attempt"), "the log of the end");
      child.kill("SIGTERM");
      expect((await said).code).toBe(0);
      const lines = err()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { level: number; host: string; msg: string });
      expect(lines.every((line) => line.host === "vm1" && line.level >= 30)).toBe(true);
      expect(err()).not.toContain(canary);
      expect(err()).not.toContain("PRIVATE");
    } finally {
      await engine.end();
    }
  });

  test("ends with 4 when the host is revoked, and with 1 when it is not enrolled", async () => {
    expect((await sixgate(["agent", "--state", state])).code).toBe(1);
    await enrol();
    const { said } = begun(["agent", "--state", state, "--docker", join(fleet.folder, "no.sock")]);
    await until(() => fleet.sink.said.includes("seen vm1"), "the hello");
    await fleet.enrolment.revoke(vm1, "sold");
    const { code, err } = await said;
    expect(code).toBe(4);
    expect(err).toContain("E928 This host was revoked: sold");
  });
});

/** Local addresses that a process listens on, of those in that table of the kernel. */
async function listeners(pid: number, table: string): Promise<readonly string[]> {
  const { readdir, readlink } = await import("node:fs/promises");
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[3] === "0A" && own.has(row[9])).map((row) => row[1] ?? "");
}
