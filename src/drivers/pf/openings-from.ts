import { compareKeys } from "../../base/order.ts";
import { parseAddress } from "../../net/address.ts";
import { formatPortRange, parsePortRange } from "../../net/port.ts";
import { contains, type Prefix, parsePrefix } from "../../net/prefix.ts";
import type { FirewallConfig, FirewallRule } from "./firewall-config.ts";

/** A host as the firewall knows it: by the next hop of its routes. */
export type ImportedHost = { readonly name: string; readonly slot: number; readonly block: Prefix };

type Opened = { readonly to: string; readonly ports: readonly string[]; readonly from: readonly string[] };

/**
 * The openings that rules of the uplink make, as lines of a fleet file. A rule that says more than an opening can, or of
 * addresses in no host's block, is left out, and a comment says so.
 */
export function openingsFrom(
  config: FirewallConfig,
  uplink: string,
  hosts: readonly ImportedHost[],
): readonly string[] {
  const found = new Map<string, Opened>();
  const left: string[] = [];
  for (const rule of config.rules) {
    if (!rule.six || !rule.interfaces.includes(uplink)) continue;
    const opened = openedBy(config, rule, hosts);
    if (typeof opened === "string") left.push(`#   "${oneLine(rule.label)}": ${opened}`);
    else for (const each of opened) join(found, each);
  }
  const lines = [...found.values()]
    .sort((a, b) => compareKeys(`${a.to} ${a.ports.join()}`, `${b.to} ${b.ports.join()}`))
    .map(
      ({ to, ports, from }) =>
        `  - { to: "${to}", ports: [${ports.join(", ")}], from: ${from.length === 1 ? quoted(from[0] ?? "") : `[${from.map(quoted).join(", ")}]`} }`,
    );
  return [
    ...(lines.length === 0 ? ["openings: []"] : ["openings:", ...lines]),
    ...(left.length === 0
      ? []
      : ["# Rules of the uplink that are no openings; they stay as they are on the device:", ...left]),
  ];
}

function quoted(text: string): string {
  return text === "any" ? text : `"${text}"`;
}

/** Whatever somebody called a rule, it ends at its line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/gu, " ").slice(0, 80);
}

/** Openings of one address to the same sources are one entry. */
function join(found: Map<string, Opened>, { to, ports, from }: Opened): void {
  const key = `${to} ${from.join()}`;
  const before = found.get(key)?.ports ?? [];
  found.set(key, { to, from, ports: [...new Set([...before, ...ports])] });
}

function openedBy(
  config: FirewallConfig,
  rule: FirewallRule,
  hosts: readonly ImportedHost[],
): readonly Opened[] | string {
  const ports = portsOf(config, rule);
  if (typeof ports === "string") return ports;
  const from = sourcesOf(config, rule.from);
  if (from === undefined) return `its source ${rule.from} is no list of IPv6 prefixes`;
  if (rule.notTo) return "its destination is turned round";
  const targets = entriesOf(config, rule.to);
  if (targets === undefined) return `its destination ${rule.to} is no list of addresses`;
  const addresses = targets.flatMap((each) => parseAddress(each) ?? []);
  if (addresses.length < targets.length) return "its destination holds whole networks";
  const outside = addresses.filter((each) => !hosts.some(({ block }) => contains(block, each)));
  if (outside.length > 0) return `${outside[0]} is in no host's block`;
  return addresses.map((to) => ({ to, ports, from }));
}

function portsOf(config: FirewallConfig, { protocol, echo, ports }: FirewallRule): readonly string[] | string {
  if (echo) return ["ping"];
  const transports = protocol?.split("/") ?? [];
  if (transports.length === 0 || !transports.every((each) => ["tcp", "udp", "sctp"].includes(each)))
    return `protocol ${protocol ?? "any"}`;
  if (ports === undefined) return "it opens every port";
  const alias = config.aliases.find(({ name, type }) => name === ports && type === "port");
  const ranges = (alias?.entries ?? [ports]).map((each) => parsePortRange(each.replace(":", "-")));
  if (ranges.some((each) => each === undefined)) return `ports ${ports}`;
  return transports.flatMap((transport) =>
    ranges.flatMap((each) =>
      each === undefined ? [] : [`${formatPortRange(each)}${transport === "tcp" ? "" : `/${transport}`}`],
    ),
  );
}

function entriesOf(config: FirewallConfig, place: string): readonly string[] | undefined {
  if (parseAddress(place) !== undefined || parsePrefix(place) !== undefined) return [place];
  const alias = config.aliases.find(({ name }) => name === place);
  return alias === undefined || alias.type === "port" ? undefined : alias.entries;
}

function sourcesOf(config: FirewallConfig, place: string): readonly string[] | undefined {
  if (place === "any") return ["any"];
  const entries = entriesOf(config, place);
  const fine = entries?.every((each) => parseAddress(each) !== undefined || parsePrefix(each) !== undefined) === true;
  return fine && entries !== undefined && entries.length > 0 ? entries : undefined;
}
