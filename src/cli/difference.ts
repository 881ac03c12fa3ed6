import { fromBits } from "../net/address.ts";
import { formatEndpoint } from "../net/flow.ts";
import type { Decision } from "../proof/decide-flow.ts";
import type { Place as RulePlace } from "../proof/filter-rules.ts";
import type { Packet } from "../proof/packet.ts";
import { formatDestination, formatGroup, formatSources, groupsOf } from "../proof/seen-flows.ts";
import type { Difference, DifferenceKind } from "../proof/verify.ts";
import type { Terminal } from "./terminal.ts";

const words: Readonly<Record<DifferenceKind, readonly [word: string, code: string]>> = {
  exposed: ["EXPOSED", "E971"],
  blocked: ["BLOCKED", "E972"],
  unsure: ["UNSURE", "E973"],
};

/** Groups of flows and places that are printed; of more their number is. */
const most = 6;

export function printDifference(vantage: string, difference: Difference, terminal: Terminal): void {
  const [word, code] = words[difference.kind];
  const { groups, more } = groupsOf(difference.flows, most);
  const places = difference.places.slice(0, most).map(([first, last]) => formatDestination(first, last));
  const rest = difference.places.length - places.length;
  const to = rest > 0 ? `${places.join(", ")} and ${rest} more` : places.join(", ");
  terminal.line(`${word.padEnd(8)} ${code} ${vantage} → ${to}`, "bad");
  for (const group of groups) terminal.line(`         ${formatGroup(group)} from ${formatSources(group.from)}`);
  if (more) terminal.line("         and more");
  terminal.line(`  packet ${formatPacket(difference.example)}`);
  for (const line of decisionLines(difference.decision)) terminal.line(`  ${line}`);
}

/** What decided: the rule, its place, and how it was reached. */
export function decisionLines(decision: Decision): readonly string[] {
  const { by, trail, why, verdict, stage } = decision;
  const lines = [
    by === undefined
      ? `${verdict.padEnd(6)} ${why ?? `no rule says otherwise (${stage})`}`
      : `${verdict.padEnd(6)} by ${formatRule(by)}${why === undefined ? "" : `: ${why}`}`,
  ];
  const through = trail
    .filter((each) => each !== by)
    .map((each) => `${each.chain}${each.handle === undefined ? "" : ` ${each.handle}`}`);
  if (through.length > 0) lines.push(`${"".padEnd(6)} through ${through.join(" → ")}`);
  return lines;
}

/** `inet sixgate forward handle 57: tcp dport 22 accept (comment "x", 3 packets)`. */
function formatRule({ table, chain, handle, text, comment, counter }: RulePlace): string {
  const notes = [
    ...(comment === undefined ? [] : [`comment "${comment}"`]),
    ...(counter === undefined ? [] : [`${counter.packets} packets so far`]),
  ];
  return `${table} ${chain}${handle === undefined ? "" : ` handle ${handle}`}: ${text}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
}

const protocols: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp" };

/** `in wan tcp [2001:db8::1]:40000 to [2001:db8::2]:22`, and what is not as usual. */
export function formatPacket({ in: device, to, values }: Packet): string {
  const protocol = Number(values.protocol);
  const from = fromBits(BigInt(values.from));
  const hasPorts = protocol === 6 || protocol === 17 || protocol === 132;
  const ends = hasPorts
    ? `${formatEndpoint(from, Number(values.fromPort))} to ${formatEndpoint(to, Number(values.toPort))}`
    : `${from} to ${to}`;
  const name = protocols[protocol] ?? `protocol ${protocol}`;
  const kind = protocol === 58 ? ` type ${Number(values.fromPort) >> 8} code ${Number(values.fromPort) & 255}` : "";
  const odd = [
    ...(values.hopByHop === 1 ? ["hop-by-hop header"] : []),
    ...(values.options === 1 ? ["destination options"] : []),
    ...(values.routing === 0 ? [] : [`routing header of type ${Number(values.routing) - 1}`]),
    ...(values.fragment === 1 ? ["fragment header"] : []),
    ...(values.authentication === 1 ? ["authentication header"] : []),
    ...(values.hops === 64 ? [] : [`hop limit ${values.hops}`]),
    ...(protocol !== 6 || values.flags === 2 ? [] : [`flags ${values.flags}`]),
  ];
  return `in ${device} ${name}${kind} ${ends}${odd.length === 0 ? "" : `, ${odd.join(", ")}`}`;
}

/** Places in a JSON document: the first thousand, and how many there are. */
const mostPlaces = 1000;

export function differenceJson(vantage: string, difference: Difference): object {
  const { groups, more } = groupsOf(difference.flows, 100);
  const { decision, example } = difference;
  return {
    kind: difference.kind,
    code: words[difference.kind][1],
    vantage,
    flows: groups.map((group) => ({ what: formatGroup(group), from: group.from })),
    ...(more ? { more } : {}),
    places: difference.places.slice(0, mostPlaces).map(([first, last]) => formatDestination(first, last)),
    count: difference.places.length,
    packet: packetJson(example),
    decision: decisionJson(decision),
  };
}

export function decisionJson({ verdict, stage, by, trail, why, chances }: Decision): object {
  return {
    verdict,
    stage,
    ...(by === undefined ? {} : { rule: by }),
    ...(why === undefined ? {} : { why }),
    trail,
    chances: chances.length,
  };
}

export function packetJson({ in: device, to, values }: Packet): object {
  return {
    in: device,
    to,
    from: fromBits(BigInt(values.from)),
    protocol: Number(values.protocol),
    fromPort: Number(values.fromPort),
    toPort: Number(values.toPort),
    text: formatPacket({ in: device, to, values }),
  };
}
