import { Failure } from "../../base/failure.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { Value } from "../../change/item.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { replaceFile } from "../previous.ts";
import type { EngineApi } from "./api.ts";
import { doorKey, needsRestart, wantedState } from "./convert.ts";
import { daemonPath, mergeDaemonFile, printDaemonFile } from "./daemon-file.ts";
import { markPath, markTable } from "./door.ts";
import { clearLeftovers } from "./leftovers.ts";
import { createArguments, type NetworkShape } from "./network.ts";
import type { Reading } from "./reading.ts";
import type { Touched } from "./undo.ts";

const checkPath = "/run/sixgate/daemon.json";

/** Names after `file ` or `network ` of the changes that end (or replace) or make such an item. */
function named(set: ChangeSet, kind: string, side: "before" | "after"): readonly string[] {
  return set.changes
    .filter((change) => keyOf(change).startsWith(`${kind} `) && side in change)
    .map((change) => keyOf(change).slice(kind.length + 1));
}

function afterOf(set: ChangeSet, key: string): Value | undefined {
  const change = set.changes.find((each) => keyOf(each) === key);
  return change === undefined || change.kind === "delete" ? undefined : change.after.value;
}

async function mode(shell: Shell, before: Reading): Promise<string> {
  if (before.daemonText === undefined) return "644";
  const ran = await shell.run(["stat", "-c", "%a", daemonPath]);
  if (ran.code === 0 && /^[0-7]{3,4}$/.test(ran.stdout.trim())) return ran.stdout.trim();
  throw new Failure(
    "E504",
    shell.name,
    `Can't read the mode of ${daemonPath}: ${ran.stderr.trim()}`,
    "look at the file on the host",
  );
}

/** daemon.json after the change: only the keys that the change set names move. */
function nextDaemon(desired: EngineDesired, set: ChangeSet, before: Reading): string | undefined {
  const wanted = new Map<string, Value>();
  for (const item of before.items) if (item.key.startsWith("daemon ")) wanted.set(item.key.slice(7), item.value);
  for (const change of set.changes) {
    const key = keyOf(change);
    if (!key.startsWith("daemon ")) continue;
    if (change.kind === "delete") wanted.delete(key.slice(7));
    else wanted.set(key.slice(7), change.after.value);
  }
  return printDaemonFile(mergeDaemonFile(before.daemon, wanted, desired.block));
}

/** What the change set touches; rejects, before anything is changed, where a network to remove has containers. */
export async function touchedBy(
  shell: Shell,
  api: EngineApi,
  desired: EngineDesired,
  set: ChangeSet,
  before: Reading,
  signal?: AbortSignal,
): Promise<Touched> {
  const removed = named(set, "network", "before");
  for (const name of removed) {
    const users = await api.containersOn(before.owned.get(name)?.id ?? name, signal);
    if (users.length === 0) continue;
    const shown = users.slice(0, 5).join(", ") + (users.length > 5 ? ` and ${users.length - 5} more` : "");
    throw new Failure(
      "E541",
      `${desired.device} docker`,
      `Network "${name}" is used by ${shown}`,
      "remove these containers, or keep the network as it is; nothing was changed",
    );
  }
  const restart = needsRestart(set);
  return {
    restart,
    daemonMode: restart ? await mode(shell, before) : "644",
    files: [...new Set([...named(set, "file", "before"), ...named(set, "file", "after")])],
    created: named(set, "network", "after"),
    removed,
    door: set.changes.some((change) => keyOf(change) === doorKey),
    running: restart ? await api.running(signal) : [],
  };
}

async function must(shell: Shell, argv: readonly string[]): Promise<string> {
  const ran = await shell.run(argv);
  if (ran.code === 0) return ran.stdout;
  throw new Failure(
    "E511",
    shell.name,
    `"${argv.join(" ")}": ${ran.stderr.trim().slice(0, 300)}`,
    "the change was taken back",
  );
}

async function writeFiles(shell: Shell, set: ChangeSet, touched: Touched): Promise<void> {
  for (const path of touched.files) {
    const text = afterOf(set, `file ${path}`);
    await replaceFile(shell, path, typeof text === "string" ? text : undefined);
  }
  if (!touched.files.some((path) => path.startsWith("/etc/systemd/"))) return;
  // A drop-in counts from the next reload on; without systemd (sd_booted(3)) nobody reads it.
  const systemd = await shell.run(["test", "-d", "/run/systemd/system"]);
  if (systemd.code === 0) await must(shell, ["systemctl", "daemon-reload"]);
}

/** What a change of one engine goes by. */
type Work = {
  readonly shell: Shell;
  readonly api: EngineApi;
  readonly desired: EngineDesired;
  readonly set: ChangeSet;
  readonly before: Reading;
  readonly touched: Touched;
};

async function restartEngine(work: Work, signal?: AbortSignal): Promise<void> {
  const { shell, api, desired, set, before, touched } = work;
  const text = nextDaemon(desired, set, before);
  if (text !== before.daemonText) {
    await shell.write(checkPath, text ?? "{}\n", 0o644);
    try {
      await api.validate(checkPath, signal);
    } finally {
      await shell.remove(checkPath);
    }
    await replaceFile(shell, daemonPath, text, Number.parseInt(touched.daemonMode, 8));
  }
  await api.restart(signal);
  if (!wantedState(desired).filters) await clearLeftovers(shell, desired.block);
}

/** Containers that ran and have no restart policy stay down after a restart; nobody asked for that. */
async function startAgain(
  api: EngineApi,
  desired: EngineDesired,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const up = new Set(await api.running(signal));
  const failed: string[] = [];
  for (const id of ids.filter((each) => !up.has(each))) if ((await api.start(id, signal)).code !== 0) failed.push(id);
  // Once more: one that shares another's network has to wait for it.
  const texts: string[] = [];
  for (const id of failed) {
    const ran = await api.start(id, signal);
    if (ran.code !== 0 && !ran.stderr.includes("No such container")) texts.push(ran.stderr.trim().slice(0, 200));
  }
  if (texts.length === 0) return;
  throw new Failure(
    "E547",
    `${desired.device} docker`,
    `Containers do not start again: ${texts.join("; ")}`,
    "the change was taken back",
  );
}

async function setDoor(shell: Shell, before: Reading, wanted: Value | undefined): Promise<void> {
  for (const line of before.door)
    if (line.startsWith("DOCKER-USER ")) await must(shell, ["ip6tables", "-w", "-D", ...line.split(" ")]);
  const lines = Array.isArray(wanted) ? wanted.filter((line) => typeof line === "string") : [];
  for (const line of lines)
    if (line.startsWith("DOCKER-USER ")) await must(shell, ["ip6tables", "-w", "-I", ...line.split(" ")]);
  if (lines.some((line) => line.startsWith("mark "))) await must(shell, ["nft", "-f", markPath]);
  else if (before.door.some((line) => line.startsWith("mark ")))
    await must(shell, ["nft", "delete", "table", "ip6", markTable]);
}

/** Carries a change set out; the caller undoes it when this rejects. */
export async function applyChanges(work: Work, signal?: AbortSignal): Promise<void> {
  const { shell, api, desired, set, before, touched } = work;
  await writeFiles(shell, set, touched);
  // First, for a new default bridge may take the prefix of a network that goes.
  for (const name of touched.removed) await api.removeNetwork(before.owned.get(name)?.id ?? name, signal);
  if (touched.restart) await restartEngine(work, signal);
  for (const name of touched.created) {
    const shape = afterOf(set, `network ${name}`);
    if (shape !== undefined) await api.createNetwork(createArguments(name, shape as NetworkShape), signal);
  }
  if (touched.door) await setDoor(shell, before, afterOf(set, doorKey));
  if (touched.restart) await startAgain(api, desired, touched.running, signal);
}
