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
const emptied = ["systemd/network", "systemd/networkd.conf.d", "systemd/system", "sysctl.d", "network", "netplan"];

/**
 * Shows the node's own links under /sys, where a node still sees those of the machine that made it. Control groups stay
 * as they are. Read-only is how systemd sees that there is no udev; ifupdown2 writes there.
 */
export async function mountSysfs(shell: Shell, mode: "rw" | "ro"): Promise<void> {
  const script = `mkdir -p /run/sixgate/cgroup
mount --rbind /sys/fs/cgroup /run/sixgate/cgroup
mount -t sysfs -o "$1",nosuid,nodev,noexec sysfs /sys
mount --rbind /run/sixgate/cgroup /sys/fs/cgroup
umount -l /run/sixgate/cgroup`;
  await must(shell, "The node can't have a /sys of its own", script, [mode]);
}

/**
 * Gives a node an /etc and a /var/lib of its own: the machine's below, the node's changes in its memory above, gone with the node.
 * The machine's own network configuration is not seen in it, and nothing a node writes reaches the machine. The node
 * has a tmpfs on /run and private mounts. Not for a node that has one already.
 */
export async function isolateFiles(shell: Shell): Promise<void> {
  // In a user namespace the machine's files belong to nobody we are: an overlay would show them, and let none be
  // replaced. So a folder of links to them then, two levels deep. All user ids are mapped only outside of one.
  const script = `read -r inside outside count </proc/self/uid_map
if [ "$count" = 4294967295 ]; then
  mkdir -p /run/sixgate/etc/upper /run/sixgate/etc/work
  mount -t overlay -o lowerdir=/etc,upperdir=/run/sixgate/etc/upper,workdir=/run/sixgate/etc/work sixgate-etc /etc
  mkdir -p /run/sixgate/tmp/upper /run/sixgate/tmp/work
  mount -t overlay -o lowerdir=/var/tmp,upperdir=/run/sixgate/tmp/upper,workdir=/run/sixgate/tmp/work sixgate-tmp /var/tmp
  mkdir -p /run/sixgate/lib/upper /run/sixgate/lib/work
  mount -t overlay -o lowerdir=/var/lib,upperdir=/run/sixgate/lib/upper,workdir=/run/sixgate/lib/work sixgate-lib /var/lib
else
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /var/tmp
  mkdir -p /run/sixgate/etc/machine
  mount --rbind /etc /run/sixgate/etc/machine
  mount -t tmpfs -o mode=755 sixgate-etc /etc
  mkdir -p /run/sixgate/lib/machine
  mount --rbind /var/lib /run/sixgate/lib/machine
  mount -t tmpfs -o mode=755 sixgate-lib /var/lib
  for path in /run/sixgate/lib/machine/*; do if [ -e "$path" ]; then ln -s "$path" /var/lib/; fi; done
  for path in /run/sixgate/etc/machine/*; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      mkdir "/etc/\${path##*/}"
      for below in "$path"/*; do if [ -e "$below" ]; then ln -s "$below" "/etc/\${path##*/}/"; fi; done
    else
      ln -s "$path" /etc/
    fi
  done
fi
rm -rf /var/lib/sixgate
for name; do rm -rf "/etc/$name"; mkdir -p "/etc/$name"; done`;
  await must(shell, "The node can't have files of its own", script, emptied);
}

/**
 * Lays a tree of packages (see `unpackPackages`) over the node's /usr and /etc, as if they were installed there. After
 * {@link isolateFiles}. The tree is only read.
 */
export async function layTree(shell: Shell, tree: string): Promise<void> {
  if (/[,:\\\n]/.test(tree)) throw new RangeError(`overlayfs can't take the path ${JSON.stringify(tree)}`);
  const script = `mount -t overlay -o "lowerdir=$1/usr:/usr" sixgate-usr /usr
if [ -d "$1/etc" ]; then cp -r --preserve=mode,timestamps --remove-destination "$1/etc/." /etc/; fi`;
  await must(shell, "Packages can't be laid over the node", script, [tree]);
}
