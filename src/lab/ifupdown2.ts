import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import type { Shell } from "../runtime/shell.ts";
import { unpackPackages } from "../runtime/unpack.ts";
import { cacheFolder } from "./cache.ts";
import { layTree, mountSysfs } from "./node-files.ts";
import type { Say } from "./step.ts";

/**
 * ifupdown2 as a tree to lay over a node: installed, it would replace the machine's own network configuration. Its
 * program gets the mode that the package's own postinst gives it.
 */
export async function ifupdown2Tree(say: Say): Promise<string> {
  const tree = await unpackPackages(["ifupdown2"], join(cacheFolder(), "packages"), say);
  await chmod(join(tree, "usr/share/ifupdown2/__main__.py"), 0o755);
  return tree;
}

/** As Debian's installer leaves it: the machine's own links are in files that it sources. */
export const installedInterfaces = "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n";

/** Puts ifupdown2 into a place, with what a boot would have made for it: its folders, and a sysfs of its own. */
export async function startIfupdown2(shell: Shell, tree: string): Promise<void> {
  await layTree(shell, tree);
  await mountSysfs(shell, "rw");
  const ran = await shell.run(["mkdir", "-p", "/run/network", "/etc/iproute2/rt_tables.d"]);
  if (ran.code === 0) return;
  throw new Failure("E705", shell.name, `ifupdown2 can't work here: ${ran.stderr.trim()}`, "look at `sixgate doctor`");
}
