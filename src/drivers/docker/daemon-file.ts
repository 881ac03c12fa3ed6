import { Failure } from "../../base/failure.ts";
import type { Value } from "../../change/item.ts";
import { contains, type Prefix, parsePrefix } from "../../net/prefix.ts";
import { enableIpv6Option, gatewayModeOption } from "./profile.ts";

export const daemonPath = "/etc/docker/daemon.json";

/** A JSON object; also what daemon.json holds. */
export type Json = { readonly [key: string]: Value };

/**
 * What of daemon.json is ours: these keys decide who reaches a container. Two of them are shared with other people's
 * settings: of `default-network-opts` only our two options of `bridge` are ours, of `default-address-pools` only the
 * pools in the host's block.
 */
export const plainKeys = ["ipv6", "fixed-cidr-v6", "ip6tables", "bridge-accept-fwmark"] as const;
export const optionsKey = "default-network-opts";
export const poolsKey = "default-address-pools";

/** Our part, by key. A key that is not there must not be in the file. */
export type OwnKeys = ReadonlyMap<string, Value>;

/** Docker's pools when daemon.json lists none (moby, ipamutils); a list of ours replaces them, so it has to repeat them. */
export const stockPools: readonly Json[] = [
  ...[17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31].map((n) => ({ base: `172.${n}.0.0/16`, size: 16 })),
  { base: "192.168.0.0/16", size: 20 },
];

function isObject(value: Value | undefined): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

/** Rejects what dockerd would: text that is no JSON object. An absent or empty file is `{}`, as for dockerd. */
export function parseDaemonFile(at: string, text: string | undefined): Json {
  if (text === undefined || text.trim() === "") return {};
  let value: Value;
  try {
    value = JSON.parse(text) as Value;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure("E540", at, `${daemonPath} is not JSON: ${why}`, "repair the file; nothing was changed", {
      cause,
    });
  }
  if (isObject(value)) return value;
  throw new Failure("E540", at, `${daemonPath} holds no JSON object`, "repair the file; nothing was changed");
}

function isOurPool(pool: Value, block: Prefix): boolean {
  const base = isObject(pool) && typeof pool["base"] === "string" ? parsePrefix(pool["base"]) : undefined;
  return base !== undefined && contains(block, base);
}

const ownOptions: readonly string[] = [enableIpv6Option, gatewayModeOption];

/** Our part of a file. */
export function ownKeysOf(file: Json, block: Prefix): OwnKeys {
  const own = new Map<string, Value>();
  for (const key of plainKeys) {
    const value = file[key];
    if (value !== undefined) own.set(key, value);
  }
  const options = file[optionsKey];
  const bridge = isObject(options) ? options["bridge"] : undefined;
  if (isObject(bridge)) {
    const ours = Object.entries(bridge).filter(([key]) => ownOptions.includes(key));
    if (ours.length > 0) own.set(optionsKey, Object.fromEntries(ours));
  }
  const pools = file[poolsKey];
  if (isList(pools)) {
    const ours = pools.filter((pool) => isOurPool(pool, block));
    if (ours.length > 0) own.set(poolsKey, ours);
  }
  return own;
}

function mergeOptions(before: Value | undefined, wanted: Value | undefined): Value | undefined {
  const options = isObject(before) ? before : {};
  const bridge = isObject(options["bridge"]) ? options["bridge"] : {};
  const foreign = Object.entries(bridge).filter(([key]) => !ownOptions.includes(key));
  const merged = Object.fromEntries([...foreign, ...(isObject(wanted) ? Object.entries(wanted) : [])]);
  if (Object.keys(merged).length > 0) return { ...options, bridge: merged };
  const rest = Object.entries(options).filter(([key]) => key !== "bridge");
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}

function isStock(pools: readonly Value[]): boolean {
  return JSON.stringify(pools) === JSON.stringify(stockPools);
}

function mergePools(before: Value | undefined, wanted: Value | undefined, block: Prefix): Value | undefined {
  const foreign = (isList(before) ? before : []).filter((pool) => !isOurPool(pool, block));
  if (isList(wanted) && wanted.length > 0) return [...(foreign.length === 0 ? stockPools : foreign), ...wanted];
  return foreign.length === 0 || isStock(foreign) ? undefined : foreign;
}

/** The file with our part as wanted: foreign keys keep their values and the order they have, new ones come last. */
export function mergeDaemonFile(file: Json, wanted: OwnKeys, block: Prefix): Json {
  const next = new Map<string, Value>(Object.entries(file));
  const put = (key: string, value: Value | undefined): void => {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  };
  for (const key of plainKeys) put(key, wanted.get(key));
  const options = wanted.get(optionsKey);
  // Untouched where we neither want nor have anything in it: other people's order and spelling stay.
  if (options !== undefined || ownKeysOf(file, block).has(optionsKey))
    put(optionsKey, mergeOptions(file[optionsKey], options));
  const pools = wanted.get(poolsKey);
  if (pools !== undefined || ownKeysOf(file, block).has(poolsKey))
    put(poolsKey, mergePools(file[poolsKey], pools, block));
  return Object.fromEntries(next);
}

/** Undefined when nothing is left to say: then there need not be a file. */
export function printDaemonFile(file: Json): string | undefined {
  return Object.keys(file).length === 0 ? undefined : `${JSON.stringify(file, null, 2)}\n`;
}
