import fc from "fast-check";
import { expect, test } from "vitest";
import type { HostName } from "../../src/base/name.ts";
import { instant, seconds } from "../../src/base/time.ts";
import { type Address, address, fromBits } from "../../src/net/address.ts";
import { contains, type Prefix, prefix, prefixOf } from "../../src/net/prefix.ts";
import { PrefixSet } from "../../src/net/prefix-set.ts";
import type { ContainerReport } from "../../src/openings/container-report.ts";
import { type DecisionContext, decide } from "../../src/openings/decide.ts";
import { decideAll } from "../../src/openings/decide-all.ts";
import { labelLimits } from "../../src/openings/label-limits.ts";
import { type LabelRule, parseLabels } from "../../src/openings/labels.ts";
import { formatLease } from "../../src/openings/lease.ts";
import { openServices } from "../../src/openings/open-services.ts";
import type { Service } from "../../src/openings/opening.ts";
import type { AllowRule, OpeningPolicy } from "../../src/openings/policy.ts";
import type { Request } from "../../src/openings/request.ts";
import { requestsOf } from "../../src/openings/requests-of.ts";
import { coverService, firstOverlap, formatService } from "../../src/openings/services.ts";
import { formatSource } from "../../src/openings/source.ts";

// Laws of labels and decisions, over text and policies that nobody would think of.

const now = instant(1_000_000_000_000);
const hosts = ["vm1", "vm2"] as HostName[];
const block = prefix("2001:db8:1234:321d:20::/76");
const context: DecisionContext = {
  hosts: new Map([
    [hosts[0] as HostName, { block, own: [address("2001:db8:1234:321d:20::2")] }],
    [hosts[1] as HostName, { block: prefix("2001:db8:1234:321d:30::/76"), own: [] }],
  ]),
  groups: new Map([["office", [prefix("2001:db8:aaaa::/48")]]]),
  containers: (name) => (name === "web" ? [address("2001:db8:1234:321d:32::8")] : []),
};

/** Text made of the grammar's own pieces, and of what breaks grammars. */
const pieces = [
  "80",
  "443",
  "65535",
  "65536",
  "0",
  "8000-8099",
  "-",
  "/",
  "/udp",
  "/tcp+udp",
  ",",
  ";",
  "\n",
  "\r\n",
  " ",
  "\t",
  "#",
  "ping",
  "published",
  "from",
  " from ",
  "any",
  "@office",
  "@",
  "%web",
  "%vm1/web",
  "%",
  "2001:db8::/32",
  "::/0",
  "::1",
  "192.0.2.1",
  "for",
  " for 2h",
  " until ",
  "2026-12-31T18:00:00Z",
  "\u0000",
  "\u202e",
  "\ud800",
  "'",
  '"',
  "`",
  "$(",
  "${",
  "../",
  "<b>",
  "{",
  "}",
  "\\",
  "fwd",
  "accept",
  "٣",
  "é",
  "__proto__",
];
const grammarLike = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(""));
const anyText = fc.oneof(
  grammarLike,
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);
const anyKey = fc.oneof(
  fc.constantFrom(
    "sixgate.open",
    "sixgate.network",
    "sixgate.enable",
    "sixgate.rule.a.ports",
    "sixgate.rule.a.from",
    "sixgate.rule.a.for",
    "sixgate.rule.a.proto",
    "sixgate.rule.b.ports",
    "sixgate.dns",
    "sixgate.",
    "sixgate.rule.",
    "sixgate.__proto__",
    "com.docker.compose.project",
  ),
  anyText.map((text) => `sixgate.${text}`),
);
const anyLabels = fc.dictionary(anyKey, anyText, { maxKeys: 6, noNullPrototype: true });

/** A rule written out again, as a list has it. */
function written({ services, published, from, lease }: LabelRule): string {
  const ports = [...services.map(formatService), ...(published ? ["published"] : [])].join(",");
  return `${ports} from ${from.map(formatSource).join(",")}${lease === undefined ? "" : ` ${formatLease(lease)}`}`;
}

test("parseLabels gives rules or problems for any text, never a throw, and says where", () => {
  fc.assert(
    fc.property(anyLabels, (labels) => {
      const { rules, problems } = parseLabels(labels);
      for (const each of rules) {
        expect(each.services.length > 0 || each.published).toBe(true);
        expect(each.from.length).toBeGreaterThan(0);
      }
      for (const { key, text, fix, shown, column = 1, rule = 1 } of problems) {
        expect(key + text + fix + shown).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
        expect([column >= 1, rule >= 1, text.length < 700, fix.length < 300, shown.length < 2_000]).not.toContain(
          false,
        );
      }
      const asked = Object.entries(labels).filter(([key]) => key.startsWith("sixgate."));
      if (asked.length > 0 && rules.length === 0 && problems.length === 0)
        expect(asked.some(([key]) => key === "sixgate.enable" || key === "sixgate.network")).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test("parseLabels reads what it wrote", () => {
  fc.assert(
    fc.property(grammarLike, (text) => {
      for (const rule of parseLabels({ "sixgate.open": text }).rules) {
        const again = parseLabels({ "sixgate.open": written(rule) });
        expect(again.problems).toEqual([]);
        expect(again.rules.map(written)).toEqual([written(rule)]);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("parseLabels reads a rule the same whatever stands beside it in the list", () => {
  fc.assert(
    fc.property(grammarLike, grammarLike, (bad, other) => {
      const rule = "443 from @office";
      const list = `${bad.replaceAll(/[\r\n;]/g, "")};${rule};${other}`;
      const { rules, problems } = parseLabels({ "sixgate.open": list });
      if (
        list.length <= labelLimits.value &&
        !problems.some(({ code, rule: at }) => code === "E901" && at === undefined)
      )
        expect(rules.map(written)).toContain("443/tcp from @office");
    }),
  );
});

test("parseLabels opens nothing more for a character that is broken: the rule is there as it was, or not", () => {
  const rules = [
    "443 from @office for 2h",
    "22 from 2001:db8:9::/48,%web",
    "8000-8099/udp from %vm1/web until 2026-12-31T18:00:00Z",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...rules),
      fc.nat(60),
      fc.constantFrom("\u0000", "\u00a0", "\u202e", "\ufeff", "!", "x", "\u3000"),
      (rule, at, broken) => {
        const text = rule.slice(0, at) + broken + rule.slice(at);
        const [before] = parseLabels({ "sixgate.open": rule }).rules;
        const after = parseLabels({ "sixgate.open": text }).rules;
        expect(before).toBeDefined();
        // `x` may lengthen a name; it is another name then, never none.
        for (const each of after) expect(written(each).replace(/x/g, "")).toBe(written(before as LabelRule));
      },
    ),
  );
});

const anyService: fc.Arbitrary<Service> = fc.oneof(
  fc.constant<Service>({ kind: "ping" }),
  fc
    .tuple(fc.constantFrom("tcp", "udp"), fc.integer({ min: 1, max: 30 }), fc.nat(6))
    .map(([transport, first, more]): Service => ({ kind: "ports", transport, ports: { first, last: first + more } })),
);
const anyPrefix: fc.Arbitrary<Prefix> = fc
  .constantFrom(
    "::/0",
    "2001:db8::/32",
    "2001:db8:aaaa::/48",
    "2001:db8:aaaa:1::/64",
    "2001:db8:1234:321d:32::8/128",
    "2001:db8:bbbb::/48",
    "::/1",
    "8000::/1",
  )
  .map(prefix);
/** Often all of it, or nearly every request would be refused. */
function often<T>(usual: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(usual), weight: 2 }, other);
}
const everything: readonly Service[] = [
  { kind: "ping" },
  { kind: "ports", transport: "tcp", ports: { first: 1, last: 40 } },
  { kind: "ports", transport: "udp", ports: { first: 1, last: 40 } },
];
const anyRule: fc.Arbitrary<AllowRule> = fc.record(
  {
    id: fc.string(),
    hosts: often<AllowRule["hosts"]>("all", fc.subarray(hosts)),
    services: often(everything, fc.array(anyService, { maxLength: 4 })),
    from: often([prefix("::/0")], fc.array(anyPrefix, { minLength: 1, maxLength: 3 })),
    longest: fc.integer({ min: 1, max: 100 }).map(seconds),
    by: often<AllowRule["by"]>(["labels", "people"], fc.subarray(["labels", "people"] as const)),
  },
  { requiredKeys: ["id", "hosts", "services", "from", "by"] },
);
const anyPolicy: fc.Arbitrary<OpeningPolicy> = fc.record({
  allow: fc.array(anyRule, { maxLength: 5 }),
  never: often<readonly Service[]>([], fc.array(anyService, { maxLength: 2 })),
  limits: fc.record({
    perContainer: fc.integer({ min: 1, max: 4 }),
    perHost: fc.integer({ min: 1, max: 8 }),
    lease: fc.integer({ min: 1, max: 100 }).map(seconds),
  }),
  staleAfter: fc.constant(seconds(3_600)),
  trustImages: fc.constant([]),
});
const anyAddress: fc.Arbitrary<Address> = fc.oneof(
  {
    arbitrary: fc.bigInt({ min: 0n, max: 0xfn }).map((low) => fromBits(0x20010db81234321d_0022_0000_0000_0000n + low)),
    weight: 4,
  },
  fc.constantFrom("2001:db8:1234:321d:20::2", "2001:db8:1234:321d:30::1", "::", "2001:db8:ffff::1").map(address),
);
const anyRequest: fc.Arbitrary<Request> = fc
  .record({
    by: fc.constantFrom("labels" as const, "people" as const),
    host: often(hosts[0] as HostName, fc.constantFrom(...hosts, "vm3" as HostName)),
    container: fc.constantFrom("c1", "c2", "c3"),
    to: anyAddress,
    service: anyService,
    from: fc.array(
      fc.oneof(
        { arbitrary: anyPrefix.map((each) => ({ kind: "prefix" as const, prefix: each })), weight: 8 },
        fc.constantFrom("office", "gone").map((name) => ({ kind: "group" as const, name })),
        fc.constantFrom("web", "gone").map((name) => ({ kind: "containers" as const, name })),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    lease: fc.option(
      fc.oneof(
        fc.integer({ min: 1, max: 200 }).map((length) => ({ kind: "for" as const, length: seconds(length) })),
        fc
          .integer({ min: -100, max: 200 })
          .map((after) => ({ kind: "until" as const, at: instant(now + after * 1_000) })),
      ),
      { nil: undefined },
    ),
    since: often(
      now,
      fc.integer({ min: -150, max: 0 }).map((ago) => instant(now + ago * 1_000)),
    ),
    asked: fc.constant({ at: "sixgate.open rule 1", text: "" }),
  })
  .map(({ lease, ...rest }) => ({
    ...rest,
    ...(lease === undefined ? {} : { lease }),
    key: `${rest.host} ${rest.container} ${rest.to} ${formatService(rest.service)}`,
  }));

test("decide never grants more than policy has: host, asker, ports, sources, time, block, never", () => {
  let granted = 0;
  fc.assert(
    fc.property(anyPolicy, anyRequest, (policy, request) => {
      const decision = decide(policy, request, context, now);
      if (decision.kind === "refused") return;
      granted++;
      const rule = policy.allow.find(
        (each) =>
          each.id === decision.grantedBy &&
          each.by.includes(request.by) &&
          (each.hosts === "all" || each.hosts.includes(request.host)) &&
          coverService(each.services, request.service) &&
          PrefixSet.of(decision.from).subtract(PrefixSet.of(each.from)).isEmpty() &&
          (each.longest === undefined ||
            (decision.ends ?? Number.POSITIVE_INFINITY) <= request.since + each.longest * 1_000),
      );
      expect(rule).toBeDefined();
      expect(firstOverlap(policy.never, request.service)).toBeUndefined();
      expect(contains(context.hosts.get(request.host)?.block ?? prefix("::/128"), request.to)).toBe(true);
      expect(request.to).not.toBe("2001:db8:1234:321d:20::2");
      expect(decision.ends === undefined || decision.ends > now).toBe(true);
      if (request.by === "people")
        expect(decision.ends).toBeLessThanOrEqual(request.since + policy.limits.lease * 1_000);
    }),
    { numRuns: 5_000 },
  );
  expect(granted).toBeGreaterThan(500);
});

test("decide grants exactly what was asked, and tells why not", () => {
  fc.assert(
    fc.property(anyPolicy, anyRequest, (policy, request) => {
      const decision = decide(policy, request, context, now);
      expect(decision.request).toBe(request);
      if (decision.kind === "refused") {
        expect(decision.refusal.code).toMatch(/^E91[1-7]$/);
        expect(decision.refusal.why).not.toBe("");
        return;
      }
      const asked = request.from.flatMap((each) =>
        each.kind === "prefix"
          ? [each.prefix]
          : each.kind === "group"
            ? (context.groups.get(each.name) ?? [])
            : context.containers(each.name, undefined).map((to) => prefixOf(to, 128)),
      );
      expect(PrefixSet.of(decision.from).equals(PrefixSet.of(asked))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("never only takes away, and another allow rule at the end only adds", () => {
  fc.assert(
    fc.property(anyPolicy, anyService, anyRule, anyRequest, (policy, service, rule, request) => {
      const before = decide(policy, request, context, now);
      const stricter = decide({ ...policy, never: [...policy.never, service] }, request, context, now);
      if (stricter.kind === "granted") expect(stricter).toEqual(before);
      const wider = decide({ ...policy, allow: [...policy.allow, rule] }, request, context, now);
      if (before.kind === "granted") expect(wider).toEqual(before);
    }),
    { numRuns: 2_000 },
  );
});

test("widening the sources of a request never opens it to somebody that policy keeps out", () => {
  fc.assert(
    fc.property(anyPolicy, anyRequest, anyPrefix, (policy, request, more) => {
      const wider = { ...request, from: [...request.from, { kind: "prefix" as const, prefix: more }] };
      const decision = decide(policy, wider, context, now);
      if (decision.kind === "refused") return;
      const allowed = PrefixSet.of(policy.allow.flatMap((each) => each.from));
      expect(decision.from.every((each) => allowed.contains(each))).toBe(true);
      // What it asked before is a part of it: granted too, unless names in it stand for nobody.
      const before = decide(policy, request, context, now);
      if (before.kind === "refused") expect(["E917", "E913", "E914", "E915"]).toContain(before.refusal.code);
    }),
    { numRuns: 2_000 },
  );
});

test("decideAll keeps the limits, whatever is asked, in whatever order, and what is held keeps its place", () => {
  fc.assert(
    fc.property(
      anyPolicy,
      fc.array(anyRequest, { maxLength: 30 }),
      fc.infiniteStream(fc.boolean()),
      (policy, all, coin) => {
        const requests = [...new Map(all.map((each) => [each.key, each])).values()];
        const held = new Set(requests.filter(() => coin.next().value).map((each) => each.key));
        const decisions = decideAll(policy, requests, context, now, held);
        const open = decisions.filter((each) => each.kind === "granted").map((each) => each.request);
        const count = (some: readonly Request[]): number =>
          new Set(some.map((each) => `${each.to} ${formatService(each.service)}`)).size;
        for (const host of hosts) {
          const here = open.filter((each) => each.host === host);
          expect(count(here)).toBeLessThanOrEqual(policy.limits.perHost);
          for (const container of ["c1", "c2", "c3"])
            expect(count(here.filter((each) => each.container === container))).toBeLessThanOrEqual(
              policy.limits.perContainer,
            );
        }
        const again = decideAll(policy, requests.toReversed(), context, now, held);
        expect(again.toReversed()).toEqual(decisions);
        const next = decideAll(policy, requests, context, now, new Set(open.map((each) => each.key)));
        expect(next.filter((each) => each.kind === "granted").map((each) => each.request)).toEqual(open);
      },
    ),
    { numRuns: 500 },
  );
});

test("openServices opens what the grants open, for as long, and nothing else", () => {
  const from = anyPrefix.map((each) => [each]);
  const grant = fc.tuple(from, fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(grant, { minLength: 1, maxLength: 6 }), anyAddress, (grants, source) => {
      const request = { to: address("2001:db8::1"), service: { kind: "ping" } } as Request;
      const found = openServices(
        grants.map(([prefixes, ends]) => ({
          kind: "granted" as const,
          request,
          from: prefixes,
          grantedBy: "",
          ...(ends === undefined ? {} : { ends: instant(ends) }),
        })),
      ).get(request.to);
      for (let at = 0; at <= 6; at++) {
        const wanted = grants.some(
          ([prefixes, ends]) => (ends ?? 9) > at && prefixes.some((each) => contains(each, source)),
        );
        const given = (found ?? []).some(
          (each) => (each.ends ?? 9) > at && each.from.some((one) => contains(one, source)),
        );
        expect(given).toBe(wanted);
      }
    }),
  );
});

test("requestsOf never throws, and asks for no address that the report does not have", () => {
  const endpoint = fc.record({ network: anyText, networkId: anyText, address: anyAddress });
  const ports = fc.record({
    transport: fc.constantFrom("tcp" as const, "udp" as const),
    ports: fc.constant({ first: 80, last: 80 }),
  });
  const report: fc.Arbitrary<ContainerReport> = fc.record(
    {
      id: fc.constantFrom("c1", "c2"),
      name: anyText,
      project: anyText,
      image: anyText,
      mode: fc.constantFrom("bridge", "container", "host", "none"),
      sharesWith: fc.constantFrom("c1", "c2", "web"),
      state: fc.constantFrom("starting", "running", "paused"),
      labels: anyLabels,
      imageLabels: anyLabels,
      published: fc.array(ports, { maxLength: 2 }),
      exposed: fc.array(ports, { maxLength: 2 }),
      endpoints: fc.array(endpoint, { maxLength: 3 }),
    },
    {
      requiredKeys: [
        "id",
        "name",
        "image",
        "mode",
        "state",
        "labels",
        "imageLabels",
        "published",
        "exposed",
        "endpoints",
      ],
    },
  );
  fc.assert(
    fc.property(report, report, fc.array(anyText, { maxLength: 2 }), (one, other, trustImages) => {
      const directory = new Map([one, other].map((each) => [each.id, each]));
      const { requests, refusals } = requestsOf(one, { host: "vm1" as HostName, directory, trustImages, since: now });
      const known = new Set([...one.endpoints, ...other.endpoints].map((each) => each.address));
      for (const { to, asked } of requests) {
        expect(known.has(to)).toBe(true);
        expect(asked.text + asked.at + (asked.comment ?? "")).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
      }
      for (const { why, fix, text, at } of refusals) expect(why + fix + text + at).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u);
    }),
    { numRuns: 1_000 },
  );
});
