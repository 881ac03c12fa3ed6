import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../base/failure.ts";
import type { Address } from "../net/address.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Service } from "../openings/opening.ts";
import { readText, writeText } from "../runtime/files.ts";
import { type Node, type NodeRecord, nodeFrom, startedAt } from "./node.ts";

/** What one process of sixgate leaves for the next to find the lab again. */
export type LabState = {
  readonly format: "sixgate.lab/1";
  readonly name: string;
  readonly fleetFile: string;
  /** The fleet file as it was when the lab came up. */
  readonly fleetText: string;
  /** The prefix in force when it came up; only for a fleet whose prefix changes. */
  readonly prefix?: Prefix;
  /** `docker`: real engines; `stand-in`: containers are namespaces on a bridge. */
  readonly containers: "docker" | "stand-in";
  readonly engine?: { readonly major: number; readonly minor: number };
  readonly nodes: readonly NodeRecord[];
  /** Containers by `host/name`, with the address each really has and its process in the lab. */
  readonly running: readonly RunningContainer[];
  /** Where this machine's browser reaches the controller's page: `http://127.0.0.1:PORT`. None without a controller. */
  readonly page?: string;
  /** Milliseconds since 1970; undefined while the lab is coming up. */
  readonly upSince?: number;
};

export type Listening = { readonly transport: "tcp" | "udp"; readonly port: number };

export type RunningContainer = {
  readonly host: string;
  readonly name: string;
  readonly network: string;
  readonly address: Address;
  /** The node whose PIDs count: its host, or the stand-in itself. */
  readonly node: string;
  /** A process in the container's network namespace, as that node counts; 1 is the stand-in's own. */
  readonly pid: number;
  /** What answers in it. */
  readonly listens: readonly Listening[];
  /** What it asks for by its label `sixgate.open`, if it does. */
  readonly asks?: readonly Service[];
};

/** Root's labs live in /run: gone after a restart, as their namespaces are. */
export function labFolder(name: string): string {
  const root = process.getuid?.() === 0 && process.env["SIXGATE_ROOTLESS"] === undefined;
  const base =
    process.env["SIXGATE_LAB_DIR"] ??
    (root ? "/run/sixgate/lab" : `/tmp/sixgate-lab-${process.env["SIXGATE_ROOTLESS"] ?? process.getuid?.() ?? 0}`);
  return join(base, name);
}

function statePath(name: string): string {
  return join(labFolder(name), "lab.json");
}

/** The lab's state, or undefined when there is none. Rejects when there is one that can't be understood. */
export async function readState(name: string): Promise<LabState | undefined> {
  const text = await readText(statePath(name));
  if (text === undefined) return undefined;
  const state = parseJson(statePath(name), text) as Partial<LabState> | null;
  if (state?.format === "sixgate.lab/1") return state as LabState;
  throw new Failure(
    "E701",
    statePath(name),
    "Not a lab of this version of sixgate",
    "end it with the version that started it",
  );
}

/** A file that a lab wrote. Rejects with E701 when it is not JSON (any more). */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fix = "remove the file, then `sixgate lab down`: it finds the lab's processes by their mark too";
    throw new Failure("E701", path, "Not JSON", fix, { cause });
  }
}

export async function writeState(state: LabState): Promise<void> {
  await writeText(statePath(state.name), `${JSON.stringify(state, null, 2)}\n`, 0o600);
}

export async function forgetState(name: string): Promise<void> {
  await rm(labFolder(name), { recursive: true, force: true });
  // Folders above that only labs use go with the last of them.
  for (const above of [dirname(labFolder(name)), dirname(dirname(labFolder(name)))]) {
    if (/sixgate/.test(above)) await rmdir(above).catch(() => undefined);
  }
}

/** The nodes that still run. */
export async function livingNodes(state: LabState): Promise<readonly Node[]> {
  const nodes = await Promise.all(state.nodes.map(nodeFrom));
  return nodes.filter((node) => node !== undefined);
}

/** In the environment of every process that a lab starts, so that a killed `lab up` leaves nothing that can't be found. */
export const marker = "SIXGATE_LAB";

/** PIDs of processes of this lab, by the marker in their environment. Processes of other users are skipped. */
export async function markedProcesses(name: string): Promise<readonly number[]> {
  const wanted = `${marker}=${labFolder(name)}`;
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^[0-9]+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, "utf8").catch(() => "");
    if (environment.split("\0").includes(wanted) && (await startedAt(Number(entry))) !== undefined)
      found.push(Number(entry));
  }
  return found;
}
