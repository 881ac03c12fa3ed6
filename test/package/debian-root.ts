import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runProcess } from "../../src/runtime/process.ts";
import type { Ran } from "../../src/runtime/shell.ts";
import { startHolder } from "../holder.ts";

/**
 * This machine's files with changes of its own, in namespaces of its own: packages can be installed there, and nothing
 * of it is seen outside. Ended by `end`, in any case. Needs root and overlayfs.
 */
export type DebianRoot = {
  /** A script in it, with a plain environment; `sh -eu`. */
  sh(script: string, ...args: readonly string[]): Promise<Ran>;
  /** Puts a file of this machine into its /tmp and gives its path there. */
  bring(path: string): Promise<string>;
  end(): Promise<void>;
};

const plain = [
  "env",
  "-i",
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "HOME=/root",
  "LC_ALL=C.UTF-8",
];

const make = `cd /run && mkdir over && mount -t tmpfs -o mode=755 tmpfs over && cd over && mkdir up work root
mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root
mount -t proc proc root/proc && mount --rbind /dev root/dev
mount -t sysfs -o ro sysfs root/sys
mount -t tmpfs -o mode=755 tmpfs root/run && mount -t tmpfs -o mode=1777 tmpfs root/tmp`;

export async function debianRoot(name: string): Promise<DebianRoot> {
  const holder = await startHolder(name);
  const root = "/run/over/root";
  const made = await holder.shell.run(["sh", "-eu", "-c", make]);
  if (made.code !== 0) {
    await holder.stop();
    throw new Error(made.stderr);
  }
  return {
    sh: (script, ...args) =>
      holder.shell.run(["chroot", root, ...plain, "sh", "-eu", "-c", script, "sh", ...args], { timeout: 120_000 }),
    bring: async (path) => {
      // /tmp of the root is a mount of its own: only from inside is it seen.
      const inside = `/tmp/${basename(path)}`;
      const ran = await holder.shell.run(["cp", path, `${root}${inside}`]);
      if (ran.code !== 0) throw new Error(ran.stderr);
      return inside;
    },
    end: () => holder.stop(),
  };
}

/** Why there can be no such root here; undefined when there can. */
export async function noDebianRoot(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "needs root";
  const [dpkg, overlay] = await Promise.all([
    runProcess("local", ["sh", "-c", "command -v dpkg-deb setpriv nft ip man"]),
    runProcess("local", ["sh", "-c", "grep -qw overlay /proc/filesystems || modprobe overlay"]),
  ]);
  if (dpkg.code !== 0) return "dpkg, setpriv, nft, ip and man are needed";
  return overlay.code === 0 ? undefined : "no overlayfs in this kernel";
}

/**
 * The package as an earlier version: the same scripts, units and configuration, a file that is no longer there, and no
 * program. Given a date long past.
 */
export async function earlierDeb(deb: string, version: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "sixgate-earlier-"));
  try {
    const tree = join(folder, "tree");
    const must = async (words: readonly string[]): Promise<void> => {
      const ran = await runProcess("local", words, { timeout: 60_000 });
      if (ran.code !== 0) throw new Error(ran.stderr);
    };
    await must(["dpkg-deb", "--raw-extract", deb, tree]);
    for (const path of ["usr/lib/sixgate", "usr/bin", "DEBIAN/md5sums"])
      rmSync(join(tree, path), { recursive: true, force: true });
    mkdirSync(join(tree, "usr/lib/sixgate"), { recursive: true });
    writeFileSync(join(tree, "usr/lib/sixgate/of-the-past"), "");
    await must(["sed", "-i", `s/^Version: .*/Version: ${version}/`, join(tree, "DEBIAN/control")]);
    const built = join(folder, "earlier.deb");
    await must(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, built]);
    const kept = join(deb, "..", `earlier_${version}.deb`);
    copyFileSync(built, kept);
    return kept;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
