import type { HostName } from "../../base/name.ts";
import type { GatewayDesired, GatewayHost } from "../../desired/desired.ts";
import { maskOf } from "../../net/prefix.ts";
import { type Ceilings, ceilingsOf, echoLimit } from "./ceiling.ts";
import { type Chain, nameOf } from "./ruleset.ts";
import { memberSet } from "./set-shapes.ts";

/** The log group of packets that were refused; nothing is sent anywhere while nobody listens to it. */
export const deniedGroup = 6;

/** From the Internet, or from a neighbour, to the hosts: what is open, and what stands above it. */
export function hostChains(desired: GatewayDesired): readonly Chain[] {
  const ceilings = ceilingsOf(desired);
  return [
    openings(desired),
    ...ceilings.chains,
    ...desired.hosts.map((host) => hostChain(host, ceilings)),
    staticOpenings(),
    denied(),
  ];
}

function openings(desired: GatewayDesired): Chain {
  return {
    name: "openings",
    why: "To the hosts, through what is open",
    rules: [
      {
        text: `ip6 daddr != ${desired.delegated} counter drop`,
        why: "only our own addresses can be opened",
      },
      {
        text: "icmpv6 type != echo-request counter drop",
        why: "of ICMPv6 only echo starts a flow (RFC 4890 §4.3)",
      },
      {
        text: `ip6 daddr & ${maskOf(desired.hostLength)} vmap @hosts`,
        why: "one look-up finds the host that the address belongs to",
      },
      { text: "goto denied", why: "the address belongs to no host" },
    ],
  };
}

/** Openings of labels and people first: what they let in has to pass the ceiling. What the fleet file opens comes after. */
function hostChain({ host, block }: GatewayHost, ceilings: Ceilings): Chain {
  const ceiling = `counter jump ${ceilings.nameFor(host)}`;
  const [open, from, live, liveFrom] = lookUps(host);
  return {
    name: `host_${nameOf(host)}`,
    why: `What is open at host ${host}`,
    rules: [
      { text: `ip6 daddr != ${block} counter drop`, why: "an element can't open another host's block" },
      { text: `${open} ${ceiling}`, why: "open to anyone, if policy covers it" },
      { text: `${from} ${ceiling}`, why: "port ranges, or open to some, if policy covers it" },
      { text: `${live} ${ceiling}`, why: "echo, only to addresses in use, if policy covers it" },
      { text: `${liveFrom} ${ceiling}`, why: "echo from some, if policy covers it" },
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

function lookUps(host?: HostName): LookUps {
  return [
    `ip6 daddr . meta l4proto . th dport @${memberSet("open", host)}`,
    `ip6 daddr . meta l4proto . th dport . ip6 saddr @${memberSet("from", host)}`,
    `icmpv6 type echo-request ip6 daddr @${memberSet("live", host)}`,
    `icmpv6 type echo-request ip6 daddr . ip6 saddr @${memberSet("livefrom", host)}`,
  ];
}

function denied(): Chain {
  return {
    name: "denied",
    why: "Packets that nothing lets in or out",
    rules: [
      {
        text: `limit rate 100/second burst 200 packets log group ${deniedGroup} snaplen 128`,
        why: "for whoever listens, and so few that a flood costs nothing",
      },
      { text: "counter drop", why: "closed, and silent" },
    ],
  };
}
