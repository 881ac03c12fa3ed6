import { spawn } from "node:child_process";
import { lstat, mkdir, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../base/failure.ts";
import { readText, writeText } from "../runtime/files.ts";
import { cacheFolder } from "./cache.ts";
import { endHolder, holdNamespaces } from "./holder.ts";
import { startedAt } from "./node.ts";
import { answerInside } from "./outside.ts";
import { parseJson } from "./state.ts";

/**
 * A lab without root lives in one user namespace, held by a keeper. Every verb on it runs inside: as its root, which
 * is the caller outside and has no rights there that the caller has not.
 */
const variable = "SIXGATE_ROOTLESS";

/** True inside the user namespace; the variable holds the caller's user id outside. */
export function isRootless(): boolean {
  return process.env[variable] !== undefined;
}

function keeperFile(name: string): string {
  const user = process.getuid?.() ?? 0;
  return join(process.env["SIXGATE_LAB_DIR"] ?? `/tmp/sixgate-lab-${user}`, `${name}.keeper`);
}

/**
 * Anybody may make a folder of that name in /tmp. One that is not ours alone could name us a process to end, so it is
 * refused with E701.
 */
async function requireOwnFolder(path: string): Promise<void> {
  if (process.env["SIXGATE_LAB_DIR"] !== undefined) return;
  const seen = await lstat(path);
  if (seen.isDirectory() && seen.uid === process.getuid?.() && (seen.mode & 0o022) === 0) return;
  throw new Failure("E701", path, "The folder is not yours alone", "look who made it, and remove it");
}

type Keeper = { readonly pid: number; readonly started: string };

async function findKeeper(name: string): Promise<Keeper | undefined> {
  const text = await readText(keeperFile(name));
  if (text === undefined) return undefined;
  await requireOwnFolder(dirname(keeperFile(name)));
  const keeper = parseJson(keeperFile(name), text) as Keeper;
  return (await startedAt(keeper.pid)) === keeper.started ? keeper : undefined;
}

/** True when a lab of this name was started without root by this user, and still runs. */
export async function hasRootless(name: string): Promise<boolean> {
  return !isRootless() && (await findKeeper(name)) !== undefined;
}

async function startKeeper(name: string): Promise<Keeper> {
  const path = keeperFile(name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await requireOwnFolder(dirname(path));
  const pid = await holdNamespaces({
    at: "lab",
    namespaces: ["-U", "-r", "-n", "-m", "--propagation", "private"],
    fix: "`sysctl user.max_user_namespaces` must not be 0; or run as root",
  });
  const keeper = { pid, started: (await startedAt(pid)) ?? "" };
  await writeText(path, JSON.stringify(keeper), 0o600);
  return keeper;
}

/** Runs this same command line inside the user namespace of the lab, made if there is none. Gives its exit code. */
export async function enterRootless(name: string, keep: boolean): Promise<0 | 1 | 2 | 3 | 4 | 64> {
  const keeper = (await findKeeper(name)) ?? (await startKeeper(name));
  const user = String(process.getuid?.() ?? 0);
  const argv = [
    "-t",
    String(keeper.pid),
    "-U",
    "-n",
    "-m",
    "--preserve-credentials",
    "-r",
    "--wd=.",
    "--",
    process.execPath,
    ...process.argv.slice(1),
  ];
  const child = spawn("nsenter", argv, {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      [variable]: user,
      SIXGATE_CACHE: cacheFolder(),
      PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
    },
  });
  answerInside(child);
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  // The terminal sends Ctrl-C to both; this process only waits.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", pass);
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (ended) => resolve(ended ?? 1));
  });
  if (!keep || code === 1) await endKeeper(name);
  return code as 0 | 1 | 2 | 3 | 4 | 64;
}

/** Ends the keeper. The kernel keeps its namespaces only as long as something else runs in them. */
export async function endKeeper(name: string): Promise<void> {
  const keeper = await findKeeper(name);
  if (keeper !== undefined) endHolder(keeper.pid);
  await rm(keeperFile(name), { force: true });
  await rmdir(dirname(keeperFile(name))).catch(() => undefined);
}
