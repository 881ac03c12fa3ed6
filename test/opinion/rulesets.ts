import fc from "fast-check";

// Rulesets in nft's own words, from everything that the reader claims to understand. Constants come from small pools,
// the packets' too, so that matches are met.

export const ports: readonly number[] = [0, 1, 22, 53, 79, 80, 81, 443, 1024, 8080, 33_000, 65_535];
export const protocols: readonly number[] = [6, 6, 6, 17, 17, 58, 58, 132, 47, 50, 89, 253];
export const hardwareAddresses: readonly string[] = ["02:00:00:00:02:01", "02:00:00:00:02:02", "02:00:00:00:02:03"];
export const sources: readonly string[] = [
  "2001:db8:a::1",
  "2001:db8:a::2",
  "2001:db8:a:ffff::1",
  "2001:db8:1::9",
  "2001:db8:2::9",
  "2001:db8:3::9",
  "2001:db8:ffff::1",
  "fe80::77",
  "fd00::1",
];
export const destinations: readonly string[] = [
  "2001:db8:1::1",
  "2001:db8:1::2",
  "2001:db8:1:0:20::80",
  "2001:db8:1:0:2f:ffff:ffff:ffff",
  "2001:db8:1:0:30::1",
  "2001:db8:2::1",
  "2001:db8:2:ffff::2",
  "2001:db8:3::1",
  "2001:db8:4::1",
  "2001:db8:9::1",
  "2001:db8:9::2",
];
export const messages: readonly (readonly [type: number, code: number])[] = [
  [128, 0],
  [128, 0],
  [128, 3],
  [129, 0],
  [1, 4],
  [2, 0],
  [3, 1],
  [130, 0],
  [135, 0],
  [137, 0],
  [139, 0],
  [140, 1],
  [200, 7],
];

const pick = <T>(of: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...of);
const masks = [
  "ffff:ffff:ffff::",
  "ffff:ffff:ffff:ffff:fff0::",
  "ffff:ffff::",
  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
];

const addressText = (of: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: pick(of) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(pick(of), pick([32, 47, 48, 64, 76, 126, 127]))
        .map(([address, length]) => prefixText(address, length)),
    },
    { weight: 1, arbitrary: fc.tuple(pick(of), pick(of)).map(([a, b]) => rangeText(a, b)) },
  );

const portText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: pick(ports).map(String) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(pick(ports), pick(ports))
      .map(([a, b]) => (a === b ? `${a}` : `${Math.min(a, b)}-${Math.max(a, b)}`)),
  },
);

const not = fc.oneof({ weight: 3, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constant("!= ") });
const order = pick(["<", ">", "<=", ">="]);

function listOf(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.uniqueArray(text, { minLength: 1, maxLength: 4 }).map((all) => `{ ${all.join(", ")} }`);
}

function valueOf(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof({ weight: 2, arbitrary: text }, { weight: 1, arbitrary: listOf(text) });
}

const join = (...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((each) => (typeof each === "string" ? fc.constant(each) : each))).map((all) => all.join(" "));

const interfaceText = pick(['"wan"', '"lan"', '"dmz"', '"l*"', '"nosuch"']);
const index = pick(['"wan"', '"lan"', '"lo"']);
const stateText = pick(["new", "established", "related", "invalid", "untracked"]);
const messageText = pick(["128", "129", "1-4", "135", "139", "130-136", "200"]);
const mark = pick(["0", "1", "2", "0x10", "0x11", "0x100"]);
const flag = pick(["syn", "ack", "fin", "rst", "psh", "urg"]);

const matchText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: join("ip6 daddr", not, valueOf(addressText(destinations))) },
  { weight: 3, arbitrary: join("ip6 saddr", not, valueOf(addressText(sources))) },
  join(
    "ip6 daddr &",
    pick(masks),
    pick(["==", "!="]),
    pick(["2001:db8:1::", "2001:db8:1:0:20::", "2001:db8::", "2001:db8:1::2"]),
  ),
  join("ip6 saddr &", pick(masks), pick(["==", "!="]), pick(["2001:db8:a::", "2001:db8::", "2001:db8:a::2"])),
  {
    weight: 3,
    arbitrary: join(pick(["tcp", "udp", "sctp", "th", "udplite"]), pick(["dport", "sport"]), not, valueOf(portText)),
  },
  join(pick(["tcp", "udp", "th"]), pick(["dport", "sport"]), order, pick(ports).map(String)),
  join("tcp dport &", pick(["1", "0xff", "0xfff0"]), pick(["==", "!="]), pick(["0", "1", "80"])),
  join("@th,16,16", not, pick(ports).map(String)),
  join("meta l4proto", not, valueOf(pick(["tcp", "udp", "ipv6-icmp", "sctp", "47", "50", "253"]))),
  join("ip6 nexthdr", not, valueOf(pick(["tcp", "udp", "0", "43", "44", "60", "253"]))),
  join("icmpv6 type", not, valueOf(messageText)),
  join("icmpv6 code", not, valueOf(pick(["0", "1", "3-4", "7"]))),
  join("tcp flags", pick(["", "!= ", "== "]), pick(["syn", "syn | psh", "ack"])),
  join(
    "tcp flags",
    fc.uniqueArray(flag, { minLength: 1, maxLength: 3 }).map((all) => all.join(",")),
  ),
  join("tcp flags & (fin | syn | rst | ack)", pick(["==", "!="]), pick(["syn", "ack"])),
  join("tcp flags { syn, syn | psh, ack }"),
  join("ct state", not, valueOf(stateText)),
  join(
    "ct state",
    fc.uniqueArray(stateText, { minLength: 2, maxLength: 3 }).map((all) => all.join(",")),
  ),
  join("ct direction", pick(["original", "reply", "!= reply"])),
  join("ct status", pick(["dnat", "assured", "confirmed,expected", "& seen-reply == seen-reply"])),
  join("ct mark", not, mark),
  join("ct mark &", pick(["0x11", "0xf"]), pick(["==", "!="]), pick(["0", "1", "0x10"])),
  join("ct original ip6 daddr", not, addressText(destinations)),
  join("meta mark", not, valueOf(mark)),
  join("meta mark &", pick(["0x11", "0xf", "0x110"]), pick(["==", "!="]), pick(["0", "1", "0x10"])),
  join(pick(["iifname", "oifname"]), not, valueOf(interfaceText)),
  join(pick(["iif", "oif"]), not, index),
  join("ip6 hoplimit", not, valueOf(pick(["1", "2", "63-64", "255", "254"]))),
  join("ip6 hoplimit", order, pick(["2", "64", "255"])),
  join("ip6 dscp", not, valueOf(pick(["cs0", "cs1", "af11", "46"]))),
  join("ip6 flowlabel", not, valueOf(pick(["0", "5", "1-9"]))),
  join("ip6 length", pick(["", "!= ", "> ", "<= "]), pick(["32", "40", "100"])),
  join("meta length", pick(["", "!= ", "> ", "<= "]), pick(["72", "80", "100"])),
  join("exthdr", pick(["hbh", "dst", "rt", "frag"]), pick(["exists", "missing"])),
  join("rt type", not, valueOf(pick(["0", "2", "4"]))),
  join("fib saddr . iif oif", pick(["exists", "missing"])),
  join("fib saddr oif", pick(["exists", "missing"])),
  join("fib daddr type", pick(["local", "!= local", "{ local, multicast }"])),
  join("ether saddr", not, valueOf(pick(hardwareAddresses))),
  join("meta nfproto", pick(["ipv6", "ipv4", "!= ipv4"])),
  join("meta protocol", pick(["ip6", "ip", "!= ip6"])),
  fc.constant("ip saddr 192.0.2.1"),
  fc.constant("meta skuid != 0"),
  fc.constant("limit rate 1000000/second burst 1000000 packets"),
  fc.constant("limit rate over 1000000/second burst 1000000 packets"),
);

/** What is looked up in sets: the key, and elements for it. `ranges`: as a set of intervals can hold. */
type Keyed = { readonly key: string; readonly type: string; element(ranges: boolean): fc.Arbitrary<string> };

const single = { to: pick(destinations), from: pick(sources), port: pick(ports).map(String) };
const concat = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(" . "));

const keyed: readonly Keyed[] = [
  { key: "ip6 daddr", type: "ipv6_addr", element: (ranges) => (ranges ? addressText(destinations) : single.to) },
  { key: "ip6 saddr", type: "ipv6_addr", element: (ranges) => (ranges ? addressText(sources) : single.from) },
  {
    key: "ip6 daddr . meta l4proto . th dport",
    type: "ipv6_addr . inet_proto . inet_service",
    element: (ranges) =>
      concat(
        ranges ? addressText(destinations) : single.to,
        pick(["tcp", "udp", "132"]),
        ranges ? portText : single.port,
      ),
  },
  {
    key: "ip6 daddr . tcp dport",
    type: "ipv6_addr . inet_service",
    element: (ranges) => concat(ranges ? addressText(destinations) : single.to, ranges ? portText : single.port),
  },
  {
    key: "ip6 daddr . meta l4proto . th dport . ip6 saddr",
    type: "ipv6_addr . inet_proto . inet_service . ipv6_addr",
    element: (ranges) =>
      concat(
        ranges ? addressText(destinations) : single.to,
        pick(["tcp", "udp"]),
        ranges ? portText : single.port,
        ranges ? addressText(sources) : single.from,
      ),
  },
  {
    key: "ip6 saddr . ip6 daddr",
    type: "ipv6_addr . ipv6_addr",
    element: (ranges) =>
      concat(ranges ? addressText(sources) : single.from, ranges ? addressText(destinations) : single.to),
  },
  {
    key: "ip6 daddr & ffff:ffff:ffff:ffff:fff0::",
    type: "ipv6_addr",
    element: () => pick(["2001:db8:1:0:20::", "2001:db8:1:0:30::", "2001:db8:1::", "2001:db8:2::"]),
  },
  {
    key: "iifname . ether saddr . ip6 saddr & ffff:ffff:ffff::",
    type: "ifname . ether_addr . ipv6_addr",
    element: () =>
      concat(pick(['"wan"', '"lan"']), pick(hardwareAddresses), pick(["2001:db8:a::", "2001:db8:1::", "fd00::"])),
  },
  {
    key: "iifname . oifname",
    type: "ifname . ifname",
    element: () => concat(pick(['"wan"', '"lan"']), pick(['"wan"', '"lan"', '"dmz"'])),
  },
  { key: "meta l4proto", type: "inet_proto", element: () => pick(["tcp", "udp", "ipv6-icmp", "132"]) },
  { key: "tcp dport", type: "inet_service", element: (ranges) => (ranges ? portText : single.port) },
  { key: "icmpv6 type", type: "icmpv6_type", element: () => pick(["128", "129", "1", "135"]) },
  { key: "ct state", type: "ct_state", element: () => stateText },
  { key: "meta mark", type: "mark", element: () => mark },
];

const targets = ["c2", "c3", "c4"];

function verdictFor(level: number): fc.Arbitrary<string> {
  const deeper = targets.slice(level);
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant("accept") },
    { weight: 4, arbitrary: fc.constant("drop") },
    { weight: 1, arbitrary: fc.constant("return") },
    { weight: 1, arbitrary: fc.constant("continue") },
    ...(deeper.length === 0 ? [] : [{ weight: 3, arbitrary: join(pick(["jump", "goto"]), pick(deeper)) }]),
  );
}

const effectText: fc.Arbitrary<string> = fc.oneof(
  join("meta mark set", mark),
  join("meta mark set mark or", mark),
  join("meta mark set mark xor", mark),
  join("meta mark set mark and 0xffffffef"),
  join("meta mark set ct mark"),
  join("ct mark set", mark),
  join("ct mark set mark"),
  fc.constant("notrack"),
  join("ip6 dscp set", pick(["cs1", "af11"])),
  fc.constant("counter"),
);

/** A rule of a chain from which only deeper chains can be called. */
function ruleText(level: number): fc.Arbitrary<string> {
  const map = fc.constantFrom(...keyed).chain((each) =>
    fc
      .uniqueArray(fc.tuple(each.element(true), verdictFor(level)), {
        minLength: 1,
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((rows) => `${each.key} vmap { ${rows.map(([key, verdict]) => `${key} : ${verdict}`).join(", ")} }`),
  );
  const inline = fc
    .tuple(fc.constantFrom(...keyed), not)
    .chain(([each, sign]) => listOf(each.element(true)).map((list) => `${each.key} ${sign}${list}`));
  const named = fc
    .tuple(fc.integer({ min: 0, max: keyed.length - 1 }), not, pick(["s", "r"]))
    .map(([at, sign, kind]) => `${keyed[at]?.key} ${sign}@${kind}${at}`);
  const match = fc.oneof(
    { weight: 6, arbitrary: matchText },
    { weight: 2, arbitrary: inline },
    { weight: 3, arbitrary: named },
  );
  const body = fc.array(match, { minLength: 0, maxLength: 2 });
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(body, fc.option(effectText, { freq: 6 }), verdictFor(level))
        .map(([all, effect, verdict]) => [...all, effect ?? "", verdict].join(" ")),
    },
    { weight: 2, arbitrary: fc.tuple(body, map).map(([all, rows]) => [...all.slice(0, 1), rows].join(" ")) },
    { weight: 1, arbitrary: fc.tuple(body, effectText, match, verdictFor(level)).map((all) => all.flat().join(" ")) },
  );
}

const baseChains = [
  { name: "pre", hook: "prerouting", priorities: [-450, -300, -150, 0], policies: ["accept", "accept", "drop"] },
  { name: "fwd1", hook: "forward", priorities: [-10, 0], policies: ["accept", "drop"] },
  { name: "fwd2", hook: "forward", priorities: [5], policies: ["accept", "accept", "drop"] },
  { name: "inp", hook: "input", priorities: [0], policies: ["accept", "drop"] },
  { name: "post", hook: "postrouting", priorities: [0, 150], policies: ["accept", "accept", "drop"] },
] as const;

const tables = ["inet a", "ip6 b"];

export type Ruleset = { readonly setup: string; readonly rules: readonly string[] };

function tableText(table: string): fc.Arbitrary<Ruleset> {
  const bases = fc.subarray([...baseChains], { minLength: 1, maxLength: 3 });
  const sets = fc.tuple(
    ...keyed.flatMap((each, at) =>
      [false, true].map((ranges) =>
        fc.uniqueArray(each.element(ranges), { maxLength: 4 }).map((elements) => {
          // nft 1.0.6 crashes when it lists intervals of states.
          const flags = ranges && each.type !== "ct_state" ? " flags interval; auto-merge;" : "";
          const fill =
            elements.length === 0
              ? []
              : elements.map((one) => `add element ${table} ${ranges ? "r" : "s"}${at} { ${one} }`);
          return {
            set: `  set ${ranges ? "r" : "s"}${at} { type ${each.type};${each.type.includes(".") ? flags.replace(" auto-merge;", "") : flags} }`,
            fill,
          };
        }),
      ),
    ),
  );
  return fc.tuple(bases, sets).chain(([chosen, made]) => {
    const hooks = fc.tuple(...chosen.map((base) => fc.tuple(pick(base.priorities), pick(base.policies))));
    const rules = fc.tuple(
      ...chosen.map((base) =>
        fc.array(
          ruleText(0).map((text) => `add rule ${table} ${base.name} ${text}`),
          { minLength: 1, maxLength: 6 },
        ),
      ),
      ...["c2", "c3", "c4"].map((name, level) =>
        fc.array(
          ruleText(level + 1).map((text) => `add rule ${table} ${name} ${text}`),
          { maxLength: 4 },
        ),
      ),
    );
    return fc.tuple(hooks, rules).map(([settings, texts]) => ({
      setup: [
        `table ${table} {`,
        ...made.map((each) => each.set),
        ...targets.map((name) => `  chain ${name} { }`),
        ...chosen.map(
          (base, at) =>
            `  chain ${base.name} { type filter hook ${base.hook} priority ${settings[at]?.[0]}; policy ${settings[at]?.[1]}; }`,
        ),
        "}",
      ].join("\n"),
      rules: [...made.flatMap((each) => each.fill), ...texts.flat()],
    }));
  });
}

const early: fc.Arbitrary<Ruleset> = fc.array(ruleText(3), { minLength: 1, maxLength: 3 }).map((rules) => ({
  setup: "table netdev n {\n  chain early { type filter hook ingress device wan priority 0; policy accept; }\n}",
  rules: rules.map((rule) => `add rule netdev n early ${rule}`),
}));

/** One to three tables: what one accepts another may drop. */
export const rulesets: fc.Arbitrary<Ruleset> = fc
  .tuple(tableText(tables[0] ?? ""), fc.option(tableText(tables[1] ?? ""), { freq: 2 }), fc.option(early, { freq: 4 }))
  .map((all) => {
    const there = all.filter((each) => each !== null);
    return { setup: there.map((each) => each.setup).join("\n"), rules: there.flatMap((each) => each.rules) };
  });

function prefixText(address: string, length: number): string {
  return `${address}/${length}`;
}

/** In the order that nft wants. */
function rangeText(a: string, b: string): string {
  const [low, high] = compareTexts(a, b) <= 0 ? [a, b] : [b, a];
  return low === high ? low : `${low}-${high}`;
}

function compareTexts(a: string, b: string): number {
  const [x, y] = [groups(a), groups(b)];
  for (let at = 0; at < 8; at++) if (x[at] !== y[at]) return (x[at] ?? 0) - (y[at] ?? 0);
  return 0;
}

function groups(text: string): readonly number[] {
  const [head = "", tail = ""] = text.split("::");
  const [left, right] = [head, tail].map((part) =>
    part === "" ? [] : part.split(":").map((each) => Number.parseInt(each, 16)),
  );
  const middle = 8 - (left?.length ?? 0) - (right?.length ?? 0);
  return [...(left ?? []), ...Array.from({ length: middle }, () => 0), ...(right ?? [])];
}
