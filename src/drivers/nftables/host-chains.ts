import type { GatewayDesired, GatewayHost } from "../../desired/desired.ts";
import { baseOf, maskOf } from "../../net/prefix.ts";
import { ceilingName, ceilingsOf, echoLimit } from "./ceiling.ts";
import { type Chain, nameOf, type Rule } from "./ruleset.ts";
import { memberSet } from "./set-shapes.ts";
import { shardOf } from "./shards.ts";

/** The log group of packets that were refused; nothing is sent anywhere while nobody listens to it. */
export const deniedGroup = 6;

/** From the Internet, or from a neighbour, to the hosts: what is open, and what stands above it. */
export function hostChains(desired: GatewayDesired): readonly Chain[] {
  const { ceilings, chains } = placesOf(desired);
  return [openings(desired), ...ceilings, ...chains, staticOpenings(), denied(), refused()];
}

/** The chains that lead through the hosts' sets, and which of them is a host's. */
export type Places = {
  readonly ceilings: readonly Chain[];
  readonly chains: readonly Chain[];
  readonly chainFor: (host: GatewayHost) => string;
};

export function placesOf(desired: GatewayDesired): Places {
  const { chains: ceilings, ownerFor } = ceilingsOf(desired);
  const shardFor = ({ block }: GatewayHost): string => shardOf(baseOf(block), desired.hostLength);
  const chainFor = (host: GatewayHost): string => `shard_${shardFor(host)}_${nameOf(ownerFor(host.host))}`;
  const byChain = new Map(desired.hosts.map((host) => [chainFor(host), host]));
  return {
    ceilings,
    chains: [...byChain].map(([name, host]) => shardChain(name, shardFor(host), ceilingName(ownerFor(host.host)))),
    chainFor,
  };
}

function openings(desired: GatewayDesired): Chain {
  return {
    name: "openings",
    why: "To the hosts, through what is open",
    rules: [
      {
        text: `ip6 daddr & ${maskOf(desired.hostLength)} vmap @hosts`,
        why: "one look-up finds where the address belongs; nobody else's can be opened",
      },
      { text: "goto denied", why: "the address belongs to no host" },
    ],
  };
}

/** Openings of labels and people first: what they let in has to pass the ceiling. What the fleet file opens comes after. */
function shardChain(name: string, shard: string, ceiling: string): Chain {
  const through = `counter jump ${ceiling}`;
  const [open, from, live, liveFrom] = lookUps(shard);
  return {
    name,
    why: `What is open at hosts whose block's number ends with ${shard}, under ${ceiling}`,
    rules: [
      { text: `${open} ${through}`, why: "open to anyone, if policy covers it" },
      { text: `${from} ${through}`, why: "port ranges, or open to some, if policy covers it" },
      { text: `${live} ${through}`, why: "echo, only to addresses in use, if policy covers it" },
      { text: `${liveFrom} ${through}`, why: "echo from some, if policy covers it" },
      { text: "goto static_openings", why: "what the fleet file itself opens" },
    ],
  };
}

function staticOpenings(): Chain {
  const [open, from, live, liveFrom] = lookUps();
  return {
    name: "static_openings",
    why: "What the fleet file opens by itself: people wrote it, so it needs no ceiling",
    rules: [
      { text: `${open} counter accept`, why: "open to anyone" },
      { text: `${from} counter accept`, why: "port ranges, or open to some" },
      {
        text: `${live} ${echoLimit} counter accept`,
        why: "echo, only to addresses in use: to all of them it would fill neighbour tables (RFC 6583)",
      },
      { text: `${liveFrom} ${echoLimit} counter accept`, why: "echo from some" },
      { text: "goto denied", why: "everything else is closed" },
    ],
  };
}

type LookUps = readonly [open: string, from: string, live: string, liveFrom: string];

function lookUps(shard?: string): LookUps {
  return [
    `ip6 daddr . meta l4proto . th dport @${memberSet("open", shard)}`,
    `ip6 daddr . meta l4proto . th dport . ip6 saddr @${memberSet("from", shard)}`,
    `icmpv6 type echo-request ip6 daddr @${memberSet("live", shard)}`,
    `icmpv6 type echo-request ip6 daddr . ip6 saddr @${memberSet("livefrom", shard)}`,
  ];
}

const logRule: Rule = {
  text: `limit rate 100/second burst 200 packets log group ${deniedGroup} snaplen 128`,
  why: "for whoever listens, and so few that a flood costs nothing",
};

function denied(): Chain {
  return {
    name: "denied",
    why: "Packets that nothing lets in",
    rules: [logRule, { text: "counter drop", why: "closed, and silent" }],
  };
}

function refused(): Chain {
  return {
    name: "refused",
    why: "Packets of hosts that nothing lets out",
    rules: [
      logRule,
      {
        text: "limit rate 100/second burst 200 packets counter reject with icmpv6 admin-prohibited",
        why: "the host is told, so that its programs need not wait (RFC 7123 §4)",
      },
      { text: "counter drop", why: "more of them than that" },
    ],
  };
}
