import type { GatewayDesired } from "../../desired/desired.ts";
import { maskOf } from "../../net/prefix.ts";
import { icmpv6TypesOf } from "../../proof/icmpv6.ts";
import { hostChains } from "./host-chains.ts";
import { inputChains } from "./input.ts";
import { type Chain, quoteInterface, type Rule } from "./ruleset.ts";

/** Errors that belong to a live flow may cross and arrive (RFC 4890 §4.3.1). */
const errorTypes = icmpv6TypesOf("transit", "related").join(", ");

/** Every chain, from the first hook that a packet meets to the last, then the chains of the hosts. */
export function chains(desired: GatewayDesired): readonly Chain[] {
  return [
    raw(),
    whole(),
    ...inputChains(desired),
    ...forward(desired),
    ...ofFlows(desired),
    forward4(desired),
    sources(desired),
    leaving(desired),
    between(desired),
    ...hostChains(desired),
    output(desired),
    ...postrouting(desired),
  ];
}

function rule(text: string, why: string): Rule {
  return { text, why };
}

/** Before the kernel puts fragments together (-400) and before connection tracking (-200). */
function raw(): Chain {
  const onLink = "133-137, 141, 142, 148, 149";
  return {
    name: "raw",
    hook: { type: "filter", hook: "prerouting", priority: -450, policy: "accept" },
    why: "What no packet may carry, wherever it goes",
    rules: [
      plain(),
      listeners(),
      rule(
        `icmpv6 type { ${onLink} } ip6 hoplimit != 255 counter drop`,
        "neighbour discovery from beyond the link (RFC 4861 §6.1, §7.1)",
      ),
      rule(
        `exthdr frag exists icmpv6 type { ${onLink} } counter drop`,
        "neighbour discovery in fragments (RFC 6980 §5)",
      ),
      rule(
        "exthdr frag exists ip6 hoplimit 255 ip6 daddr { fe80::/10, ff00::/8 } counter drop",
        "the same where a fragment does not show what it carries: nothing else of a link is in fragments",
      ),
      rule(
        "exthdr frag exists ip6 hoplimit 255 ip6 daddr @own counter drop",
        "the same, to the gateway's own addresses",
      ),
      ...headers(),
    ],
  };
}

/** A header in a later fragment shows only when the fragments are together: so the same is asked again (after -400). */
function whole(): Chain {
  return {
    name: "whole",
    hook: { type: "filter", hook: "prerouting", priority: -350, policy: "accept" },
    why: "The same, asked of packets that came in fragments",
    rules: [plain(), listeners(), ...headers()],
  };
}

/** Most packets have no extension header, and nothing of what is asked here. */
function plain(): Rule {
  return rule(
    "ip6 nexthdr { tcp, udp } accept",
    "TCP or UDP right behind the fixed header: there is nothing to look for",
  );
}

function listeners(): Rule {
  return rule(
    `ip6 saddr fe80::/10 ip6 daddr ff00::/8 ip6 hoplimit 1 icmpv6 type { ${icmpv6TypesOf("local", "listener").join(", ")} } accept`,
    "multicast listener messages carry a Router Alert option, so before hop-by-hop headers go (RFC 3810 §5)",
  );
}

function headers(): readonly Rule[] {
  return [
    rule(
      "exthdr hbh exists counter drop",
      "hop-by-hop headers, in any place of the chain (RFC 9288 §3.5.1, RFC 8200 §4.1)",
    ),
    rule("rt type { 0, 1, 3 } counter drop", "deprecated and experimental routing headers (RFC 5095, RFC 9288 §3.5.2)"),
    rule("meta l4proto { 253, 254 } counter drop", "experimental protocols (RFC 3692, RFC 9288 §3.5.10)"),
  ];
}

/** Most packets belong to live flows, and are asked little: they pass six rules from here. */
function forward(desired: GatewayDesired): readonly Chain[] {
  const [uplink, inside] = [quoteInterface(desired.uplink), quoteInterface(desired.inside)];
  return [
    {
      name: "forward",
      hook: { type: "filter", hook: "forward", priority: 0, policy: "drop" },
      why: "What crosses the gateway: nothing, but for what is accepted here",
      rules: [
        rule("meta nfproto ipv4 goto forward4", "IPv4 goes its own way"),
        rule(
          "exthdr frag exists counter drop",
          "fragments were put together before; one that is left is malformed (RFC 5722, RFC 7112)",
        ),
        rule(`iifname ${uplink} goto inbound`, "from the Internet"),
        rule(`iifname ${inside} goto outbound`, "from the hosts; from anywhere else nothing goes on"),
      ],
    },
    {
      name: "inbound",
      why: "From the Internet",
      rules: [
        rule(
          `ip6 saddr ${desired.delegated} counter drop`,
          "our own addresses never come from outside (RFC 6092 REC-6, RFC 3704 §6)",
        ),
        byState(),
        rule(
          "ip6 saddr @bogons counter drop",
          "sources that do not exist on the Internet begin no flow (RFC 6092 REC-3, REC-7)",
        ),
        begins(),
        rule(`oifname ${inside} goto openings`, "to the hosts"),
        rule("counter drop", "any other way, for example to the management network, ends here"),
      ],
    },
    {
      name: "outbound",
      why: "From the hosts",
      rules: [
        rule("jump sources", "a host only sends from its own block (RFC 2827, RFC 6092 REC-5)"),
        byState(),
        begins(),
        rule(`oifname ${uplink} goto leaving`, "to the Internet"),
        rule(`oifname ${inside} goto between`, "to a neighbour"),
        rule("counter drop", "any other way, for example to the management network, ends here"),
      ],
    },
  ];
}

function byState(): Rule {
  return rule(
    "ct state vmap { established : goto live, related : goto errors, invalid : goto strays, untracked : goto strays }",
    "what belongs to a flow, or to none",
  );
}

function begins(): Rule {
  return rule(
    "tcp flags & (fin | syn | rst | ack) != syn counter drop",
    "a TCP flow starts with a SYN and nothing else",
  );
}

function waysOf(desired: GatewayDesired): string {
  const [uplink, inside] = [quoteInterface(desired.uplink), quoteInterface(desired.inside)];
  return `iifname . oifname vmap { ${inside} . ${uplink} : goto leaving, ${inside} . ${inside} : goto between, ${uplink} . ${inside} : goto openings }`;
}

/** Packets that belong to a flow, or say that they do. */
function ofFlows(desired: GatewayDesired): readonly Chain[] {
  return [
    {
      name: "live",
      why: "Packets of a live flow",
      rules: [
        rule(
          `ct direction original ip6 daddr @again ${waysOf(desired)}`,
          "where something was closed of late, a flow goes on only if it could begin now",
        ),
        rule("accept", "flows that were let in or out before"),
      ],
    },
    {
      name: "errors",
      why: "What is related to a live flow",
      rules: [
        rule(
          `iifname ${quoteInterface(desired.uplink)} ip6 saddr @bogons counter drop`,
          "sources that do not exist on the Internet",
        ),
        rule(
          `icmpv6 type { ${errorTypes} } accept`,
          "errors about it: path MTU needs them (RFC 4890 §4.3.1, RFC 6092 REC-10)",
        ),
        rule("counter drop", "nothing else is related to a flow"),
      ],
    },
    {
      name: "strays",
      why: "Neither the start nor a part of a flow",
      rules: [rule("counter drop", "neighbour discovery is not forwarded either")],
    },
  ];
}

/** IPv4 is for the management network's way out; nothing comes in. */
function forward4({ nat4, policy }: GatewayDesired): Chain {
  const out: Rule[] = [];
  if (nat4 !== undefined && policy.egress === "open") {
    const way = `iifname ${quoteInterface(nat4.inside)} oifname ${quoteInterface(nat4.uplink)}`;
    out.push(
      rule(
        `${way} ip saddr ${nat4.from} ct state new counter accept`,
        "the management network goes out, by address translation",
      ),
    );
  }
  return {
    name: "forward4",
    why: "IPv4 that crosses the gateway",
    rules: [
      rule("ct state invalid counter drop", "neither the start nor a part of a flow"),
      rule("ct state established accept", "flows that were let out before"),
      rule(
        "ct state related icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
        "errors about those flows",
      ),
      ...out,
      rule("counter drop", "all other IPv4"),
    ],
  };
}

/** Positive, so that a packet without a MAC address to look at is dropped and not missed. */
function sources({ hostLength }: GatewayDesired): Chain {
  return {
    name: "sources",
    why: "Whether a host may send from this address",
    rules: [
      rule("ip6 saddr @own counter drop", "no host speaks in the gateway's name"),
      rule(`iifname . ether saddr . ip6 saddr & ${maskOf(hostLength)} @owners return`, "the block is the sender's own"),
      rule("counter drop", "spoofed, or a host that is not in the fleet"),
    ],
  };
}

/** A flow's tuple as the set `cut` has it. */
const flowKey = "ip6 saddr . meta l4proto . th sport . ip6 daddr . th dport";

function leaving({ policy }: GatewayDesired): Chain {
  const open = policy.egress === "open";
  return {
    name: "leaving",
    why: `From the hosts to the Internet: policy.egress is ${policy.egress}`,
    rules: open
      ? [
          rule(
            "ip6 daddr @bogons counter drop",
            "destinations that do not exist on the Internet, multicast too (RFC 6092 REC-2, REC-3)",
          ),
          rule(
            `${flowKey} @cut update @cut { ${flowKey} timeout 1m } counter drop`,
            "an answer that comes after its flow was cut must not begin it anew, from inside",
          ),
          ...acceptNew("to the Internet"),
        ]
      : [rule("goto refused", "policy.egress is closed")],
  };
}

function between({ policy }: GatewayDesired): Chain {
  const open = policy.betweenHosts === "open";
  return {
    name: "between",
    why: `From host to host: policy.between-hosts is ${policy.betweenHosts}`,
    rules: open
      ? acceptNew("from host to host")
      : [rule("goto openings", "a neighbour needs an opening, as the Internet does")],
  };
}

function acceptNew(where: string): readonly Rule[] {
  return [
    rule("icmpv6 type != echo-request counter drop", "of ICMPv6 only echo starts a flow (RFC 4890 §4.3)"),
    rule("counter accept", `a new flow ${where}`),
  ];
}

/** What the gateway itself sends. */
function output({ uplink }: GatewayDesired): Chain {
  return {
    name: "output",
    hook: { type: "filter", hook: "output", priority: 0, policy: "accept" },
    why: "What the gateway itself sends",
    rules: [
      rule(
        "icmpv6 type nd-redirect counter drop",
        "hosts must not be told to talk to each other behind the gateway's back; the kernel has no switch for it",
      ),
      rule("icmp type redirect counter drop", "the same for IPv4"),
      rule(
        `oifname ${quoteInterface(uplink)} icmpv6 type destination-unreachable counter drop`,
        "an unused address is as silent as a closed port (RFC 7707 §4.5)",
      ),
    ],
  };
}

function postrouting({ nat4 }: GatewayDesired): readonly Chain[] {
  if (nat4 === undefined) return [];
  return [
    {
      name: "postrouting",
      hook: { type: "nat", hook: "postrouting", priority: 100, policy: "accept" },
      why: "IPv4 goes out under the gateway's address; IPv6 is never translated",
      rules: [
        rule(
          `oifname ${quoteInterface(nat4.uplink)} ip saddr ${nat4.from} snat ip to ${nat4.to}`,
          "the management network has private addresses",
        ),
      ],
    },
  ];
}
