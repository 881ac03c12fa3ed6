import type { Item } from "../../change/item.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { type Address, parseAddress } from "../../net/address.ts";
import { baseOf, contains, type Prefix, parsePrefix, prefixOf } from "../../net/prefix.ts";
import { isTransport } from "../../net/transport.ts";
import { isUnderCeiling } from "./ceiling.ts";
import { shardOf } from "./shards.ts";
import { partsOf } from "./transaction.ts";

/** A flow as connection tracking has it: its first packet's direction. Ports are absent without ports; `id` is an echo's. */
export type LiveFlow = {
  readonly protocol: string;
  readonly from: Address;
  readonly to: Address;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly echo?: { readonly type: number; readonly code: number; readonly id: number };
};

/** Protocols that conntrack(8) takes by name; others go by number, with addresses only. */
const named: ReadonlySet<string> = new Set(["tcp", "udp", "sctp", "icmpv6", "udplite", "dccp", "gre"]);

const line =
  /^(\S+)\s+(\d+) .*?src=([0-9a-f:.]+) dst=([0-9a-f:.]+)(?: sport=(\d+) dport=(\d+)| type=(\d+) code=(\d+) id=(\d+))?/;

/** Reads `conntrack -L -f ipv6` (conntrack-tools 1.4). Throws an Error for a line that isn't understood. */
export function parseFlows(text: string): readonly LiveFlow[] {
  return text
    .split("\n")
    .filter((each) => each !== "")
    .map((each) => {
      const [, name = "", number = "", source = "", destination = "", sport, dport, type, code, id] =
        line.exec(each) ?? [];
      const [from, to] = [parseAddress(source), parseAddress(destination)];
      if (from === undefined || to === undefined) {
        throw new Error(`Flow not understood: ${JSON.stringify(each.slice(0, 200))}`);
      }
      return {
        protocol: named.has(name) ? name : number,
        from,
        to,
        ...(sport === undefined || dport === undefined ? {} : { fromPort: Number(sport), toPort: Number(dport) }),
        ...(type === undefined ? {} : { echo: { type: Number(type), code: Number(code), id: Number(id) } }),
      };
    });
}

/**
 * Whether the rules would let a flow begin now; undefined where only what labels and people opened can tell: see
 * {@link dynamicAdmissionOf}.
 */
export type Admission = (flow: LiveFlow) => boolean | undefined;

/**
 * The same question as the chains `leaving`, `between` and `openings` answer, asked of flows that are already there.
 * Flows of the gateway itself and those of no host, such as logins to the gateway, are let be. `before` was in force
 * when the flows began, `after` is now; a host that is only in `before` has lost all its flows.
 */
export function admissionOf(desired: GatewayDesired, before: readonly Item[], after: readonly Item[]): Admission {
  const { hostLength, policy } = desired;
  const own = new Set<Address>(desired.own);
  const [formerBlocks, blocks] = [blocksIn(before), blocksIn(after)];
  const open = openIn(after);

  function placeOf(address: Address): "host" | "gone" | "elsewhere" {
    const block = baseOf(prefixOf(address, hostLength));
    if (blocks.has(block)) return "host";
    return formerBlocks.has(block) ? "gone" : "elsewhere";
  }
  return (flow) => {
    if (own.has(flow.from) || own.has(flow.to)) return true;
    const [sender, receiver] = [placeOf(flow.from), placeOf(flow.to)];
    if (sender === "elsewhere" && receiver === "elsewhere") return true;
    if (sender === "gone" || receiver === "gone") return false;
    if (receiver === "elsewhere") return policy.egress === "open";
    if (sender === "host" && policy.betweenHosts === "open") return true;
    return open("", flow) || undefined;
  };
}

/**
 * Whether what labels and people opened lets a flow begin: there is an element, and policy covers it. `elements` are
 * those of the shards in which the flows end.
 */
export function dynamicAdmissionOf(
  { hosts, hostLength, policy }: GatewayDesired,
  elements: readonly Item[],
): (flow: LiveFlow) => boolean {
  const open = openIn(elements);
  const byBlock = new Map<string, string>(hosts.map((each) => [baseOf(each.block), each.host]));
  return (flow) =>
    open(shardOf(flow.to, hostLength), flow) &&
    isUnderCeiling(policy.openings, {
      host: byBlock.get(baseOf(prefixOf(flow.to, hostLength))) ?? "",
      transport: flow.protocol,
      from: flow.from,
      ...(flow.protocol === "icmpv6" || flow.toPort === undefined ? {} : { port: flow.toPort }),
    });
}

/** The first address of each block that has a host. */
function blocksIn(items: readonly Item[]): ReadonlySet<string> {
  return new Set(items.filter((each) => each.key.startsWith("element hosts ")).map((each) => partsOf(each).rest));
}

type Interval = { readonly first: number; readonly last: number; readonly from: Prefix };

/** `owner` is a shard, or "" for the fleet file. */
function openIn(items: readonly Item[]): (owner: string, flow: LiveFlow) => boolean {
  const exact = new Set<string>();
  const intervals = new Map<string, Interval[]>();
  for (const item of items) {
    if (!item.key.startsWith("element ")) continue;
    const { name, rest } = partsOf(item);
    const [, ofFile, kind = "", owner = ""] = /^(static_)?(open|from|live|livefrom)(?:_(.*))?$/.exec(name) ?? [];
    if ((ofFile === undefined) === (owner === "")) continue;
    if (kind === "open" || kind === "live") exact.add(`${kind} ${owner} ${rest}`);
    else pushInterval(intervals, `${kind} ${owner}`, rest);
  }
  return (owner, flow) => {
    const isEcho = flow.protocol === "icmpv6";
    const port = flow.toPort ?? 0;
    const key = isEcho ? `live ${owner} ${flow.to}` : `open ${owner} ${flow.to} . ${flow.protocol} . ${port}`;
    if (exact.has(key)) return true;
    const group = isEcho ? `livefrom ${owner} ${flow.to}` : `from ${owner} ${flow.to} . ${flow.protocol}`;
    return (intervals.get(group) ?? []).some(
      ({ first, last, from }) => port >= first && port <= last && contains(from, flow.from),
    );
  };
}

/** `rest` is `to . from` of an echo, else `to . protocol . first-last . from`. */
function pushInterval(intervals: Map<string, Interval[]>, name: string, rest: string): void {
  const parts = rest.split(" . ");
  const source = parts.at(-1) ?? "";
  const from = parsePrefix(source) ?? parsePrefix(`${source}/128`);
  if (from === undefined) throw new RangeError(`Not an element with a source: ${JSON.stringify(`${name} ${rest}`)}`);
  const [first = "0", last = first] = parts.length === 4 ? (parts[2] ?? "").split("-") : ["0"];
  const group = `${name} ${parts.length === 4 ? parts.slice(0, 2).join(" . ") : parts[0]}`;
  const there = intervals.get(group);
  const interval = { first: Number(first), last: Number(last), from };
  if (there === undefined) intervals.set(group, [interval]);
  else there.push(interval);
}

/** The flow as its receiver's answers have it: an element of the set `cut`. Undefined for flows without ports. */
export function answerOf({ protocol, from, to, fromPort, toPort }: LiveFlow): string | undefined {
  if (fromPort === undefined || toPort === undefined || !isTransport(protocol)) return undefined;
  return `${to} . ${protocol} . ${toPort} . ${from} . ${fromPort}`;
}

/** One line for `conntrack --load-file`. */
export function deletionOf(flow: LiveFlow): string {
  const ports = flow.fromPort === undefined ? "" : ` --sport ${flow.fromPort} --dport ${flow.toPort}`;
  const echo =
    flow.echo === undefined
      ? ""
      : ` --icmpv6-type ${flow.echo.type} --icmpv6-code ${flow.echo.code} --icmpv6-id ${flow.echo.id}`;
  return `-D -f ipv6 -p ${flow.protocol} -s ${flow.from} -d ${flow.to}${ports}${echo}`;
}
