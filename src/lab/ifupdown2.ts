import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../base/failure.ts";
import { unpackPackages } from "../runtime/unpack.ts";
import { cacheFolder } from "./cache.ts";
import type { Node } from "./node.ts";
import { layTree } from "./node-files.ts";
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

/** Puts ifupdown2 into a node, with what a boot would have made for it: its state folder, and the node's own sysfs. */
export async function startIfupdown2(node: Node, tree: string): Promise<void> {
  await layTree(node.shell, tree);
  const ran = await node.shell.run(["sh", "-ec", "mkdir -p /run/network; mount -t sysfs sysfs /sys"]);
  if (ran.code === 0) return;
  throw new Failure(
    "E705",
    node.shell.name,
    `ifupdown2 can't work here: ${ran.stderr.trim()}`,
    "look at `sixgate doctor`",
  );
}
