import { access, constants, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { engineFolder } from "../drivers/docker/api.ts";
import { daemonPath } from "../drivers/docker/daemon-file.ts";
import { readText } from "../runtime/files.ts";
import { runProcess } from "../runtime/process.ts";
import { unpackPackages } from "../runtime/unpack.ts";
import { cgroupMounts, type EngineFiles, engineScripts, logPath } from "./engine-scripts.ts";
import type { Node } from "./node.ts";
import { isolateFiles } from "./node-files.ts";
import { findProgram } from "./programs.ts";

/**
 * A Docker engine that a lab can run. `installed`: the machine's own program (its service is not touched); `unpacked`:
 * Debian packages in a folder, never installed; `root`: a directory with a whole system in it, as debootstrap makes.
 */
export type Engine = EngineFiles & { readonly version: EngineVersion };

export type EngineVersion = { readonly major: number; readonly minor: number; readonly text: string };

export type RunningEngine = {
  readonly node: string;
  readonly engine: Engine;
  /** Major, minor and patch, for messages. */
  readonly version: string;
  /** How long it took until it answered, in milliseconds. */
  readonly took: number;
};

export type EngineFolders = {
  /** Path of the cgroup that holds the node's containers, below each hierarchy, without a slash at its start: `sixgate-lab-x/vm1`. */
  readonly cgroup: string;
};

/** Of Debian 12 and 13: the client is a package of its own since 13, and only some releases link the libraries. */
const dockerPackage = "docker.io";
const packages: readonly string[] = [
  dockerPackage,
  "containerd",
  "runc",
  "docker-cli",
  "libdevmapper1.02.1",
  "libseccomp2",
];
const startTimeout = 90_000;

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function versionOf(argv: readonly string[]): Promise<EngineVersion> {
  const ran = await runProcess("lab", argv);
  const found = /version (\d+)\.(\d+)\.(\d+)/.exec(ran.stdout);
  if (ran.code === 0 && found !== null)
    return { major: Number(found[1]), minor: Number(found[2]), text: `${found[1]}.${found[2]}.${found[3]}` };
  const text = (ran.stderr.trim() || ran.stdout.trim()).slice(0, 300);
  throw new Failure(
    "E730",
    "lab",
    `"${argv.join(" ")}" is no engine that runs here: ${text}`,
    "give another one with --engine",
  );
}

/** An engine directory: a root made by `sixgate lab up --engine 28.5`, or any debootstrap root with docker.io in it. */
export async function engineInRoot(folder: string): Promise<Engine> {
  if (!/^\/[\w./+-]+$/.test(folder)) {
    throw new Failure(
      "E730",
      JSON.stringify(folder),
      "Not a path for an engine directory",
      "give an absolute path of letters, digits, and . _ + -",
    );
  }
  for (const path of ["usr/sbin/dockerd", "usr/bin/dockerd"]) {
    if (await isProgram(join(folder, path)))
      return { kind: "root", folder, version: await versionOf(["chroot", folder, "dockerd", "--version"]) };
  }
  throw new Failure(
    "E730",
    folder,
    "There is no dockerd in this engine directory",
    "make one: sixgate lab up --engine 28.5, or debootstrap with docker.io",
  );
}

/** Those of `names` that apt could fetch. */
async function fetchable(names: readonly string[]): Promise<readonly string[]> {
  const ran = await runProcess("lab", ["env", "LC_ALL=C", "apt-cache", "policy", "--", ...names]);
  const known = [...ran.stdout.matchAll(/^(\S+):\n.*\n {2}Candidate: (?!\(none\))/gm)].map((found) => found[1]);
  return names.filter((name) => known.includes(name));
}

/** Debian packages unpacked into `cache`; rejects with E715 when apt has none. */
export async function unpackedEngine(cache: string, say: (line: string) => void): Promise<Engine> {
  let names = await fetchable(packages);
  if (!names.includes(dockerPackage)) {
    say("apt-get update");
    await runProcess("lab", ["apt-get", "-q", "update"], { timeout: 300_000 });
    names = await fetchable(packages);
  }
  const folder = await unpackPackages(
    names.includes(dockerPackage) ? names : packages,
    join(cache, "engine-packages"),
    say,
  );
  const triplets = (await readdir(join(folder, "usr/lib"))).filter((name) => name.endsWith("-linux-gnu"));
  const libraries = triplets.map((name) => `usr/lib/${name}`);
  const environment = `LD_LIBRARY_PATH=${libraries.map((each) => join(folder, each)).join(":")}`;
  return {
    kind: "unpacked",
    folder,
    libraries,
    version: await versionOf(["env", environment, join(folder, "usr/sbin/dockerd"), "--version"]),
  };
}

/**
 * The machine's own dockerd when it has one, else one unpacked into `cache`. Nothing is installed: Debian's docker.io
 * would start an engine and change this machine's firewall.
 */
export async function findEngine(cache: string, say: (line: string) => void): Promise<Engine> {
  const dockerd = await findProgram("dockerd");
  // Debian 13 has the client in a package of its own, which may be missing.
  const client = await findProgram("docker");
  if (dockerd !== undefined && client !== undefined)
    return { kind: "installed", dockerd, version: await versionOf([dockerd, "--version"]) };
  return unpackedEngine(cache, say);
}

/**
 * Gives the node an /etc of its own, unless it has one: what drivers and the engine write there goes with the node.
 * The machine's files shine through.
 */
export async function ownEtc(node: Node): Promise<void> {
  const has = await node.shell.run(["mountpoint", "-q", "/etc"]);
  if (has.code !== 0) await isolateFiles(node.shell);
  // The machine's own settings (a data-root, for one) are not the node's.
  const machines = await readText(daemonPath);
  if (machines !== undefined && (await node.shell.read(daemonPath)) === machines) await node.shell.remove(daemonPath);
}

/** Docker turns forwarding on when it is off, and then drops what it did not make (28: IPv6 too). So it comes first. */
const forwarding = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.forwarding=1"];
/** Duplicate address detection keeps a new bridge mute for two seconds, and finds nothing in a lab. */
const noDad = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"];

/**
 * Starts a dockerd in the node's namespaces, with whatever /etc/docker/daemon.json the node has, and resolves when it
 * answers on the node's /var/run/docker.sock. It writes to the node's memory only; its containers are below
 * `folders.cgroup`. Rejects with E731 and the engine's last words.
 */
export async function startEngine(node: Node, engine: Engine, folders: EngineFolders): Promise<RunningEngine> {
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(folders.cgroup))
    throw new RangeError(`Not a cgroup path: ${JSON.stringify(folders.cgroup)}`);
  const began = performance.now();
  await ownEtc(node);
  const set = await node.shell.run(["sysctl", "-qw", ...forwarding, ...noDad]);
  if (set.code !== 0)
    throw new Failure("E731", node.shell.name, `sysctl: ${set.stderr.trim()}`, "look at `sixgate doctor`");
  const scripts = engineScripts(engine, folders.cgroup, cgroupMounts(await readFile("/proc/self/mountinfo", "utf8")));
  for (const [name, text] of scripts) await node.shell.write(`${engineFolder}/${name}`, text, 0o755);
  await restartEngine(node);
  return { node: node.name, engine, version: engine.version.text, took: performance.now() - began };
}

/** What the driver's `restart` hook does, for the lab's own use. */
export async function restartEngine(node: Node): Promise<void> {
  const ran = await node.shell.run([`${engineFolder}/restart`], { timeout: startTimeout });
  if (ran.code === 0) return;
  const text = ran.stderr.trim().slice(-600);
  throw new Failure(
    "E731",
    node.shell.name,
    `dockerd: ${text}`,
    `its log in the node: ${logPath}; iptables and overlayfs must work here`,
  );
}

/**
 * Ends the node's engine and its containers: 10 s to do it well, then the hard way. True when there was one. What it
 * mounted ends with the node; empty cgroups stay until {@link removeCgroups}.
 */
export async function stopEngine(node: Node): Promise<boolean> {
  if (!(await node.shell.list(engineFolder)).includes("stop")) return false;
  const ran = await node.shell.run([`${engineFolder}/stop`]);
  if (ran.code === 0) return true;
  throw new Failure(
    "E731",
    node.shell.name,
    `The engine does not end: ${ran.stderr.trim()}`,
    "`sixgate lab down` ends the whole node",
  );
}
