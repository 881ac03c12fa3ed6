import type { GatewayDesired } from "../../desired/desired.ts";
import { contains4, type Prefix4, parsePrefix4 } from "../../net/ipv4.ts";
import { type Prefix, parsePrefix } from "../../net/prefix.ts";
import { icmpv6TypesOf } from "../../proof/icmpv6.ts";
import { type Chain, quoteInterface, type Rule } from "./ruleset.ts";
import { prefixText, widest } from "./sets.ts";

/** What is sent to the gateway itself: RFC 4890's local column, and logins from the management network. */
export function inputChains(desired: GatewayDesired): readonly Chain[] {
  return [input(desired), messages(desired), ...management(desired)];
}

function rule(text: string, why: string): Rule {
  return { text, why };
}

function input(desired: GatewayDesired): Chain {
  const rules: Rule[] = [
    rule('iifname "lo" accept', "itself"),
    rule("ct state established accept", "answers to what the gateway asked"),
    rule("ct state invalid counter drop", "neither the start nor a part of a flow"),
    rule("exthdr frag exists counter drop", "a fragment that could not be put together"),
    rule("meta l4proto icmpv6 goto messages", "neighbours, errors, echo"),
    rule(
      "ct state related icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
      "IPv4 errors about the gateway's own flows",
    ),
  ];
  if (desired.management !== undefined) {
    rules.push(rule(`iifname ${quoteInterface(desired.management.device)} goto management`, "logins; nowhere else"));
  }
  rules.push(
    rule(
      "counter drop",
      "no service of the gateway is open to the uplink or to the hosts (RFC 6092 REC-8, REC-9, REC-50)",
    ),
  );
  return {
    name: "input",
    hook: { type: "filter", hook: "input", priority: 0, policy: "drop" },
    why: "What is sent to the gateway itself",
    rules,
  };
}

/** ICMPv6 to the gateway (RFC 4890 §4.4). Neighbour messages first: they come from `::` and link-local sources. */
function messages({ uplink, inside, delegated }: GatewayDesired): Chain {
  const local = (verdict: Parameters<typeof icmpv6TypesOf>[1]): string => icmpv6TypesOf("local", verdict).join(", ");
  const limited = icmpv6TypesOf("local", "limited");
  const [errors, echo] = [limited.filter((type) => type < 128), limited.filter((type) => type >= 128)];
  const within = `iifname ${quoteInterface(inside)}`;
  return {
    name: "messages",
    why: "ICMPv6 to the gateway itself",
    rules: [
      rule(`icmpv6 type { ${local("on-link")} } ip6 hoplimit 255 accept`, "neighbour solicitation and advertisement"),
      rule(
        `${within} icmpv6 type { ${local("inside")} } ip6 hoplimit 255 accept`,
        "router solicitation, from hosts only",
      ),
      rule(
        `ip6 saddr fe80::/10 ip6 hoplimit 1 icmpv6 type { ${local("listener")} } accept`,
        "multicast listeners of the link",
      ),
      rule(`${within} ip6 saddr != fe80::/10 jump sources`, "a host only sends from its own block"),
      rule(
        `iifname ${quoteInterface(uplink)} ip6 saddr ${delegated} counter drop`,
        "our own addresses never come from outside",
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

function management({ management: net }: GatewayDesired): readonly Chain[] {
  if (net === undefined) return [];
  const rules: Rule[] = [];
  const [admins6, admins4] = [prefixes6(net.admins), prefixes4(net.admins)];
  if (admins6.length > 0) {
    rules.push(
      rule(
        `ip6 saddr { ${admins6.map(prefixText).join(", ")} } tcp dport 22 ct state new counter accept`,
        "administrators, over SSH",
      ),
    );
  }
  if (admins4.length > 0) {
    rules.push(
      rule(
        `ip saddr { ${admins4.join(", ")} } tcp dport 22 ct state new counter accept`,
        "administrators, over SSH and IPv4",
      ),
    );
  }
  rules.push(
    rule("icmp type echo-request limit rate 50/second burst 100 packets counter accept", "the gateway answers to ping"),
    rule("counter drop", "everything else"),
  );
  return [{ name: "management", why: "From the management network to the gateway", rules }];
}

function prefixes6(all: readonly (Prefix | Prefix4)[]): readonly Prefix[] {
  return widest(all.flatMap((each) => parsePrefix(each) ?? []));
}

/** Without those that lie in another; a whole address without its length, as nft prints it. */
function prefixes4(all: readonly (Prefix | Prefix4)[]): readonly string[] {
  const parsed = [...new Set(all.flatMap((each) => parsePrefix4(each) ?? []))].sort();
  return parsed
    .filter((each) => !parsed.some((other) => other !== each && contains4(other, each)))
    .map((each) => each.replace(/\/32$/, ""));
}
