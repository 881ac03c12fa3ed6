import { randomUUID } from "node:crypto";
import { Failure } from "../../base/failure.ts";
import { printable } from "../../base/printable.ts";
import type { Seconds } from "../../base/time.ts";
import type { Change, ChangeSet } from "../../change/change-set.ts";
import { diff } from "../../change/diff.ts";
import type { Item } from "../../change/item.ts";
import type { BridgeDesired, HypervisorDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import type { Driver, Observed, Pending } from "../driver.ts";
import { refuseSecond } from "../earlier-undo.ts";
import { goBack } from "../go-back.ts";
import { untilAsPlanned } from "../linux/as-planned.ts";
import { filesScript, sysctlScript, sysctlsAmong } from "../linux/converge.ts";
import { inOrder, routeKey, structure, sysctlKey } from "../linux/guest-items.ts";
import { type Live, readLive, readSysctls } from "../linux/live.ts";
import { revisionOf } from "../linux/observe-guest.ts";
import { silences } from "../linux/silence.ts";
import { replaceFile } from "../previous.ts";
import { armWatchdog } from "../watchdog.ts";
import { failedChecks, has, type Port, plugCommands, readPorts } from "./api.ts";
import { bridgeKey, interfacesPath, normalize, stanzaItems, withBridges } from "./convert.ts";

export function bridgesDriver(shell: Shell, desired: HypervisorDesired): Driver {
  const observe = (signal?: AbortSignal): Promise<Observed> => observeBridges(shell, desired, signal);
  return {
    observe,
    async apply(set, confirmWithin, signal) {
      await refuseSecond(shell, "bridges-", signal);
      const before = await observe(signal);
      if (before.revision !== set.base) {
        throw new Failure(
          "E510",
          shell.name,
          "The hypervisor's bridges changed since the plan",
          "plan again and look at what changed",
        );
      }
      if (!(await has(shell, "ifreload", signal))) {
        throw new Failure(
          "E518",
          shell.name,
          "`ifreload` is not there",
          "install ifupdown2: Proxmox has it, and classic ifupdown can't change a bridge without taking it down",
        );
      }
      const old = await shell.read(interfacesPath);
      const text = withBridges(old, desired);
      const ports = await readPorts(shell, signal);
      await requirePorts(shell, desired, signal);
      const pending = await arm(shell, old, set, plugged(ports, old ?? ""), confirmWithin);
      try {
        if (text !== old) await replaceFile(shell, interfacesPath, text);
        await reload(shell, desired, set, ports, signal);
        await asPlanned(shell, desired, observe, signal);
        return pending;
      } catch (cause) {
        return await goBack(shell.name, pending, cause);
      }
    },
  };
}

async function observeBridges(shell: Shell, desired: HypervisorDesired, signal?: AbortSignal): Promise<Observed> {
  const text = (await shell.read(interfacesPath)) ?? "";
  const live = await readLive(shell, signal);
  const keys = desired.bridges.flatMap((bridge) => silences(bridge).map(({ key }) => key));
  const sysctls = await readSysctls(shell, keys, signal);
  const items = inOrder([
    ...stanzaItems(text, desired),
    ...desired.bridges.flatMap((bridge) => bridgeItem(bridge, live)),
    ...defaultRoute(desired, live),
    ...[...sysctls].map(([key, value]) => structure(sysctlKey(key), value)),
  ]);
  return { items, revision: revisionOf(items) };
}

/** Ports beside the fleet's are VMs and containers: they come and go, and are nobody's drift. */
function bridgeItem({ name, port, address4, silent }: BridgeDesired, live: Live): readonly Item[] {
  const link = live.links.find((each) => each.name === name);
  if (link === undefined) return [];
  const addresses = live.addresses.filter((each) => each.link === name);
  const own4 = addresses.filter(({ address }) => !address.includes(":")).map(({ address }) => address);
  const own6 = addresses.filter(({ address }) => address.includes(":")).map(({ address }) => address);
  const in4 = address4 !== undefined && own4.includes(address4) ? address4 : own4.join(", ");
  const plugged = port !== undefined && live.links.some((each) => each.name === port && each.master === name);
  return [
    structure(bridgeKey(name), {
      up: link.up,
      port: plugged ? port : "none",
      address4: in4 === "" ? "none" : in4,
      ...(silent ? { address6: own6.length === 0 ? "none" : own6.join(", ") } : {}),
    }),
  ];
}

function defaultRoute(desired: HypervisorDesired, live: Live): readonly Item[] {
  const wanted = desired.bridges.find(({ gateway4 }) => gateway4 !== undefined);
  const values = live.routes.filter(({ to }) => to === "0.0.0.0/0").map(({ value }) => value);
  if (wanted === undefined || values.length === 0) return [];
  const value = `via ${String(wanted.gateway4)} dev ${wanted.name}`;
  return [structure(routeKey("0.0.0.0/0"), values.includes(value) ? value : values.join(", "))];
}

/** A bridge whose uplink is missing would come up alone and cut the machine off. */
async function requirePorts(shell: Shell, desired: HypervisorDesired, signal?: AbortSignal): Promise<void> {
  const { links } = await readLive(shell, signal);
  for (const { name, port } of desired.bridges) {
    const link = links.find((each) => each.name === port);
    if (
      port === undefined ||
      (link !== undefined && (link.master === undefined || link.master === name || isFleets(desired, link.master)))
    )
      continue;
    const text =
      link === undefined
        ? `No interface "${port}" for ${name}`
        : `"${port}" is a port of ${link.master ?? "another bridge"}, not of ${name}`;
    throw new Failure("E511", shell.name, text, `there are: ${links.map((each) => each.name).join(", ")}`);
  }
}

function isFleets(desired: HypervisorDesired, bridge: string): boolean {
  return desired.bridges.some(({ name }) => name === bridge);
}

/** Ports that a reload may throw out: those of no file. */
function plugged(ports: readonly Port[], text: string): readonly Port[] {
  const said = new Set(text.split(/\s+/));
  return ports.filter(({ name }) => !said.has(name));
}

async function arm(
  shell: Shell,
  old: string | undefined,
  set: ChangeSet,
  foreign: readonly Port[],
  after: Seconds,
): Promise<Pending> {
  const settings = set.changes.flatMap((change): readonly Change[] =>
    change.kind === "update" ? [{ ...change, after: change.before }] : [],
  );
  // Without a file before, the bridges made have to go by name: an empty file says nothing of them.
  const made = set.changes.flatMap((change) =>
    change.kind === "create" && change.after.key.startsWith("bridge ") ? [change.after.key.slice(7)] : [],
  );
  const undo = [
    "failed=0",
    filesScript([{ path: interfacesPath, text: old }]),
    ...(old === undefined ? [] : ["ifreload -a || failed=1"]),
    ...made.map(
      (name) =>
        `if [ -d ${quoteWord(`/sys/class/net/${name}/bridge`)} ]; then ip link del dev ${quoteWord(name)} || failed=1; fi`,
    ),
    ...foreign.flatMap(plugCommands).map((argv) => `${argv.map(quoteWord).join(" ")} 2>/dev/null || true`),
    sysctlScript(sysctlsAmong(settings)),
    'exit "$failed"',
    "",
  ].join("\n");
  return armWatchdog(shell, { id: `bridges-${randomUUID()}`, undo, after });
}

/** `ifreload -a` ends with 0 also on a file that it does not understand, so what it says decides nothing. */
async function reload(
  shell: Shell,
  desired: HypervisorDesired,
  set: ChangeSet,
  ports: readonly Port[],
  signal?: AbortSignal,
): Promise<void> {
  const options = { timeout: 120_000, ...(signal === undefined ? {} : { signal }) };
  // Python 3.12 and later warn of ifupdown2's own source, a line each.
  const ran = await shell.run(["env", "PYTHONWARNINGS=ignore", "ifreload", "-a"], options);
  if (ran.code !== 0) {
    throw new Failure(
      "E511",
      shell.name,
      `\`ifreload -a\` ended with ${ran.code}: ${printable(ran.stderr.trim().slice(-600))}`,
      "look at the stanzas that are not sixgate's",
    );
  }
  await unplugOld(shell, desired, set, ports);
  const now = new Map((await readPorts(shell, signal)).map((port) => [port.name, port]));
  const text = (await shell.read(interfacesPath)) ?? "";
  for (const port of plugged(ports, text)) {
    const after = now.get(port.name);
    if (after?.bridge === port.bridge && after.up === port.up && after.isolated === port.isolated) continue;
    for (const argv of plugCommands(port)) await shell.run(argv, options);
  }
}

/** The port that a bridge of ours had before and has no more: any port is condoned, so the reload leaves it in. */
async function unplugOld(
  shell: Shell,
  desired: HypervisorDesired,
  set: ChangeSet,
  ports: readonly Port[],
): Promise<void> {
  for (const change of set.changes) {
    if (change.kind === "create" || !change.before.key.startsWith("stanza ") || !Array.isArray(change.before.value))
      continue;
    const bridge = change.before.key.slice("stanza ".length);
    const line = change.before.value.find(
      (each): each is string => typeof each === "string" && each.startsWith("bridge-ports "),
    );
    const wanted = desired.bridges.find(({ name }) => name === bridge)?.port;
    for (const port of (line ?? "").split(" ").slice(1)) {
      const still = ports.some((each) => each.name === port && each.bridge === bridge);
      if (port !== wanted && still) await shell.run(["ip", "link", "set", "dev", port, "nomaster"]);
    }
  }
}

async function asPlanned(
  shell: Shell,
  desired: HypervisorDesired,
  observe: () => Promise<Observed>,
  signal?: AbortSignal,
): Promise<void> {
  const planned = normalize(desired);
  await untilAsPlanned(
    {
      at: shell.name,
      items: async () => (await observe()).items,
      left: (items) => diff(items, planned),
      fix: "look at `ifreload -a -v` on the hypervisor",
    },
    signal,
  );
  const failed = await failedChecks(shell, new Set(desired.bridges.map(({ name }) => name)), signal);
  if (failed.length === 0) return;
  throw new Failure(
    "E512",
    shell.name,
    `ifupdown2 sees other than planned: ${printable(failed.join(", "))}`,
    "look at `ifquery --check -a` on the hypervisor",
  );
}
