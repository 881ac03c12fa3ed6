import { apiOf } from "../../runtime/way.ts";
import { isMarked, mark } from "../pf/names.ts";
import { pfRules } from "../pf/rules/pf-rules.ts";
import { coreAt } from "./api.ts";
import { read } from "./reading.ts";

// What OPNsense 24.7 to 26.7 makes by itself for IPv6, without what a fleet never meets (plugins).
const passed = [1, 2, 3, 4, 135, 136];
const neighbours = [128, 133, 134, 135, 136];

function messages(direction: string, places: string, types: readonly number[]): readonly string[] {
  return types.map(
    (type) => `pass ${direction} log quick inet6 proto ipv6-icmp ${places} icmp6-type ${type} keep state`,
  );
}

const before = [
  'block drop in log inet6 all label "02f4bab031b57d1e30553ce08e0ec131"',
  ...messages("in", "all", passed),
  ...["fe80::/10", "ff02::/16"].flatMap((to) => messages("out", `from (self) to ${to}`, [129, ...neighbours])),
  ...[
    "from fe80::/10 to fe80::/10",
    "from fe80::/10 to ff02::/16",
    "from ff02::/16 to fe80::/10",
    "from :: to ff02::/16",
  ].flatMap((places) => messages("in", places, neighbours)),
  ...["tcp", "udp"].flatMap((transport) => [
    `block drop in log quick inet6 proto ${transport} from any port = 0 to any`,
    `block drop in log quick inet6 proto ${transport} from any to any port = 0`,
  ]),
  'pass out log all flags S/SA keep state allow-opts label "fae559338f65e11c53669fc3642c93c2"',
];

/** OPNsense: a rule's label is its UUID, so the API says which of them are ours. */
export const opnsenseRules = pfRules({
  before,
  after: [],
  // Routers and their solicitations on a link: to the gateway itself, no other hop takes them (RFC 4861 §6.1).
  unasked: [...passed, 133, 134].sort((a, b) => a - b),
  async isOurs(way, signal) {
    const { rules } = await read(coreAt(apiOf(way).http), undefined, signal);
    const ours = new Set(rules.flatMap(({ uuid, description }) => (isMarked(description ?? "") ? [uuid] : [])));
    return (labels) => labels.some((each) => ours.has(each));
  },
  labels: (name) => `label "${mark}${name}"`,
});
