import type { GatewayDesired } from "../../desired/desired.ts";
import { toBits } from "../../net/address.ts";
import { contains4, type Prefix4, parsePrefix4 } from "../../net/ipv4.ts";
import { linkLocalOf } from "../../net/mac.ts";
import { baseBits, type Prefix, parsePrefix } from "../../net/prefix.ts";
import { PrefixSet } from "../../net/prefix-set.ts";
import { icmpv6TypesOf } from "../../proof/icmpv6.ts";
import { prefixText } from "./members.ts";
import { type Chain, quoteInterface, type Rule } from "./ruleset.ts";

/** What is sent to the gateway itself: RFC 4890's local column, and logins from the management network. */
export function inputChains(desired: GatewayDesired): readonly Chain[] {
  return [input(desired), messages(desired), claims(desired), neighbours(), ...management(desired), ...agents(desired)];
}

function rule(text: string, why: string): Rule {
  return { text, why };
}

function input(desired: GatewayDesired): Chain {
  const rules: Rule[] = [
    rule('iifname "lo" accept', "itself"),
    rule("ct state established accept", "answers to what the gateway asked"),
    rule("exthdr frag exists counter drop", "a fragment that could not be put together"),
    rule(
      "meta l4proto icmpv6 goto messages",
      "neighbours, errors, echo: also errors that meet no flow, so before those go",
    ),
    rule("ct state invalid counter drop", "neither the start nor a part of a flow"),
    rule(
      "ct state related icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
      "IPv4 errors about the gateway's own flows",
    ),
  ];
  if (desired.management !== undefined) {
    rules.push(rule(`iifname ${quoteInterface(desired.management.device)} goto management`, "logins; nowhere else"));
  }
  if (desired.controller?.device === desired.inside) {
    const { agentPort } = desired.controller;
    rules.push(rule(`iifname ${quoteInterface(desired.inside)} tcp dport ${agentPort} goto agents`, "agents report"));
  }
  rules.push(
    rule(
      "counter drop",
      "no other service of the gateway is open to the uplink or to the hosts (RFC 6092 REC-8, REC-9, REC-50)",
    ),
  );
  return {
    name: "input",
    hook: { type: "filter", hook: "input", priority: 0, policy: "drop" },
    why: "What is sent to the gateway itself",
    rules,
  };
}

/**
 * ICMPv6 to the gateway (RFC 4890 §4.4). What a host says comes from its own block or from a link-local address: also
 * neighbour messages, for the kernel learns a sender's MAC address from them (RFC 4861 §7.2.3).
 */
function messages({ uplink, inside, delegated, hosts }: GatewayDesired): Chain {
  const local = (verdict: Parameters<typeof icmpv6TypesOf>[1]): string => icmpv6TypesOf("local", verdict).join(", ");
  const limited = icmpv6TypesOf("local", "limited");
  const [errors, echo] = [limited.filter((type) => type < 128), limited.filter((type) => type >= 128)];
  const [within, outside] = [`iifname ${quoteInterface(inside)}`, `iifname ${quoteInterface(uplink)}`];
  return {
    name: "messages",
    why: "ICMPv6 to the gateway itself",
    rules: [
      rule(
        `${within} ${hosts.length === 0 ? "" : `ether saddr != { ${hosts.map(({ mac }) => mac).join(", ")} } `}counter drop`,
        "nobody but hosts is on their link",
      ),
      rule(
        `${within} ip6 saddr != { ::, fe80::/10 } jump sources`,
        "a host only speaks from its own block; `::` asks whether an address is free",
      ),
      rule(`${within} ip6 saddr @neighbours jump neighbours`, "the same for link-local addresses that are known"),
      rule(
        `${within} icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } update @heard { ether saddr timeout 1m limit rate over 20/second burst 100 packets } counter drop`,
        "each new sender takes a place among the neighbours that the kernel keeps: one host may not take them all (RFC 6583 §7.1)",
      ),
      rule(`${within} icmpv6 type nd-neighbor-advert goto claims`, "who says that an address is his has to own it"),
      rule(`icmpv6 type { ${local("on-link")} } ip6 hoplimit 255 accept`, "neighbour solicitation and advertisement"),
      rule(
        `${within} icmpv6 type { ${local("inside")} } ip6 hoplimit 255 accept`,
        "router solicitation, from hosts only",
      ),
      rule(
        `ip6 saddr fe80::/10 ip6 hoplimit 1 icmpv6 type { ${local("listener")} } accept`,
        "multicast listeners of the link",
      ),
      rule(`${outside} ip6 saddr ${delegated} counter drop`, "our own addresses never come from outside"),
      rule(
        `${outside} ip6 saddr != fe80::/10 ip6 saddr @bogons counter drop`,
        "sources that do not exist on the Internet; the provider's router may speak from its link-local address",
      ),
      rule(
        `icmpv6 type { ${errors.join(", ")} } limit rate 200/second burst 200 packets counter accept`,
        "errors, also those that meet no flow",
      ),
      rule(
        `icmpv6 type { ${echo.join(", ")} } limit rate 50/second burst 100 packets counter accept`,
        "the gateway answers to ping",
      ),
      rule("counter drop", "advertisements and redirects of other routers, and all other types"),
    ],
  };
}

/**
 * A neighbour advertisement makes the gateway send an address's packets to the MAC address that it names. nft 1.0.6
 * has no word for the target, so it is named by its place: 8 bytes into the message, 16 long (RFC 4861 §4.4).
 */
function claims({ inside, hosts, hostLength }: GatewayDesired): Chain {
  const mask = ((1n << BigInt(hostLength)) - 1n) << BigInt(128 - hostLength);
  const device = quoteInterface(inside);
  const blocks = hosts.map(({ mac, block }) => `${device} . ${mac} . ${hexOf(baseBits(block))}`);
  const targets = hosts.map(({ mac }) => hexOf(toBits(linkLocalOf(mac))));
  const linkLocal = hosts.map(({ mac }, i) => `${device} . ${mac} . ${targets[i]}`);
  const target = "@th,64,128";
  return {
    name: "claims",
    why: "Neighbour advertisements of hosts",
    rules: [
      rule("ip6 hoplimit != 255 counter drop", "from beyond the link (RFC 4861 §7.1.2)"),
      ...(hosts.length === 0
        ? []
        : [
            rule(
              `iifname . ether saddr . ${target} & ${hexOf(mask)} { ${blocks.join(", ")} } accept`,
              "for an address of the sender's own block",
            ),
            rule(
              `iifname . ether saddr . ${target} { ${linkLocal.join(", ")} } accept`,
              "for the link-local address that is made from the sender's MAC address",
            ),
            rule(`${target} { ${targets.join(", ")} } counter drop`, "for that of another host"),
          ]),
      rule("@th,64,16 & 0xffc0 == 0xfe80 accept", "for any other link-local address: no route leads through one"),
      rule("counter drop", "for another host's address"),
    ],
  };
}

/** Link-local addresses that routes may lead through are their hosts' alone. */
function neighbours(): Chain {
  return {
    name: "neighbours",
    why: "From a link-local address that is made from a host's MAC address",
    rules: [
      rule("iifname . ether saddr . ip6 saddr @owners return", "it is the sender's own"),
      rule("counter drop", "it is another host's"),
    ],
  };
}

function hexOf(bits: bigint): string {
  return `0x${bits.toString(16)}`;
}

function management({ management: net, controller }: GatewayDesired): readonly Chain[] {
  if (net === undefined) return [];
  const here = controller?.device === net.device ? controller : undefined;
  const ports = here?.apiPort === undefined ? "22" : `{ 22, ${here.apiPort} }`;
  const what = here?.apiPort === undefined ? "administrators, over SSH" : "administrators: SSH, the API and the page";
  const rules: Rule[] = [];
  const [admins6, admins4] = [prefixes6(net.admins), prefixes4(net.admins)];
  if (admins6.length > 0) {
    rules.push(
      rule(`ip6 saddr { ${admins6.map(prefixText).join(", ")} } tcp dport ${ports} ct state new counter accept`, what),
    );
  }
  if (admins4.length > 0) {
    rules.push(
      rule(`ip saddr { ${admins4.join(", ")} } tcp dport ${ports} ct state new counter accept`, `${what}; over IPv4`),
    );
  }
  rules.push(
    ...(here === undefined ? [] : agentRules(here.agentPort)),
    rule("icmp type echo-request limit rate 50/second burst 100 packets counter accept", "the gateway answers to ping"),
    rule("counter drop", "everything else"),
  );
  return [{ name: "management", why: "From the management network to the gateway", rules }];
}

/** Agents on the hosts' own link. Whoever speaks there has to be who he says, before anything else. */
function agents({ inside, controller }: GatewayDesired): readonly Chain[] {
  if (controller?.device !== inside) return [];
  return [
    {
      name: "agents",
      why: "From the hosts' agents to the controller",
      rules: [
        rule("meta nfproto ipv6 jump sources", "a host only speaks from its own block"),
        ...agentRules(controller.agentPort),
        rule("counter drop", "no agent's address"),
      ],
    },
  ];
}

/** They prove who they are by certificate; this keeps everybody else from the port. */
function agentRules(port: number): readonly Rule[] {
  return [
    rule(`ip6 saddr @agents tcp dport ${port} ct state new counter accept`, "the hosts' agents"),
    rule(`ip saddr @agents4 tcp dport ${port} ct state new counter accept`, "the hosts' agents, over IPv4"),
  ];
}

function prefixes6(all: readonly (Prefix | Prefix4)[]): readonly Prefix[] {
  return PrefixSet.of(all.flatMap((each) => parsePrefix(each) ?? [])).prefixes();
}

/** Without those that lie in another; a whole address without its length, as nft prints it. */
function prefixes4(all: readonly (Prefix | Prefix4)[]): readonly string[] {
  const parsed = [...new Set(all.flatMap((each) => parsePrefix4(each) ?? []))].sort();
  return parsed
    .filter((each) => !parsed.some((other) => other !== each && contains4(other, each)))
    .map((each) => each.replace(/\/32$/, ""));
}
