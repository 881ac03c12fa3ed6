import fc from "fast-check";
import { address, toBits } from "../../../src/net/address.ts";
import { baseBits, prefix, sizeOf } from "../../../src/net/prefix.ts";
import {
  type Anchor,
  type Criteria,
  icmp6,
  type Line,
  type Machine,
  type Packet,
  type Place,
  type Ports,
  type Rule,
  type Span,
  sctp,
  type Table,
  tcp,
  udp,
} from "./model.ts";

// Rules, and packets that meet them: constants come from small pools.

const pick = <T>(of: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...of);
const rarely = fc.nat({ max: 5 }).map((n) => n === 5);
/** There once in so many times, and absent otherwise. */
const sometimes = <T>(times: number, what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.tuple(fc.nat({ max: times - 1 }), what).map(([n, value]) => (n === times - 1 ? value : undefined));

const sources = ["2600::1", "2001:db8:aaaa::1", "2001:db8:aaaa:1::7", "2001:db8:1:0:21::80", "2001:db8:2::5"];
const destinations = [
  "2001:db8:1:0:21::80",
  "2001:db8:1:0:21::81",
  "2001:db8:1:0:22::80",
  "2001:db8:1:0:20::1",
  "2001:db8:2::5",
  "2600::9",
];
const prefixes = ["2001:db8:aaaa::/48", "2001:db8:1:0:20::/76", "2001:db8:1:0:21::/80", "2600::/12", "2001:db8::/32"];
const portPool = [0, 22, 80, 443, 1023, 1024, 8080, 65_535];

const spanOf = (text: string): Span => {
  if (!text.includes("/")) return { first: toBits(address(text)), last: toBits(address(text)) };
  const found = prefix(text);
  return { first: baseBits(found), last: baseBits(found) + sizeOf(found) - 1n };
};

const devices: Machine["devices"] = [
  { name: "vtnet0", groups: ["WAN", "ANY"], addresses: ["2001:db8:1:0:10::1", "2600::77"] },
  { name: "vtnet1", groups: ["HOSTS", "ANY"], addresses: ["2001:db8:1:0:20::1"] },
  { name: "vtnet2", groups: ["ANY"], addresses: [] },
].map(({ name, groups, addresses }) => ({
  name,
  groups,
  addresses: addresses.map((text) => ({ text, value: toBits(address(text)) })),
}));
const names = devices.map(({ name }) => name);
/** By device and by group. */
const members = new Map<string, readonly string[]>([
  ...names.map((name) => [name, [name]] as const),
  ...["WAN", "HOSTS", "ANY"].map(
    (group) => [group, devices.filter((each) => each.groups.includes(group)).map(({ name }) => name)] as const,
  ),
]);

const tableNames = ["sg_web", "office", "mixed", "empty"];
const entry = fc.record({ text: pick([...prefixes, ...sources, ...destinations]), not: rarely });
const table = (anchor: string, name: string): fc.Arbitrary<Table> =>
  fc.uniqueArray(entry, { maxLength: name === "empty" ? 0 : 4, selector: ({ text }) => text }).map((entries) => ({
    anchor,
    name,
    entries: [
      ...entries.map((each) => ({ ...each, span: spanOf(each.text) })),
      ...(name === "mixed" ? [{ text: "192.0.2.0/24", not: false }] : []),
    ],
  }));

const not = rarely;
const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Place>({ kind: "any" }) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(pick([...prefixes, ...sources, ...destinations]), not)
      .map(([text, isNot]): Place => ({ kind: "addresses", text, not: isNot, spans: [spanOf(text)] })),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(pick(tableNames), not).map(([name, isNot]): Place => ({ kind: "table", name, not: isNot })),
  },
  fc.tuple(pick(["2001:db8:1:0:21::80", "2001:db8:aaaa::"]), not).map(([first, isNot]): Place => {
    const last = first === "2001:db8:aaaa::" ? "2001:db8:aaaa:1::7" : "2001:db8:1:0:21::ff";
    const spans = [{ first: spanOf(first).first, last: spanOf(last).last }];
    return { kind: "addresses", text: `${first} - ${last}`, not: isNot, spans };
  }),
  fc.tuple(pick(["self", "vtnet0", "vtnet1", "ANY"]), not).map(
    ([name, isNot]): Place => ({
      kind: "own",
      text: `(${name}:2)`,
      devices: name === "self" ? names : (members.get(name) ?? []),
      not: isNot,
    }),
  ),
);
const source: fc.Arbitrary<Place> = fc.oneof(
  { weight: 12, arbitrary: place },
  fc.constantFrom<Place>({ kind: "no-route" }, { kind: "urpf-failed" }),
);

const port = pick(portPool);
const ports: fc.Arbitrary<Ports> = fc.oneof(
  port.map((n): Ports => ({ text: `port = ${n}`, fits: (each) => each === n })),
  port.map((n): Ports => ({ text: `port != ${n}`, fits: (each) => each !== n })),
  port.map((n): Ports => ({ text: `port < ${n}`, fits: (each) => each < n })),
  port.map((n): Ports => ({ text: `port <= ${n}`, fits: (each) => each <= n })),
  port.map((n): Ports => ({ text: `port > ${n}`, fits: (each) => each > n })),
  port.map((n): Ports => ({ text: `port >= ${n}`, fits: (each) => each >= n })),
  fc.tuple(port, port).map(([a, b]): Ports => ({ text: `port ${a}:${b}`, fits: (each) => each >= a && each <= b })),
  fc.tuple(port, port).map(([a, b]): Ports => ({ text: `port ${a} >< ${b}`, fits: (each) => each > a && each < b })),
  fc.tuple(port, port).map(([a, b]): Ports => ({ text: `port ${a} <> ${b}`, fits: (each) => each < a || each > b })),
);

const protocols = [
  { text: "tcp", number: tcp },
  { text: "tcp", number: tcp },
  { text: "udp", number: udp },
  { text: "ipv6-icmp", number: icmp6 },
  { text: "sctp", number: sctp },
  { text: "gre", number: 47 },
  { text: "253", number: 253 },
];
const messages: readonly NonNullable<Criteria["message"]>[] = [
  { text: "echoreq", type: 128 },
  { text: "toobig", type: 2 },
  { text: "unreach code port-unr", type: 1, code: 4 },
  { text: "200 code 7", type: 200, code: 7 },
  { text: "neighbrsol", type: 135 },
];
/** FIN 1, SYN 2, RST 4, ACK 16. */
const flags: readonly NonNullable<Criteria["flags"]>[] = [
  { text: "S/SA", set: 2, of: 18 },
  { text: "S/SA", set: 2, of: 18 },
  { text: "any", set: 0, of: 0 },
  { text: "S/FSRA", set: 2, of: 23 },
  { text: "A/A", set: 16, of: 16 },
  { text: "SE/SEW", set: 66, of: 194 },
];

const shared = {
  direction: fc.option(pick(["in", "out"] as const), { nil: undefined, freq: 4 }),
  quick: fc.boolean(),
  on: sometimes(
    3,
    fc
      .tuple(pick(["vtnet0", "vtnet0", "vtnet1", "vtnet2", "WAN", "HOSTS", "ANY"]), not)
      .map(([text, isNot]) => ({ text, devices: members.get(text) ?? [], not: isNot })),
  ),
  family: fc.option(fc.oneof({ weight: 9, arbitrary: fc.constant("inet6" as const) }, fc.constant("inet" as const)), {
    nil: undefined,
  }),
  protocol: sometimes(2, pick(protocols)),
  from: source,
  fromPorts: sometimes(6, ports),
  to: place,
  toPorts: fc.option(ports, { nil: undefined }),
  opaque: sometimes(20, pick(["frobnicated", "user = 80", 'os "Linux"'])),
};

/** What pfctl(8) refuses is not made: ports without a transport that has them, messages without ICMPv6. */
function possible<T extends Criteria>(rule: T): T {
  const { fromPorts, toPorts, message, flags: asked, ...rest } = rule;
  const number = rule.protocol?.number;
  const withPorts = number !== undefined && [tcp, udp, sctp].includes(number);
  return withoutAbsent({
    ...rest,
    fromPorts: withPorts ? fromPorts : undefined,
    toPorts: withPorts ? toPorts : undefined,
    // What leaves is asked for the interface that it leaves by: nobody writes that, and the product does not say.
    direction: rule.from.kind === "urpf-failed" ? "in" : rule.direction,
    message: number === icmp6 && rule.family !== "inet" ? message : undefined,
    flags: number === undefined || number === tcp ? asked : undefined,
  }) as T;
}

function withoutAbsent<T extends object>(of: T): T {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as T;
}

const rule: fc.Arbitrary<Rule> = fc
  .record({
    kind: fc.constant("rule" as const),
    action: pick(["pass", "pass", "pass", "drop", "drop", "return", "match"] as const),
    ...shared,
    receivedOn: sometimes(
      12,
      fc.tuple(pick(names), fc.boolean()).map(([device, isNot]) => ({ device, not: isNot })),
    ),
    message: sometimes(2, pick(messages)),
    flags: fc.option(pick(flags), { nil: undefined }),
    fragment: rarely,
    chance: sometimes(10, pick([30, 70])),
    tagged: sometimes(
      12,
      fc.tuple(pick(["given", "never"]), fc.boolean()).map(([tag, isNot]) => ({ tag, not: isNot })),
    ),
    tag: sometimes(20, fc.constant("given")),
    elsewhere: sometimes(15, pick(["rdr-to 2001:db8:1:0:21::99", "rtable 2"])),
    routeTo: sometimes(
      12,
      pick(names).map((device) => ({ device, hop: "fe80::9" })),
    ),
    log: fc.boolean(),
    label: sometimes(4, pick(["descr=sixgate: pass", "USER_RULE: a { b } -> c", "ends in {", "quick in out"])),
    tracker: sometimes(4, fc.integer({ min: 1, max: 99_999 })),
  })
  .map((all) =>
    possible({
      ...all,
      fragment: all.fragment && all.action !== "pass" ? true : undefined,
      flags: all.action === "pass" ? all.flags : undefined,
      // Only what is let through goes another way.
      routeTo: all.action === "pass" ? all.routeTo : undefined,
      elsewhere: all.action === "pass" || all.action === "match" ? all.elsewhere : undefined,
    } as Rule),
  );

function anchorOf(inner: fc.Arbitrary<readonly Line[]>): fc.Arbitrary<Anchor> {
  return fc
    .record({
      kind: fc.constant("anchor" as const),
      name: pick(["userrules/*", "people", "shop"]),
      ...shared,
      rules: inner,
    })
    .map((all) => possible(all as Anchor));
}

const innermost = fc.array(rule, { maxLength: 3 });
const inner = fc.array(fc.oneof({ weight: 5, arbitrary: rule }, anchorOf(innermost)), { maxLength: 4 });
const lines: fc.Arbitrary<readonly Line[]> = fc.array(fc.oneof({ weight: 4, arbitrary: rule }, anchorOf(inner)), {
  minLength: 1,
  maxLength: 9,
});

const ways = [
  { text: "2001:db8:1:0:20::/76", device: "vtnet1" },
  { text: "2001:db8:2::/48", device: "vtnet2" },
];
const withDefault = [{ text: "default", device: "vtnet0" }, ...ways];

const routesOf = (all: readonly { readonly text: string; readonly device: string }[]): Machine["routes"] =>
  all.map((each) => ({ ...each, span: spanOf(each.text === "default" ? "::/0" : each.text) }));

/** The machine, without a rule. */
export const bare: Machine = { devices, routes: routesOf(withDefault), skipped: [], tables: [], lines: [] };

export const machines: fc.Arbitrary<Machine> = fc
  .record({
    lines,
    tables: fc.tuple(
      ...tableNames.map((name) => table("", name)),
      table("people", "office"),
      table("userrules", "sg_web"),
    ),
    isDefault: fc.nat({ max: 4 }).map((n) => n < 4),
    skips: fc.nat({ max: 9 }).map((n) => n === 9),
  })
  .map(({ lines: all, tables, isDefault, skips }) => ({
    devices,
    routes: routesOf(isDefault ? withDefault : ways),
    skipped: skips ? ["vtnet2"] : [],
    tables,
    lines: all,
  }));

/** Of TCP only what asks for a connection, with or without flags that do not matter. */
export const packets: fc.Arbitrary<Packet> = fc.record({
  from: pick([...sources, "2600::77"]).map((text) => toBits(address(text))),
  to: pick(destinations).map((text) => toBits(address(text))),
  protocol: pick([tcp, tcp, tcp, udp, icmp6, icmp6, sctp, 47, 253]),
  fromPort: pick(portPool),
  toPort: pick(portPool),
  type: pick([128, 128, 1, 2, 135, 200]),
  code: pick([0, 4, 7]),
  flags: pick([2, 2, 2, 66, 194, 10]),
});

export const places: readonly string[] = names;
