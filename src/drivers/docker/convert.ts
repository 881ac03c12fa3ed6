import type { ChangeSet } from "../../change/change-set.ts";
import { keyOf } from "../../change/change-set.ts";
import type { Item, Value } from "../../change/item.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import type { RenderedFile } from "../driver.ts";
import { daemonPath, mergeDaemonFile, type OwnKeys, optionsKey, poolsKey, printDaemonFile } from "./daemon-file.ts";
import { doorFiles, doorLines, dropInPath, markPath } from "./door.ts";
import { createArguments, shapeOf, userNetworks } from "./network.ts";
import { doorMark, doorOf, enableIpv6Option, firstFiltered, gatewayModeOption, isRouted, poolOf } from "./profile.ts";

export const networksPath = "/etc/sixgate/docker-networks.json";
export const engineKey = "engine";
export const doorKey = "door";

/**
 * What the running engine does, as far as it can be seen: it reads daemon.json only when it starts. `bridge` is the
 * IPv6 prefix of the default bridge, null when it has none; `filters` whether Docker's IPv6 rules are in the kernel.
 */
export type EngineState = { readonly bridge: string | null; readonly filters: boolean };

/** What daemon.json has to say of ours, by engine version and profile. */
export function wantedKeys(desired: EngineDesired): OwnKeys {
  const wanted = new Map<string, Value>();
  if (!isRouted(desired)) {
    const bridge = desired.networks.find((network) => network.name === "default");
    if (bridge !== undefined) wanted.set("ipv6", true).set("fixed-cidr-v6", bridge.prefix);
    // Up to 26 it is off, and naming it there needs `experimental`.
    if (desired.engine.major >= firstFiltered) wanted.set("ip6tables", false);
    return wanted;
  }
  // No `ipv6` here: the default bridge can't be routed, its containers would leave by NAT and be reached by nobody.
  if (doorOf(desired) === "fwmark") wanted.set("bridge-accept-fwmark", doorMark);
  wanted.set(optionsKey, { [enableIpv6Option]: "true", [gatewayModeOption]: "routed" });
  const pool = poolOf(desired);
  if (pool !== undefined) wanted.set(poolsKey, [{ base: pool.base, size: pool.size }]);
  return wanted;
}

export function wantedState(desired: EngineDesired): EngineState {
  const bridge = desired.networks.find((network) => network.name === "default");
  return { bridge: isRouted(desired) ? null : (bridge?.prefix ?? null), filters: isRouted(desired) };
}

function networksFile(desired: EngineDesired): RenderedFile {
  const networks = userNetworks(desired).map((network) => {
    const shape = shapeOf(desired, network);
    return { name: network.name, ...shape, command: ["docker", ...createArguments(network.name, shape)] };
  });
  return { path: networksPath, text: `${JSON.stringify({ networks }, null, 2)}\n` };
}

/** Files that are wholly ours, unlike daemon.json. */
export function ownFiles(desired: EngineDesired): readonly RenderedFile[] {
  return [...doorFiles(desired), ...(userNetworks(desired).length === 0 ? [] : [networksFile(desired)])];
}

/** Every path that {@link ownFiles} can name, whatever is desired. */
export const ownPaths: readonly string[] = [dropInPath, markPath, networksPath];

export function itemsOf(
  keys: OwnKeys,
  state: EngineState,
  files: readonly RenderedFile[],
  networks: ReadonlyMap<string, Value>,
  door: readonly string[],
): readonly Item[] {
  const items: Item[] = [{ key: engineKey, value: { ...state }, lane: "structure" }];
  for (const [key, value] of keys) items.push({ key: `daemon ${key}`, value, lane: "structure" });
  for (const file of files) items.push({ key: `file ${file.path}`, value: file.text, lane: "structure" });
  for (const [name, value] of networks) items.push({ key: `network ${name}`, value, lane: "structure" });
  if (door.length > 0) items.push({ key: doorKey, value: door, lane: "structure" });
  return items.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Sorted by key. */
export function normalize(desired: EngineDesired): readonly Item[] {
  const networks = new Map<string, Value>(
    userNetworks(desired).map((network) => [network.name, { ...shapeOf(desired, network) }]),
  );
  return itemsOf(wantedKeys(desired), wantedState(desired), ownFiles(desired), networks, doorLines(desired));
}

/** daemon.json with our keys alone, as on a machine that had none. */
export function render(desired: EngineDesired): readonly RenderedFile[] {
  const text = printDaemonFile(mergeDaemonFile({}, wantedKeys(desired), desired.block));
  return [...(text === undefined ? [] : [{ path: daemonPath, text }]), ...ownFiles(desired)];
}

/** True when the engine has to read daemon.json anew, which it does only at its start. */
export function needsRestart(set: ChangeSet): boolean {
  return set.changes.some((change) => keyOf(change) === engineKey || keyOf(change).startsWith("daemon "));
}

/** What people should know before they agree. */
export function consequences(set: ChangeSet): readonly string[] {
  if (!needsRestart(set)) return [];
  return [
    `${set.device}: the Docker engine is restarted. Its containers stop and are started again, so expect seconds without them; ` +
      "with live-restore they keep running, but on the networks they had",
  ];
}
