import type { GatewayDesired } from "../../desired/desired.ts";
import { type MemberKind, memberKinds } from "./members.ts";
import type { SetShape } from "./ruleset.ts";
import { shardsOf } from "./shards.ts";

const types: Readonly<Record<MemberKind, readonly string[]>> = {
  open: ["ipv6_addr", "inet_proto", "inet_service"],
  from: ["ipv6_addr", "inet_proto", "inet_service", "ipv6_addr"],
  live: ["ipv6_addr"],
  livefrom: ["ipv6_addr", "ipv6_addr"],
};

const reasons: Readonly<Record<MemberKind, string>> = {
  open: "single ports, open to anyone",
  from: "port ranges, and ports that are open to some sources only",
  live: "answer echo requests of anyone",
  livefrom: "answer echo requests of some sources only",
};

/** The set of what labels and people open in a shard, `open_02`; without a shard, of what the fleet file does: `static_open`. */
export function memberSet(kind: MemberKind, shard?: string): string {
  return shard === undefined ? `static_${kind}` : `${kind}_${shard}`;
}

/** Where the packet path keeps what it learns; how many entries there may be. */
const runtimeSizes: Readonly<Record<string, number>> = {
  cut: 262_144,
  echoes: 65_536,
  heard: 65_536,
};

/** The size of a set that the packet path itself writes to; undefined for every other. */
function runtimeSizeOf(set: string): number | undefined {
  return Object.hasOwn(runtimeSizes, set) ? runtimeSizes[set] : undefined;
}

/** What is said of a set when it is made, in nft's syntax: type, flags, size, and that openings are counted. */
export function declarationOf({
  name,
  kind,
  type,
  flags,
}: Pick<SetShape, "name" | "kind" | "type"> & {
  readonly flags: readonly string[];
}): readonly string[] {
  const size = runtimeSizeOf(name);
  const all = size === undefined ? flags : ["dynamic", ...flags];
  const role = roleOf(name);
  return [
    `type ${type.join(" . ")}${kind === "map" ? " : verdict" : ""}`,
    ...(all.length === 0 ? [] : [`flags ${all.join(",")}`]),
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(role === "static" || role === "dynamic" ? ["counter"] : []),
  ];
}

const structural: readonly string[] = ["bogons", "owners", "neighbours", "own", "hosts", "agents", "agents4"];
const ofFleetFile: readonly string[] = memberKinds.map((kind) => memberSet(kind));

/** What a set of our names is to `apply`; undefined where the name is none of ours. */
export type SetRole =
  /** Its elements are as rare as rules. */
  | "structure"
  /** Static openings, of the fleet file. */
  | "static"
  /** Openings of labels and people: elements that only the controller's lane reads and writes. */
  | "dynamic"
  /** Written by packets, or by whoever closes something; for a minute. */
  | "runtime";

export function roleOf(set: string): SetRole | undefined {
  if (structural.includes(set)) return "structure";
  if (ofFleetFile.includes(set)) return "static";
  if (set === "again" || runtimeSizeOf(set) !== undefined) return "runtime";
  return /^(open|from|live|livefrom)_[0-9a-f]{2}$/.test(set) ? "dynamic" : undefined;
}

/** The sets that every gateway has, then four for each shard that has a host. */
export function setShapes(desired: GatewayDesired): readonly SetShape[] {
  return [
    ...structuralShapes(),
    ...(desired.controller === undefined ? [] : agentShapes()),
    ...memberKinds.map((kind) => memberShape(kind)),
    ...runtimeShapes(),
    ...shardsOf(desired).flatMap((shard) => memberKinds.map((kind) => memberShape(kind, shard))),
  ];
}

function memberShape(kind: MemberKind, shard?: string): SetShape {
  const interval = kind === "from" || kind === "livefrom" ? (["interval"] as const) : [];
  return {
    name: memberSet(kind, shard),
    kind: "set",
    type: types[kind],
    flags: shard === undefined ? interval : [...interval, "timeout"],
    why: shard === undefined ? `of the fleet file: ${reasons[kind]}` : reasons[kind],
  };
}

function structuralShapes(): readonly SetShape[] {
  return [
    {
      name: "bogons",
      kind: "set",
      type: ["ipv6_addr"],
      flags: ["interval"],
      why: "never a source or destination between us and the Internet (RFC 6890, RFC 5156)",
    },
    {
      name: "owners",
      kind: "set",
      type: ["ifname", "ether_addr", "ipv6_addr"],
      flags: [],
      why: "which host, by interface and MAC address, may use which block and link-local address as its source",
    },
    {
      name: "neighbours",
      kind: "set",
      type: ["ipv6_addr"],
      flags: [],
      why: "link-local addresses of the hosts, as they are made from MAC addresses",
    },
    { name: "own", kind: "set", type: ["ipv6_addr"], flags: [], why: "the gateway's own addresses, no host's" },
    { name: "hosts", kind: "map", type: ["ipv6_addr"], flags: [], why: "from a block to the chain of its host" },
  ];
}

function agentShapes(): readonly SetShape[] {
  return [
    { name: "agents", kind: "set", type: ["ipv6_addr"], flags: [], why: "hosts whose agents may report" },
    { name: "agents4", kind: "set", type: ["ipv4_addr"], flags: [], why: "the same over IPv4" },
  ];
}

function runtimeShapes(): readonly SetShape[] {
  return [
    {
      name: "cut",
      kind: "set",
      type: ["ipv6_addr", "inet_proto", "inet_service", "ipv6_addr", "inet_service"],
      flags: ["timeout"],
      why: "flows that were cut: what a host still sends into them must not begin them anew",
    },
    {
      name: "again",
      kind: "set",
      type: ["ipv6_addr"],
      flags: ["timeout"],
      why: "addresses at which something was closed: their live flows are asked again whether they may go on",
    },
    {
      name: "echoes",
      kind: "set",
      type: ["ipv6_addr"],
      flags: ["timeout"],
      why: "how many echo requests each address got of late",
    },
    {
      name: "heard",
      kind: "set",
      type: ["ether_addr"],
      flags: ["timeout"],
      why: "how often each host spoke of neighbours of late",
    },
  ];
}
