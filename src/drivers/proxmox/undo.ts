import { randomUUID } from "node:crypto";
import type { Seconds } from "../../base/time.ts";
import type { Shell } from "../../runtime/shell.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import type { Pending } from "../driver.ts";
import { filesScript } from "../linux/converge.ts";
import { armWatchdog } from "../watchdog.ts";
import type { Call } from "./api.ts";
import { interfacesPath } from "./convert.ts";
import { stagedPath } from "./lines.ts";

/**
 * A dead-man on the node: the file of before, what waits to be applied thrown away, one reload; then the VMs' calls by
 * `pvesh`, Proxmox's own program for its API. `network`: whether that part is touched at all.
 */
export async function armOnNode(
  shell: Shell,
  network: boolean,
  calls: readonly Call[],
  after: Seconds,
): Promise<Pending> {
  const old = network ? await shell.read(interfacesPath) : undefined;
  const undo = [
    "failed=0",
    ...(network
      ? [
          filesScript([{ path: interfacesPath, text: old }]),
          `rm -f ${quoteWord(stagedPath)} || failed=1`,
          "ifreload -a || failed=1",
        ]
      : []),
    ...calls.map(pveshLine),
    'exit "$failed"',
    "",
  ].join("\n");
  return armWatchdog(shell, { id: `proxmox-${randomUUID()}`, undo, after });
}

const verbs = { POST: "create", PUT: "set", DELETE: "delete" } as const;

/** What is to go may not be there yet: that is no failure. */
function pveshLine({ method, path, form }: Call): string {
  const options = Object.entries(form).flatMap(([key, value]) => [`--${key}`, value]);
  const words = ["pvesh", verbs[method], decodeURIComponent(path), ...options].map(quoteWord).join(" ");
  if (method !== "DELETE") return `${words} >/dev/null || failed=1`;
  return `if pvesh get ${quoteWord(decodeURIComponent(path))} >/dev/null 2>&1; then ${words} >/dev/null || failed=1; fi`;
}
