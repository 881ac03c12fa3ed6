import type { HostName } from "../src/base/name.ts";
import { seconds } from "../src/base/time.ts";
import { Book, type Rules } from "../src/controller/book.ts";
import { LaneWriter } from "../src/controller/lane-writer.ts";
import type { AddressChange, MembersLane } from "../src/drivers/members-lane.ts";
import { type Address, address } from "../src/net/address.ts";
import { prefix } from "../src/net/prefix.ts";
import type { ContainerReport, DeclaredPort } from "../src/openings/container-report.ts";
import type { AllowRule, OpeningPolicy } from "../src/openings/policy.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { printTable, type Row } from "./measure.ts";
import { complaint, type Ground } from "./second-evaluator.ts";

const reports = Number(process.env["REPORTS"] ?? 1_000_000);
const hosts = ["vm1", "vm2", "vm3", "vm4"] as HostName[];

/**
 * Reports as a host would make them that was taken over, as many as are asked for, through the controller's book and
 * writer into a gateway in memory. Every element that is let in is judged by a second evaluator; one that should not be
 * there ends the bench with exit code 3.
 */
export async function run(options: { readonly json: boolean }): Promise<void> {
  const began = performance.now();
  const { elements, wrong, refused, open } = await attack();
  const took = (performance.now() - began) / 1000;
  const rows: readonly Row[] = [
    { name: "hostile reports", figure: reports, unit: "" },
    { name: "elements that were let in meanwhile", figure: elements, unit: "" },
    { name: "of those outside policy or block", figure: wrong.length, unit: "" },
    { name: "openings that were refused", figure: refused, unit: "" },
    { name: "open at the end", figure: open, unit: "" },
    { name: "reports, decided and brought into force", figure: reports / took / 1000, unit: "thousand/s" },
  ];
  for (const each of wrong.slice(0, 10)) console.error(`let in: ${each}`);
  if (wrong.length > 0) process.exitCode = 3;
  if (options.json) console.log(JSON.stringify({ suite: "hostile", rows }));
  else printTable("hostile: reports of hosts that were taken over, every element judged twice", rows);
}

type Outcome = {
  readonly elements: number;
  readonly wrong: readonly string[];
  readonly refused: number;
  readonly open: number;
};

async function attack(): Promise<Outcome> {
  const wrong: string[] = [];
  let elements = 0;
  let refused = 0;
  const inForce = new Map<Address, number>();
  const lane: MembersLane = {
    normalize: (services) => services,
    read: async () => [],
    readAt: async () => [],
    async change(changes) {
      for (const each of changes) {
        for (const found of judge(each)) wrong.push(found);
        elements += each.after.length;
        if (each.after.length > 0) inForce.set(each.to, each.after.length);
        else inForce.delete(each.to);
      }
    },
    end: async () => undefined,
  };
  const book: Book = new Book({
    rules,
    normalize: (services) => services,
    since: (_host, _id, now) => now,
    dirty: (mark) => writer.mark(mark),
    refused: (_host, _report, refusals) => void (refused += refusals.length),
    gone: () => undefined,
  });
  const writer = new LaneWriter({
    lane,
    clock: systemClock,
    wanted: (host, to) => book.wanted(host, to, systemClock.now()),
    isWriter: () => true,
    mayOpen: () => true,
    prepare: async () => undefined,
    applied: () => undefined,
    reached: (failure) => {
      if (failure !== undefined) throw failure;
    },
    drifted: () => undefined,
    looked: () => undefined,
    refused: () => undefined,
  });
  book.adopt(await writer.start());
  const random = numbers(1);
  for (let n = 0; n < reports; n++) {
    oneReport(book, random);
    if (n % 64 === 0) await writer.settled();
  }
  await writer.settled();
  await writer.stop();
  const open = [...inForce.values()].reduce((sum, each) => sum + each, 0);
  return { elements, wrong, refused, open };
}

function judge({ host, to, after }: AddressChange): readonly string[] {
  const ground = grounds.get(host);
  return after.flatMap((each) => {
    const said = complaint(policy, ground, to, each);
    return said === undefined ? [] : [`${host} ${to} ${JSON.stringify(each)}: ${said}`];
  });
}

function tcp(first: number, last = first): AllowRule["services"][number] {
  return { kind: "ports", transport: "tcp", ports: { first, last } };
}

const policy: OpeningPolicy = {
  allow: [
    {
      id: "web",
      hosts: "all",
      services: [tcp(80), tcp(443), { kind: "ping" }],
      from: [prefix("::/0")],
      by: ["labels"],
    },
    {
      id: "high",
      hosts: [hosts[0] as HostName],
      services: [tcp(8000, 8999)],
      from: [prefix("2001:db8::/32")],
      by: ["labels"],
    },
    {
      id: "half",
      hosts: "all",
      services: [tcp(9000, 9100)],
      from: [prefix("3fff:8::/33"), prefix("3fff:8:8000::/33")],
      by: ["labels"],
    },
    {
      id: "dns",
      hosts: [hosts[1] as HostName],
      from: [prefix("3fff:1::/48")],
      by: ["labels"],
      longest: seconds(3600),
      services: [{ kind: "ports", transport: "udp", ports: { first: 53, last: 53 } }],
    },
    { id: "ssh", hosts: "all", services: [tcp(22)], from: [prefix("3fff:1::/48")], by: ["people"] },
  ],
  never: [tcp(8443), tcp(9050, 9060)],
  limits: { perContainer: 16, perHost: 256, lease: seconds(3600) },
  staleAfter: seconds(3600),
  trustImages: ["trusted/web"],
};

function groupOf(host: HostName): string {
  return (0x20 + 0x10 * hosts.indexOf(host)).toString(16);
}

const grounds: ReadonlyMap<string, Ground> = new Map(
  hosts.map((host) => {
    const base = `2001:db8:1234:321d:${groupOf(host)}`;
    return [host, { host, block: `${base}::/76`, own: [`${base}::1`, `${base}::2`] }];
  }),
);
const rules: Rules = {
  policy,
  hosts: new Map(
    hosts.map((host) => {
      const ground = grounds.get(host);
      return [host, { block: prefix(ground?.block ?? ""), own: (ground?.own ?? []).map(address) }];
    }),
  ),
  groups: new Map([["office", [prefix("3fff:1::/48")]]]),
};

type Random = (below: number) => number;

/** The same in every run (xorshift32). */
function numbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function pick<T>(random: Random, all: readonly T[]): T {
  return all[random(all.length)] as T;
}

function oneReport(book: Book, random: Random): void {
  // Its certificate is always its own: that much the inbox sees to.
  const host = pick(random, hosts);
  const made = Array.from({ length: 1 + random(3) }, () => reportOf(host, random));
  const now = systemClock.now();
  if (random(40) === 0) book.snapshot(host, made, now);
  else if (random(4) === 0) book.delta(host, [], [idOf(random(40))], now);
  else book.delta(host, made, [], now);
}

function idOf(n: number): string {
  return n.toString(16).padStart(64, "0");
}

function reportOf(host: HostName, random: Random): ContainerReport {
  const mode = random(4) > 0 ? "bridge" : pick(random, ["container", "container", "host", "none"] as const);
  const project = pick(random, [undefined, "web", "vm1"]);
  return {
    id: idOf(random(40)),
    name: pick(random, ["web", "db", "c1", "\u202eevil", "a; flush ruleset", idOf(random(40))]),
    ...(project === undefined ? {} : { project }),
    image: pick(random, ["web:1", "trusted/web:2", "trusted/web"]),
    mode,
    ...(mode === "container" ? { sharesWith: pick(random, [idOf(random(40)), "web", "db"]) } : {}),
    state: pick(random, ["starting", "running", "paused"] as const),
    labels: labelsOf(random),
    imageLabels: random(5) === 0 ? labelsOf(random) : {},
    published: portsOf(random),
    exposed: portsOf(random),
    endpoints: Array.from({ length: random(4) }, () => ({
      network: pick(random, ["front", "back"]),
      networkId: pick(random, ["e", "f"]).repeat(64),
      address: addressOf(host, random),
    })),
  };
}

/** Mostly its own, often another's, the gateway's, or anybody's. */
function addressOf(host: HostName, random: Random): Address {
  const group = groupOf(random(5) === 0 ? pick(random, hosts) : host);
  const inner = pick(random, [group, `${group.slice(0, 1)}${pick(random, ["1", "2", "f"])}`]);
  const tail = pick(random, ["::1", "::2", `::${(random(24) + 3).toString(16)}`, `::${(random(24) + 3).toString(16)}`]);
  if (random(20) === 0)
    return address(pick(random, ["3fff::80", "::1", "fe80::1", "ff02::1", "2001:db8:1234:321c:20::5"]));
  return address(`2001:db8:1234:321d:${inner}${tail}`);
}

function portsOf(random: Random): readonly DeclaredPort[] {
  return Array.from({ length: random(3) }, () => {
    const first = pick(random, [1, 22, 80, 443, 8443, 9049, 65_535]);
    return {
      transport: pick(random, ["tcp", "udp", "sctp"] as const),
      ports: { first, last: Math.min(65_535, first + random(30)) },
    };
  });
}

const good = [
  "80",
  "443",
  "80,443",
  "ping",
  "80 from %web",
  "8000-8100 from 2001:db8::/33",
  "9000 from 3fff:8::/32",
  "53/udp from @office",
  "443 from @office",
];
const rulesAsked = [
  "80",
  "443",
  "80,443",
  "1-65535",
  "1-65535/tcp+udp",
  "22",
  "8443",
  "8000-8999",
  "8000-8999 from 2001:db8::/33",
  "9000-9100 from 3fff:8::/32",
  "9000-9049 from 3fff:8::/32",
  "9061-9100 from 3fff:8::/34",
  "9000 from 3fff::/20",
  "53/udp from @office",
  "53/udp from any",
  "ping",
  "ping from any",
  "published",
  "published from @office",
  "80 from %web",
  "8000 from %web",
  "8000 from %vm2/web",
  "443 from @nobody",
  "80 for 1s",
  "53/udp from @office for 2h",
  "80 until 2099-01-01T00:00:00Z",
  "80/icmp",
  "0",
  "65536",
  "80-",
  "-80",
  "80;;443",
  "80 from",
  "80 from ::/0,::/0",
  "80 from ::ffff:0:0/96",
  "80 # \u202e",
  "80\u0000",
  "80 from 2001:db8::/16",
  "8000 from 2001:db8:1234:321d::/64",
  "443/udp",
  "80/sctp",
  "00080",
  "８０",
  "80 from any for 0s",
  "80 for 99999d",
  "9050",
  "9049-9051 from 3fff:8::/33",
];

function labelsOf(random: Random): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  if (random(3) > 0) return { "sixgate.open": pick(random, good) };
  for (let n = random(3); n > 0; n--) {
    const key = pick(random, [
      "sixgate.open",
      "sixgate.open",
      "sixgate.rule.a.ports",
      "sixgate.network",
      "sixgate.enable",
      "sixgate.opne",
      "sixgate.rule.a.from",
    ]);
    labels[key] = Array.from({ length: 1 + random(3) }, () => mangled(pick(random, rulesAsked), random)).join(
      pick(random, [";", "\n", "; "]),
    );
  }
  return labels;
}

/** One in eight has a letter changed, taken away or put in. */
function mangled(text: string, random: Random): string {
  if (random(8) !== 0 || text.length === 0) return text;
  const at = random(text.length);
  const put = pick(random, ["", "/", "0", "9", ":", "-", ",", " ", "%", "@", "'", '"', "$(x)", "\u001b[2J"]);
  return text.slice(0, at) + put + text.slice(at + random(2));
}
