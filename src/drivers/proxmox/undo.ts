import { randomUUID } from "node:crypto";
import type { Seconds } from "../../base/time.ts";
import type { Shell } from "../../runtime/shell.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import { armHeldWatchdog, type HeldWatchdog } from "../held-watchdog.ts";
import { filesScript } from "../linux/converge.ts";
import type { Call } from "./api.ts";
import { interfacesPath } from "./convert.ts";
import { stagedPath } from "./lines.ts";

/** What the ids of undos of this driver start with. */
export const undoPrefix = "proxmox-";

/**
 * A dead-man on the node: what waits to be applied is thrown away, the file of before put back where it is another now,
 * with one reload; then the VMs' calls by `pvesh`, Proxmox's own program for its API. `network`: whether that part is
 * touched at all.
 */
export async function armOnNode(
  shell: Shell,
  network: boolean,
  calls: readonly Call[],
  after: Seconds,
): Promise<HeldWatchdog> {
  const undo = [
    "failed=0",
    ...(network ? [networkScript(await shell.read(interfacesPath))] : []),
    ...calls.map(pveshLine),
    'exit "$failed"',
    "",
  ].join("\n");
  return armHeldWatchdog(shell, { id: `${undoPrefix}${randomUUID()}`, undo, after });
}

/**
 * A file that is as it was means that nothing was applied: a reload would only disturb the VMs. One that meets the
 * reload which it is to take back is refused by ifupdown2, so it is tried again.
 */
function networkScript(old: string | undefined): string {
  const drop = `rm -f ${quoteWord(stagedPath)} || failed=1`;
  const back = `${filesScript([{ path: interfacesPath, text: old }])}
${drop}
tries=0
until ifreload -a; do
  tries=$((tries + 1))
  [ "$tries" -lt 3 ] || { failed=1; break; }
  sleep 2
done`;
  if (old === undefined) return back;
  return `if printf '%s' ${quoteWord(old)} | cmp -s - ${quoteWord(interfacesPath)}; then
${drop}
else
${back}
fi`;
}

const verbs = { POST: "create", PUT: "set", DELETE: "delete" } as const;

/** What is to go may not be there yet: that is no failure. */
function pveshLine({ method, path, form }: Call): string {
  const options = Object.entries(form).flatMap(([key, value]) => [`--${key}`, value]);
  const words = ["pvesh", verbs[method], decodeURIComponent(path), ...options].map(quoteWord).join(" ");
  if (method !== "DELETE") return `${words} >/dev/null || failed=1`;
  return `if pvesh get ${quoteWord(decodeURIComponent(path))} >/dev/null 2>&1; then ${words} >/dev/null || failed=1; fi`;
}
