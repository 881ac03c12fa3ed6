import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Seconds, seconds } from "../base/time.ts";
import { localShell } from "../runtime/shell-local.ts";
import type { Pending } from "./driver.ts";
import { armWatchdog } from "./watchdog.ts";

const shell = localShell();
let base = "";
let folder = "";
let live = "";

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "sixgate-watchdog-"));
  folder = join(base, "undo");
  live = join(base, "live");
  await shell.write(live, "old");
});

afterEach(async () => {
  // A test that failed half-way may have left a sleeper behind.
  for (const pid of (await sleepers()).split("\n").filter((each) => each !== "")) process.kill(-Number(pid), "SIGKILL");
  await rm(base, { recursive: true, force: true });
});

async function change(id: string, after: Seconds, undo = `printf old >'${live}'`): Promise<Pending> {
  const pending = await armWatchdog(shell, { id, undo, after, folder });
  await shell.write(live, "new");
  return pending;
}

async function sleepers(): Promise<string> {
  const ran = await shell.run(["pgrep", "-f", `${folder}/.*watch`]);
  return ran.stdout.trim();
}

test("armWatchdog fires at the deadline by itself, and a later confirm says that the device went back", async () => {
  const pending = await change("a1", seconds(2));
  expect(await shell.read(live)).toBe("new");
  await pause(2400);
  expect(await shell.read(live)).toBe("old");
  await expect(pending.confirm()).rejects.toThrow("E514");
  await expect(pending.confirm()).rejects.toThrow("E514");
  expect(await readdir(folder)).toEqual([]);
  expect(await sleepers()).toBe("");
});

test("armWatchdog keeps the change after a confirm, and leaves no process and no file", async () => {
  const pending = await change("a2", seconds(2));
  expect(await sleepers()).not.toBe("");
  await pending.confirm();
  expect(await sleepers()).toBe("");
  await pending.confirm();
  await pause(2300);
  expect(await shell.read(live)).toBe("new");
  expect(await readdir(folder)).toEqual([]);
  await expect(pending.rollback()).rejects.toThrow("E516");
});

test("armWatchdog rolls back now, once, and ends the sleeper", async () => {
  const pending = await change("a3", seconds(60));
  await pending.rollback();
  expect(await shell.read(live)).toBe("old");
  await pending.rollback();
  await expect(pending.confirm()).rejects.toThrow("E514");
  expect(await sleepers()).toBe("");
  expect(await readdir(folder)).toEqual([]);
});

test("armWatchdog runs the undo once when confirm, rollback and deadline meet", async () => {
  const log = join(base, "log");
  const undo = `echo x >>'${log}'; printf old >'${live}'`;
  const pending = await armWatchdog(shell, { id: "a4", undo, after: seconds(1), folder });
  await pause(980);
  const ends = await Promise.allSettled([pending.confirm(), pending.rollback()]);
  await pause(500);
  const runs = (await shell.read(log)) ?? "";
  expect(["", "x\n"]).toContain(runs);
  expect(ends[0].status === "fulfilled").toBe(runs === "");
});

test("armWatchdog waits for an undo under way before it refuses the confirm", async () => {
  const pending = await change("a5", seconds(1), `sleep 3; printf old >'${live}'`);
  await pause(2300);
  expect(await shell.read(live)).toBe("new");
  await expect(pending.confirm()).rejects.toThrow("E514");
  expect(await shell.read(live)).toBe("old");
});

test("armWatchdog reports a failed undo with what it printed, encoded", async () => {
  const pending = await change("a6", seconds(60), "printf 'no \\033[31mway' >&2; exit 3");
  await expect(pending.rollback()).rejects.toThrow("ended with 3: no \\x1b[31mway");
});

test("armWatchdog rejects with E513 where the folder can't be made, and arms nothing", async () => {
  await shell.write(folder, "a file is in the way");
  await expect(armWatchdog(shell, { id: "a7", undo: "true", after: seconds(1), folder })).rejects.toThrow("E513");
});

test("armWatchdog survives the end of the session that armed it", async () => {
  // The shell's process group is killed right after the arming, as a closing ssh session may do.
  const grouped = {
    ...shell,
    run: (argv: readonly string[]) =>
      shell.run(["setsid", "--wait", "sh", "-c", '"$@"; code=$?; kill -HUP 0 2>/dev/null; exit $code', "sh", ...argv]),
  };
  await shell.run(["mkdir", "-p", folder]);
  const armed = await armWatchdog(
    { ...grouped, run: async (argv) => ({ ...(await grouped.run(argv)), code: 0 }) },
    { id: "a8", undo: `printf old >'${live}'`, after: seconds(1), folder },
  );
  await shell.write(live, "new");
  await pause(2400);
  expect(await shell.read(live)).toBe("old");
  await expect(armed.confirm()).rejects.toThrow("E514");
});

test("armWatchdog waits, fires and is confirmed on FreeBSD, which has neither setsid nor /proc", async () => {
  // Stand-ins for what FreeBSD has: daemon(8) gives a session of its own and returns at once.
  const bin = join(base, "bin");
  await shell.write(join(bin, "uname"), "#!/bin/sh\necho FreeBSD\n", 0o755);
  await shell.write(join(bin, "daemon"), '#!/bin/sh\nshift\nsetsid "$@" </dev/null >/dev/null 2>&1 &\n', 0o755);
  const path = `PATH=${bin}:${process.env["PATH"] ?? ""}`;
  const there = { ...shell, run: (argv: readonly string[]) => shell.run(["env", path, ...argv]) };
  const changed = async (id: string, after: Seconds): Promise<Pending> => {
    const pending = await armWatchdog(there, { id, undo: `printf old >'${live}'`, after, folder });
    await shell.write(live, "new");
    return pending;
  };
  const kept = await changed("b1", seconds(30));
  expect(await sleepers()).not.toBe("");
  await kept.confirm();
  expect([await shell.read(live), await sleepers(), await readdir(folder)]).toEqual(["new", "", []]);
  const back = await changed("b2", seconds(30));
  await back.rollback();
  expect([await shell.read(live), await sleepers()]).toEqual(["old", ""]);
  const late = await changed("b3", seconds(1));
  await pause(2500);
  expect(await shell.read(live)).toBe("old");
  await expect(late.confirm()).rejects.toThrow("E514");
});

test("armWatchdog takes away what is left of changes of long ago that nothing waits for, and nothing else", async () => {
  await shell.run(["mkdir", "-p", folder]);
  const gone = [
    "old.watch",
    "old.undone",
    "old.log",
    "old.pid",
    "kept.watch",
    "kept.confirmed",
    "cut.watch",
    "cut.unarmed",
  ];
  const stays = [
    "new.log",
    "new.undone",
    "new.watch",
    "program",
    "runs.running",
    "runs.watch",
    "waits.sh",
    "waits.watch",
  ];
  for (const name of [...gone, ...stays]) await shell.write(join(folder, name), "");
  for (const name of [...gone, "program", "runs.watch", "waits.watch"])
    await shell.run(["touch", "-d", "4 hours ago", join(folder, name)]);
  const pending = await armWatchdog(shell, { id: "a9", undo: "true", after: seconds(60), folder });
  await pending.confirm();
  expect((await readdir(folder)).sort()).toEqual(stays);
});

test("armWatchdog leaves no script that looks armed where the connection is lost before the arming", async () => {
  const lost = {
    ...shell,
    run: async (argv: readonly string[]) => {
      if (argv.includes("arm") || argv.includes("forget")) throw new Error("connection lost");
      return shell.run(argv);
    },
  };
  await expect(armWatchdog(lost, { id: "c1", undo: "true", after: seconds(1), folder })).rejects.toThrow("E513");
  expect((await readdir(folder)).sort()).toEqual(["c1.unarmed", "c1.watch"]);
});

test.each(["", "A", "../x", "a b", "-a"])("armWatchdog refuses the id %j", async (id) => {
  await expect(armWatchdog(shell, { id, undo: "true", after: seconds(1), folder })).rejects.toThrow(RangeError);
});
