import { Failure } from "../base/failure.ts";
import type { Node } from "./node.ts";

/**
 * Lays an unpacked set of Debian packages over a node's /usr, as if they were installed there: a read-only overlay in
 * the node's own mount namespace. The machine itself sees none of it. `folder` has usr/ (bin and sbin merged into it)
 * and perhaps etc/, which is copied into the node's private /etc.
 */
export async function addPackages(node: Node, folder: string): Promise<void> {
  const script = [
    "set -e",
    'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr',
    'if [ -d "$1/etc" ]; then cp -a "$1/etc/." /etc/; fi',
  ].join("\n");
  const ran = await node.shell.run(["sh", "-c", script, "sh", folder]);
  if (ran.code === 0) return;
  throw new Failure("E705", node.shell.name, `Packages can't be laid over /usr: ${ran.stderr.trim()}`, "the kernel must know overlayfs");
}
