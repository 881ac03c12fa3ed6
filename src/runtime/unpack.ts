import { createHash } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import { runProcess } from "./process.ts";

/**
 * Debian packages as a tree of files, without installing them: for programs that would change this machine (ifupdown2
 * replaces ifupdown) or that no machine has twice. Their dependencies are not followed and no script of theirs runs.
 * `folder` keeps the trees, one per set of versions; a tree that is there is used again without the network. As in a
 * merged /usr, `bin`, `sbin` and `lib` of the packages are under `usr`. Needs apt and dpkg-deb, and root or a folder of
 * one's own. Rejects with E715 when apt does not know a package or can't fetch it; nothing half-made is left then.
 */
export async function unpackPackages(
  names: readonly string[],
  folder: string,
  say: (line: string) => void,
): Promise<string> {
  for (const name of names) {
    if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name)) throw new RangeError(`Not a package name: ${JSON.stringify(name)}`);
  }
  await mkdir(folder, { recursive: true });
  const known = await candidates(names);
  if (known !== undefined && (await isThere(treeOf(folder, known)))) return treeOf(folder, known);
  const versions = known ?? (await refreshed(names, say));
  try {
    return await fetchTree(names, folder, versions, say);
  } catch (cause) {
    // The list of packages may be older than the archive: what it names is gone from there.
    if (known === undefined || !(cause instanceof Failure)) throw cause;
    return fetchTree(names, folder, await refreshed(names, say), say);
  }
}

/** A long list goes by its hash: a file name has 255 bytes at most. */
function treeOf(folder: string, versions: ReadonlyMap<string, string>): string {
  const name = [...versions]
    .map(([each, version]) => `${each}_${version.replaceAll(/[^A-Za-z0-9.+~-]/g, "%")}`)
    .join("+");
  const short = name.length <= 200 ? name : `packages-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
  return join(folder, short);
}

async function isThere(path: string): Promise<boolean> {
  return (await readdir(path).catch(() => [])).length > 0;
}

/** The version that apt would fetch of each package, in the order asked; undefined when it does not know one. */
async function candidates(names: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
  const ran = await runProcess("local", ["env", "LC_ALL=C", "apt-cache", "policy", "--", ...names]);
  const found = new Map<string, string>();
  let name = "";
  for (const line of ran.stdout.split("\n")) {
    const head = /^(\S+?)(?::\S+)?:$/.exec(line)?.[1];
    const version = /^\s+Candidate: (\S+)$/.exec(line)?.[1];
    if (head !== undefined) name = head;
    if (version !== undefined && version !== "(none)") found.set(name, version);
  }
  const versions = names.map((each): [string, string] => [each, found.get(each) ?? ""]);
  return versions.some(([, version]) => version === "") ? undefined : new Map(versions);
}

async function refreshed(names: readonly string[], say: (line: string) => void): Promise<ReadonlyMap<string, string>> {
  say("apt-get update");
  const ran = await runProcess("local", ["apt-get", "-q", "update"], { timeout: 300_000 });
  const versions = await candidates(names);
  if (versions !== undefined) return versions;
  const said = ran.code === 0 ? "" : `; apt-get update: ${printable(ran.stderr.trim().slice(0, 300))}`;
  throw new Failure(
    "E715",
    "local",
    `apt knows no candidate for ${names.join(", ")}${said}`,
    "look at /etc/apt/sources.list, then `apt-get update`",
  );
}

async function fetchTree(
  names: readonly string[],
  folder: string,
  versions: ReadonlyMap<string, string>,
  say: (line: string) => void,
): Promise<string> {
  const tree = treeOf(folder, versions);
  const beside = await mkdtemp(join(folder, ".new-"));
  try {
    say(`apt-get download ${[...versions].map(([name, version]) => `${name}=${version}`).join(" ")}`);
    const packages = join(beside, "packages");
    await fetchPackages(versions, packages);
    const made = join(beside, "tree");
    await mkdir(join(made, "usr"), { recursive: true });
    for (const file of await readdir(packages)) await unpack(join(packages, file), made);
    await mergeUsr(made);
    await chmod(made, 0o755);
    await rename(made, tree).catch(async (cause: unknown) => {
      // Somebody else made the same tree meanwhile: theirs is as good.
      if (!(await isThere(tree))) throw cause;
    });
    return tree;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      "E715",
      "local",
      `${names.join(", ")} can't be unpacked in ${folder}: ${text}`,
      "look at the folder's rights and room",
      { cause },
    );
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** apt fetches as the user `_apt` where that user can write: else it warns and fetches as root. */
async function fetchPackages(versions: ReadonlyMap<string, string>, packages: string): Promise<void> {
  await mkdir(packages, { mode: 0o755 });
  const asked = [...versions].map(([name, version]) => `${name}=${version}`);
  const sandbox = await giveToApt(packages);
  const argv = [
    "env",
    "-C",
    packages,
    "LC_ALL=C",
    "apt-get",
    "-q",
    ...(sandbox ? [] : ["-o", "APT::Sandbox::User=root"]),
    "download",
    ...asked,
  ];
  const ran = await runProcess("local", argv, { timeout: 300_000 });
  const fetched = await readdir(packages);
  if (ran.code === 0 && fetched.filter((file) => file.endsWith(".deb")).length === versions.size) return;
  throw new Failure(
    "E715",
    "local",
    `apt-get can't fetch ${asked.join(", ")}: ${printable(ran.stderr.trim().slice(0, 400))}`,
    "is the machine's package archive reachable? try `apt-get update`",
  );
}

/** True when `_apt` owns the folder and can get at it through every folder above. */
async function giveToApt(packages: string): Promise<boolean> {
  const id = await runProcess("local", ["id", "-u", "_apt"]);
  if (id.code !== 0 || process.getuid?.() !== 0) return false;
  await chmod(join(packages, ".."), 0o755);
  // Root of a user namespace has no such user to give it to.
  const given = await chown(packages, Number(id.stdout.trim()), -1).then(
    () => true,
    () => false,
  );
  if (!given) return false;
  const tried = await runProcess("local", [
    "setpriv",
    `--reuid=${id.stdout.trim()}`,
    "--clear-groups",
    "--",
    "test",
    "-w",
    packages,
  ]);
  return tried.code === 0;
}

async function unpack(file: string, into: string): Promise<void> {
  const ran = await runProcess("local", ["dpkg-deb", "-x", file, into], { timeout: 120_000 });
  if (ran.code === 0) return;
  throw new Failure(
    "E715",
    "local",
    `dpkg-deb can't unpack ${file}: ${printable(ran.stderr.trim().slice(0, 300))}`,
    "is there room left on the disk?",
  );
}

/** What dpkg does on a machine whose /bin, /sbin and /lib are links into /usr (Debian 12 and later). */
async function mergeUsr(tree: string): Promise<void> {
  for (const name of await readdir(tree)) {
    if (!/^(?:bin|sbin|lib\w*)$/.test(name)) continue;
    const ran = await runProcess("local", ["cp", "-a", "--", `${join(tree, name)}/.`, join(tree, "usr", name)]);
    if (ran.code !== 0)
      throw new Failure(
        "E715",
        "local",
        `${name} can't be moved under usr: ${printable(ran.stderr.trim())}`,
        "is there room left on the disk?",
      );
    await rm(join(tree, name), { recursive: true });
  }
}
