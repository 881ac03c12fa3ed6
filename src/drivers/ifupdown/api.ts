import { z } from "zod";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Shell } from "../../runtime/shell.ts";

/** Whether a program is on the device's PATH. */
export async function has(shell: Shell, program: string, signal?: AbortSignal): Promise<boolean> {
  const ran = await shell.run(
    ["sh", "-c", 'command -v "$1" >/dev/null', "sh", program],
    signal === undefined ? {} : { signal },
  );
  return ran.code === 0;
}

/** A port that is in a bridge though no file says so: a VM's tap, a container's veth. */
export type Port = { readonly name: string; readonly bridge: string; readonly isolated: boolean; readonly up: boolean };

const portsShape = z.array(
  z.object({
    ifname: z.string(),
    master: z.string().optional(),
    flags: z.array(z.string()).optional(),
    isolated: z.boolean().optional(),
  }),
);

/** Every port of every bridge, with the flags that a re-plugged port would lose. */
export async function readPorts(shell: Shell, signal?: AbortSignal): Promise<readonly Port[]> {
  const ran = await shell.run(["bridge", "-d", "-j", "link", "show"], signal === undefined ? {} : { signal });
  try {
    if (ran.code === 0) {
      return portsShape.parse(JSON.parse(ran.stdout.trim() || "[]")).flatMap(({ ifname, master, flags, isolated }) =>
        // A bridge is listed as its own master when it filters VLANs.
        master === undefined || master === ifname
          ? []
          : [{ name: ifname, bridge: master, isolated: isolated ?? false, up: flags?.includes("UP") ?? false }],
      );
    }
  } catch (cause) {
    throw new Failure(
      "E517",
      shell.name,
      "`bridge -d -j link` was not understood",
      "iproute2 of 5.10 or later is needed",
      { cause },
    );
  }
  throw new Failure(
    "E517",
    shell.name,
    `\`bridge -d -j link\` ended with ${ran.code}: ${printable(ran.stderr.slice(0, 300))}`,
    "try it by hand on the device",
  );
}

/** Programs that put a port back into its bridge as it was. */
export function plugCommands({ name, bridge, isolated, up }: Port): readonly (readonly string[])[] {
  return [
    ["ip", "link", "set", "dev", name, "master", bridge],
    ...(isolated ? [["bridge", "link", "set", "dev", name, "isolated", "on"]] : []),
    ...(up ? [["ip", "link", "set", "dev", name, "up"]] : []),
  ];
}

/** ifupdown2's own look at what it made; only bridges and addresses, no routes and no commands. */
const checkShape = z.array(z.object({ name: z.string(), config_status: z.record(z.string(), z.unknown()).optional() }));

/** Names of the attributes that ifupdown2 says are not as the file has them: `vmbr0 bridge-ports`. */
export async function failedChecks(
  shell: Shell,
  names: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const options = { timeout: 120_000, ...(signal === undefined ? {} : { signal }) };
  const ran = await shell.run(["ifquery", "--check", "-a", "-o", "json"], options);
  const parsed = checkShape.safeParse(readJson(ran.stdout));
  if (!parsed.success) return []; // the live state is looked at anyway
  return parsed.data.flatMap(({ name, config_status: status = {} }) =>
    names.has(name)
      ? Object.entries(status).flatMap(([key, value]) =>
          JSON.stringify(value).includes("fail") ? [`${name} ${key}`] : [],
        )
      : [],
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
