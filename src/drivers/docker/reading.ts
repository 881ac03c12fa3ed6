import { Failure } from "../../base/failure.ts";
import type { Item, Value } from "../../change/item.ts";
import type { EngineDesired } from "../../desired/desired.ts";
import { baseOf, lengthOf, overlaps, type Prefix, parsePrefix, prefixOf } from "../../net/prefix.ts";
import type { Ran, Shell } from "../../runtime/shell.ts";
import type { RenderedFile } from "../driver.ts";
import { type EngineApi, type EngineNetworkSeen, runIfThere } from "./api.ts";
import { type EngineState, itemsOf, ownPaths } from "./convert.ts";
import { daemonPath, type Json, ownKeysOf, parseDaemonFile } from "./daemon-file.ts";
import { doorComment, markPath, markTable } from "./door.ts";
import { filterJump } from "./leftovers.ts";
import { builtInNetworks, isOwnedBy, type NetworkShape, ownerLabel, userNetworks } from "./network.ts";
import { bridgeNameOption, firstFiltered, firstMarked, gatewayModeOption, isRouted } from "./profile.ts";

/** All that was read of an engine and its host at one time. */
export type Reading = {
  readonly daemonText: string | undefined;
  readonly daemon: Json;
  readonly files: readonly RenderedFile[];
  readonly networks: readonly EngineNetworkSeen[];
  /** By name, those that carry our label. */
  readonly owned: ReadonlyMap<string, { readonly id: string; readonly shape: NetworkShape }>;
  readonly door: readonly string[];
  readonly state: EngineState;
  readonly items: readonly Item[];
};

type Filter = { readonly door: readonly string[]; readonly filters: boolean };

function mustEnd(shell: Shell, what: string, ran: Ran): string {
  if (ran.code === 0) return ran.stdout;
  throw new Failure(
    "E503",
    shell.name,
    `${what}: ${ran.stderr.trim().slice(0, 300)}`,
    "try it by hand as root on the host",
  );
}

async function readIptables(shell: Shell, signal?: AbortSignal): Promise<Filter> {
  const ran = await runIfThere(shell, ["ip6tables", "-w", "-S"], signal);
  // No program, no rules of it: an engine on nftables needs none.
  const text = ran === undefined ? "" : mustEnd(shell, "ip6tables -S", ran);
  const lines = text.split("\n");
  const door = lines.filter((line) => line.startsWith("-A DOCKER-USER ") && line.includes(`--comment ${doorComment} `));
  return { door: door.map((line) => line.slice(3)).sort(), filters: lines.some((line) => filterJump.test(line)) };
}

async function readNftables(shell: Shell, signal?: AbortSignal): Promise<Filter> {
  const ran = await runIfThere(shell, ["nft", "list", "tables"], signal);
  const tables = (ran === undefined ? "" : mustEnd(shell, "nft list tables", ran)).split("\n");
  const filters = tables.includes("table ip6 docker-bridges");
  if (!tables.includes(`table ip6 ${markTable}`)) return { door: [], filters };
  const listed = await shell.run(["nft", "list", "table", "ip6", markTable], signal === undefined ? {} : { signal });
  const text = mustEnd(shell, `nft list table ip6 ${markTable}`, listed);
  return { door: [...text.matchAll(/ comment "([^"]*)"/g)].map((found) => `mark ${found[1] ?? ""}`).sort(), filters };
}

function shapeSeen(network: EngineNetworkSeen): NetworkShape {
  const six = network.subnets.find((each) => each.subnet.includes(":"));
  return {
    subnet: canonical(six?.subnet) ?? six?.subnet ?? "",
    gateway: six?.gateway?.split("/")[0] ?? "",
    bridge: network.options[bridgeNameOption] ?? "",
    internal: network.internal,
    mode: network.options[gatewayModeOption] === "routed" ? "routed" : "nat",
    owner: network.labels[ownerLabel] ?? "",
  };
}

function canonical(subnet: string | undefined): Prefix | undefined {
  return subnet === undefined ? undefined : parsePrefix(subnet);
}

function prefixesOf(network: EngineNetworkSeen): readonly Prefix[] {
  return network.subnets.map((each) => canonical(each.subnet)).filter((each) => each !== undefined);
}

/** Rejects where networks that are not ours lie where ours should: Docker itself refuses only some of these. */
function checkForeign(at: string, desired: EngineDesired, foreign: readonly EngineNetworkSeen[]): void {
  const [first] = desired.networks;
  const wanted = userNetworks(desired);
  const link = first === undefined ? undefined : prefixOf(baseOf(desired.block), lengthOf(first.prefix));
  for (const network of foreign) {
    const namesake = wanted.find((each) => each.name === network.name);
    if (namesake !== undefined) {
      throw new Failure(
        "E545",
        at,
        `A Docker network "${network.name}" is there and not ours`,
        `remove it (docker network rm ${network.name}), or name ours differently in the fleet file`,
      );
    }
    for (const prefix of prefixesOf(network)) {
      const clash =
        link !== undefined && overlaps(link, prefix)
          ? "the host's link"
          : wanted.find((each) => overlaps(each.prefix, prefix))?.name;
      if (clash === undefined) continue;
      throw new Failure(
        "E542",
        at,
        `Docker network "${network.name}" has ${prefix}, which overlaps ${clash}`,
        `remove it (docker network rm ${network.name}), or give it a prefix outside ${desired.block}`,
      );
    }
  }
}

/** Rejects where a key that is not ours would undo what ours say. */
function checkDaemon(at: string, desired: EngineDesired, file: Json): void {
  const say = (key: string, why: string, fix: string): never => {
    throw new Failure("E546", at, `${daemonPath} has "${key}": ${JSON.stringify(file[key])}, ${why}`, fix);
  };
  if (isRouted(desired) && file["iptables"] === false) {
    say("iptables", `so Docker filters nothing and profile "${desired.profile}" is not what it says`, "remove the key");
  }
  if (isRouted(desired)) return;
  if (file["icc"] === false && desired.engine.major >= firstFiltered) {
    say(
      "icc",
      "with which the engine does not start when its IPv6 filter is off",
      "remove the key, or use profile: routed",
    );
  }
  if (file["bridge"] !== undefined)
    say("bridge", "so there is no default bridge for the fleet's addresses", "remove the key");
}

function checkVersion(at: string, desired: EngineDesired, version: string): void {
  const [major] = version.split(".");
  if (Number(major) === desired.engine.major) return;
  const { major: wanted, minor } = desired.engine;
  throw new Failure(
    "E548",
    at,
    `The host runs Docker ${version}, the fleet says ${wanted}.${minor}`,
    `set engine: "${version.split(".").slice(0, 2).join(".")}" for the host; what has to be configured depends on it`,
  );
}

async function readFiles(shell: Shell): Promise<readonly RenderedFile[]> {
  const files: RenderedFile[] = [];
  for (const path of ownPaths) {
    const text = await shell.read(path);
    if (text !== undefined) files.push({ path, text });
  }
  return files;
}

function stateOf(networks: readonly EngineNetworkSeen[], filters: boolean): EngineState {
  const bridge = networks.find((network) => network.name === "bridge");
  const six = bridge?.subnets.find((each) => each.subnet.includes(":"));
  return { bridge: six === undefined ? null : (canonical(six.subnet) ?? six.subnet), filters };
}

/** Rejects unless everything was read. */
export async function readEngine(
  shell: Shell,
  api: EngineApi,
  desired: EngineDesired,
  signal?: AbortSignal,
): Promise<Reading> {
  const at = `${desired.device} docker`;
  const daemonText = await shell.read(daemonPath);
  const daemon = parseDaemonFile(at, daemonText);
  checkDaemon(at, desired, daemon);
  checkVersion(at, desired, await api.version(signal));
  const files = await readFiles(shell);
  const networks = await api.networks(signal);
  const mine = networks.filter((network) => isOwnedBy(network.labels, desired.device));
  checkForeign(
    at,
    desired,
    networks.filter((network) => !mine.includes(network) && !builtInNetworks.includes(network.name)),
  );
  const iptables = await readIptables(shell, signal);
  const asksNft = desired.engine.major >= firstMarked || files.some((file) => file.path === markPath);
  const nftables = asksNft ? await readNftables(shell, signal) : { door: [], filters: false };
  const door = [...iptables.door, ...nftables.door];
  const state = stateOf(networks, iptables.filters || nftables.filters);
  const owned = new Map(mine.map((network) => [network.name, { id: network.id, shape: shapeSeen(network) }]));
  const values = new Map<string, Value>([...owned].map(([name, { shape }]) => [name, shape]));
  const items = itemsOf(ownKeysOf(daemon, desired.block), state, files, values, door);
  return { daemonText, daemon, files, networks, owned, door, state, items };
}
