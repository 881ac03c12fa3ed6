import { mark } from "../pf/names.ts";
import { pfRules } from "../pf/rules/pf-rules.ts";

// What pfSense 2.7 and 2.8 make by themselves for IPv6, without what a fleet never meets (NAT64, packages).
const linkLocal = ["from fe80::/10 to fe80::/10", "from fe80::/10 to ff02::/16"];
const passed = [1, 2, 135, 136];
const neighbours = [133, 134, 135, 136];

function messages(direction: string, places: string, types: readonly number[], quick = "quick "): readonly string[] {
  return types.map((type) => `pass ${direction}${quick}inet6 proto ipv6-icmp ${places} icmp6-type ${type} keep state`);
}

const before = [
  'block drop in log inet6 all label "descr=Default deny rule IPv6"',
  'block drop out log inet6 all label "descr=Default deny rule IPv6"',
  ...messages("", "all", passed),
  ...linkLocal.flatMap((places) => messages("out ", places, [129, ...neighbours])),
  ...[...linkLocal, "from ff02::/16 to fe80::/10", "from :: to ff02::/16"].flatMap((places) =>
    messages("in ", places, [128, ...neighbours]),
  ),
  ...["tcp", "udp"].flatMap((transport) => [
    `block drop log quick inet6 proto ${transport} from any port = 0 to any`,
    `block drop log quick inet6 proto ${transport} from any to any port = 0`,
  ]),
  'pass out inet6 all flags S/SA keep state allow-opts label "descr=let out anything IPv6 from firewall host itself"',
];

/** pfSense: `descr=` of a rule's label is the description that we wrote. */
export const pfsenseRules = pfRules({
  before,
  after: [],
  // Routers and their solicitations on a link: to the gateway itself, no other hop takes them (RFC 4861 §6.1).
  unasked: [...passed, 133, 134].sort((a, b) => a - b),
  isOurs: () => Promise.resolve((labels) => labels.some((each) => each.startsWith(`descr=${mark}`))),
  labels: (name) => `label "descr=${mark}${name}"`,
});
