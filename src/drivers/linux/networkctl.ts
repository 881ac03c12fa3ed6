import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";
import type { RenderedFile } from "../driver.ts";

/** For networkd as a whole, also where netplan writes its .network files. Read when networkd starts, not at a reload. */
export const networkdSettings: RenderedFile = {
  path: "/etc/systemd/networkd.conf.d/60-sixgate.conf",
  text: `# Written by sixgate; changes made here are taken back.
[Network]
# Routes that Docker, agents or people add stay when networkd restarts or reconfigures a link.
ManageForeignRoutes=no
`,
};

const fix = "start systemd-networkd and dbus on the device: `systemctl enable --now systemd-networkd`, then plan again";

/**
 * Makes networkd read its files and bring `links` to them. `restart`: its own settings changed; only a systemd can
 * start it anew, elsewhere they hold from its next start. Rejects with E518 when networkd does not answer.
 */
export async function bringToFiles(
  shell: Shell,
  links: readonly string[],
  restart: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  // Not by /run/systemd/system: netplan's generator makes that folder anywhere.
  if (restart && (await shell.run(["cat", "/proc/1/comm"], options)).stdout.trim() === "systemd") {
    refuse(
      shell,
      "systemctl restart systemd-networkd",
      await shell.run(["systemctl", "restart", "systemd-networkd"], options),
    );
  }
  refuse(shell, "networkctl reload", await shell.run(["networkctl", "reload"], options));
  if (links.length === 0) return;
  const argv = ["networkctl", "reconfigure", ...links];
  refuse(shell, argv.join(" "), await shell.run(argv, options));
}

/** Rejects with E518 before anything is changed: networkctl of 252 can't do a thing without D-Bus and networkd. */
export async function requireNetworkd(shell: Shell, signal?: AbortSignal): Promise<void> {
  refuse(
    shell,
    "networkctl list",
    await shell.run(["networkctl", "list", "--no-legend", "--no-pager"], signal === undefined ? {} : { signal }),
  );
}

/** The same for an undo on the device, in POSIX sh. */
export function bringToFilesScript(links: readonly string[]): string {
  return ["networkctl reload || failed=1", ...links.map((link) => `networkctl reconfigure ${link} || failed=1`)].join(
    "\n",
  );
}

function refuse(shell: Shell, command: string, ran: Ran): void {
  // 252 prints "systemd-networkd is not running, output will be incomplete." and ends with 0.
  const dead = /not running/i.test(ran.stderr);
  if (ran.code === 0 && !dead) return;
  throw new Failure("E518", shell.name, `\`${command}\` failed: ${printable(ran.stderr.trim().slice(0, 300))}`, fix);
}
