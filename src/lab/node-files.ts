import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Shell } from "../runtime/shell.ts";

async function must(shell: Shell, what: string, script: string, words: readonly string[] = []): Promise<void> {
  const ran = await shell.run(["sh", "-eu", "-c", script, "sh", ...words]);
  if (ran.code === 0) return;
  throw new Failure(
    "E716",
    shell.name,
    `${what}: ${printable(ran.stderr.trim().slice(0, 300))}`,
    "the kernel must know overlayfs (Linux 5.11 without root)",
  );
}

/**
 * What configures the network of this machine must not speak for a node's: these folders are empty in the node.
 */
const emptied = ["systemd/network", "systemd/networkd.conf.d", "sysctl.d", "network", "netplan"];

/**
 * Gives a node an /etc of its own: the machine's below, the node's changes in its memory above, gone with the node.
 * The machine's own network configuration is not seen in it, and nothing a node writes reaches the machine. The node
 * has a tmpfs on /run and private mounts. Not for a node that has one already.
 */
export async function isolateFiles(shell: Shell): Promise<void> {
  const script = `mkdir -p /run/sixgate/etc/upper /run/sixgate/etc/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/sixgate/etc/upper,workdir=/run/sixgate/etc/work sixgate-etc /etc
for name; do rm -rf "/etc/$name"; mkdir -p "/etc/$name"; done
mkdir -p /run/sixgate/tmp && mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /var/tmp`;
  await must(shell, "The node can't have files of its own", script, emptied);
}

/**
 * Lays a tree of packages (see `unpackPackages`) over the node's /usr and /etc, as if they were installed there. After
 * {@link isolateFiles}. The tree is only read.
 */
export async function layTree(shell: Shell, tree: string): Promise<void> {
  if (/[,:\\\n]/.test(tree)) throw new RangeError(`overlayfs can't take the path ${JSON.stringify(tree)}`);
  const script = `mount -t overlay -o "lowerdir=$1/usr:/usr" sixgate-usr /usr
if [ -d "$1/etc" ]; then cp -a "$1/etc/." /etc/; fi`;
  await must(shell, "Packages can't be laid over the node", script, [tree]);
}
