import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { Shell } from "../runtime/shell.ts";
import { mountSysfs } from "./node-files.ts";

/** How long networkd may take to answer, in milliseconds; 60 ms on an idle machine. */
const patience = 15_000;

/** Where a node keeps what dbus and networkd say. */
export const networkdLog = "/run/sixgate/networkd.log";

/**
 * Starts dbus-daemon and systemd-networkd in a node, detached: they end with the node's PID 1. Read-only sysfs is how
 * systemd sees that there is no udev, else every link stays `pending`. No systemd can restart networkd there, so what
 * the machine's networkd.conf.d would say after a restart is said from the start: foreign routes stay. Resolves when
 * networkctl answers, rejects with E717 otherwise. The node has tmpfs on /run and private mounts.
 */
export async function startNetworkd(shell: Shell): Promise<void> {
  await mountSysfs(shell, "ro");
  const script = `mkdir -p /run/sixgate /run/dbus /run/systemd/netif/leases /run/systemd/netif/links /run/systemd/netif/lldp /run/systemd/networkd.conf.d
printf '[Network]\\nManageForeignRoutes=no\\n' >/run/systemd/networkd.conf.d/10-lab.conf
chown -R systemd-network:systemd-network /run/systemd/netif
setsid dbus-daemon --system --nofork --nopidfile </dev/null >>${networkdLog} 2>&1 &
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  if [ -S /run/dbus/system_bus_socket ]; then break; fi
  sleep 0.1
done
setsid /lib/systemd/systemd-networkd </dev/null >>${networkdLog} 2>&1 &`;
  const ran = await shell.run(["sh", "-eu", "-c", script]);
  if (ran.code !== 0) throw await failure(shell, ran.stderr);
  let said = "";
  for (let waited = 0; waited < patience; waited += 50) {
    const listed = await shell.run(["networkctl", "list", "--no-legend", "--no-pager"]);
    said = listed.stderr;
    if (listed.code === 0 && !/not running/i.test(said)) return;
    await pause(50);
  }
  throw await failure(shell, said);
}

async function failure(shell: Shell, said: string): Promise<Failure> {
  const log = (await shell.read(networkdLog).catch(() => undefined)) ?? "";
  const text = printable(`${said.trim()} ${log.trim().slice(-400)}`.trim());
  return new Failure(
    "E717",
    shell.name,
    `systemd-networkd does not answer: ${text}`,
    "install systemd (252 or later) and dbus-daemon; root is needed",
  );
}
