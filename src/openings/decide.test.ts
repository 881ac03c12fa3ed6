import { describe, expect, test } from "vitest";
import type { HostName } from "../base/name.ts";
import { instant, seconds } from "../base/time.ts";
import { type Address, address } from "../net/address.ts";
import { type Prefix, prefix } from "../net/prefix.ts";
import { type Decision, type DecisionContext, decide } from "./decide.ts";
import type { Service } from "./opening.ts";
import { type AllowRule, closedPolicy, type OpeningPolicy } from "./policy.ts";
import { readPorts } from "./ports.ts";
import type { Request } from "./request.ts";
import { parseRule } from "./rule.ts";

const vm1 = "vm1" as HostName;
const web = address("2001:db8:1234:321d:22::80");
const now = instant(1_000_000);
const hour = seconds(3_600);

const context: DecisionContext = {
  hosts: new Map([
    [
      vm1,
      {
        block: prefix("2001:db8:1234:321d:20::/76"),
        own: [address("2001:db8:1234:321d:20::1"), address("2001:db8:1234:321d:20::2")],
      },
    ],
    ["vm2" as HostName, { block: prefix("2001:db8:1234:321d:30::/76"), own: [] }],
  ]),
  groups: new Map([
    ["office", [prefix("2001:db8:aaaa::/48")]],
    ["nobody", []],
  ]),
  containers: (name, host) =>
    name === "api" && (host === undefined || host === "vm2") ? [address("2001:db8:1234:321d:32::8")] : [],
};

function service(word: string): Service {
  const read = readPorts(word);
  if (!("value" in read) || read.value.kind !== "services") throw new Error(word);
  return read.value.services[0] as Service;
}

function rule(over: Partial<AllowRule>, ...services: readonly string[]): AllowRule {
  return {
    id: "allow[0]",
    hosts: "all",
    services: services.map(service),
    from: [prefix("::/0")],
    by: ["labels", "people"],
    ...over,
  };
}

function policy(...allow: readonly AllowRule[]): OpeningPolicy {
  return { ...closedPolicy, allow };
}

function request(text: string, over: Partial<Request> = {}): Request {
  const read = parseRule(text);
  if (!read.ok) throw new Error(text);
  return {
    key: text,
    by: "labels",
    host: vm1,
    container: "c1",
    to: web,
    service: read.rule.services[0] as Service,
    from: read.rule.from,
    ...(read.rule.lease === undefined ? {} : { lease: read.rule.lease }),
    since: now,
    asked: { at: "sixgate.open rule 1", text },
    ...over,
  };
}

function said(decision: Decision): string {
  if (decision.kind === "refused") return decision.refusal.code;
  const ends = decision.ends === undefined ? "" : ` for ${(decision.ends - now) / 1_000}`;
  return `${decision.grantedBy} ${decision.from.join(",")}${ends}`;
}

describe("decide", () => {
  test("grants by the first rule that covers", () => {
    const allow = policy(
      rule({ id: "office", from: [prefix("2001:db8:aaaa::/48")] }, "1-65535"),
      rule({ id: "web" }, "80", "443"),
      rule({ id: "again" }, "443"),
    );
    expect(said(decide(allow, request("443"), context, now))).toBe("web ::/0");
    expect(said(decide(allow, request("443 from @office"), context, now))).toBe("office 2001:db8:aaaa::/48");
    expect(said(decide(allow, request("22 from 2001:db8:aaaa:1::/64"), context, now))).toBe(
      "office 2001:db8:aaaa:1::/64",
    );
  });

  test("refuses all without a rule", () => {
    const decision = decide(closedPolicy, request("443"), context, now);
    expect(decision).toMatchObject({
      kind: "refused",
      refusal: {
        code: "E912",
        at: "sixgate.open rule 1",
        text: "443",
        to: web,
        why: "No rule of the policy lets labels open anything on vm1",
      },
    });
  });

  test.each([
    ["another port", "22", rule({}, "80", "443")],
    ["another transport", "443/udp", rule({}, "443")],
    ["ping", "ping", rule({}, "1-65535", "1-65535/udp", "1-65535/sctp")],
    ["a port by a rule for ping", "7", rule({}, "ping")],
    ["a range beyond the rule's", "80-90", rule({}, "80-89")],
    ["a range with a hole", "80-90", rule({}, "80-84", "86-90")],
    ["another host", "443", rule({ hosts: ["vm2" as HostName] }, "443")],
    ["no host", "443", rule({ hosts: [] }, "443")],
    ["people only", "443", rule({ by: ["people"] }, "443")],
    ["nobody", "443", rule({ by: [] }, "443")],
  ])("refuses what no rule covers: %s", (_, text, allow) => {
    expect(said(decide(policy(allow), request(text), context, now))).toBe("E912");
  });

  test("takes the ports of one rule together", () => {
    expect(said(decide(policy(rule({}, "86-90", "80-85")), request("80-90"), context, now))).toBe("allow[0] ::/0");
    const split = policy(rule({}, "80-85"), rule({ id: "b" }, "86-90"));
    expect(said(decide(split, request("80-90"), context, now))).toBe("E912");
  });

  test("never wins, wherever it overlaps", () => {
    const with22 = { ...policy(rule({}, "1-65535", "ping")), never: [service("22"), service("ping")] };
    expect(said(decide(with22, request("22"), context, now))).toBe("E911");
    expect(said(decide(with22, request("20-30"), context, now))).toBe("E911");
    expect(said(decide(with22, request("ping"), context, now))).toBe("E911");
    expect(said(decide(with22, request("22", { by: "people" }), context, now))).toBe("E911");
    expect(said(decide(with22, request("23"), context, now))).toBe("allow[0] ::/0");
  });

  test("refuses wider sources than a rule's, and does not narrow them", () => {
    const office = policy(rule({ id: "office", from: [prefix("2001:db8:aaaa::/48")] }, "22"));
    const decision = decide(office, request("22"), context, now);
    expect(decision).toMatchObject({
      refusal: {
        code: "E913",
        why: "Policy does not open this to any",
        fix: "narrow `from`: office is for 2001:db8:aaaa::/48",
      },
    });
    expect(said(decide(office, request("22 from @office,2001:db8:bbbb::1"), context, now))).toBe("E913");
  });

  test("takes the sources of one rule, not of several, and joins halves", () => {
    const halves: readonly Prefix[] = [prefix("::/1"), prefix("8000::/1")];
    expect(said(decide(policy(rule({ from: halves }, "22")), request("22"), context, now))).toBe("allow[0] ::/0");
    const split = policy(...halves.map((each) => rule({ from: [each] }, "22")));
    expect(said(decide(split, request("22"), context, now))).toBe("E913");
  });

  test("looks up groups and containers", () => {
    const all = policy(rule({}, "1-65535"));
    expect(said(decide(all, request("22 from %api"), context, now))).toBe("allow[0] 2001:db8:1234:321d:32::8/128");
    expect(said(decide(all, request("22 from %vm2/api,@office"), context, now))).toBe(
      "allow[0] 2001:db8:1234:321d:32::8/128,2001:db8:aaaa::/48",
    );
    expect(said(decide(all, request("22 from %vm1/api,@office"), context, now))).toBe("allow[0] 2001:db8:aaaa::/48");
    for (const from of ["%vm1/api", "%gone", "@nobody", "@ofice", "@office,@ofice"])
      expect(said(decide(all, request(`22 from ${from}`), context, now))).toBe("E917");
  });

  test("refuses a project of too many containers", () => {
    const many: DecisionContext = {
      ...context,
      containers: () =>
        Array.from({ length: 257 }, (_, i): Address => address(`2001:db8:1234:321d:32::${(2 * i + 1).toString(16)}`)),
    };
    expect(said(decide(policy(rule({}, "22")), request("22 from %shop"), many, now))).toBe("E917");
  });

  test("refuses an address outside the host's block, and those of host and gateway", () => {
    const all = policy(rule({}, "1-65535"));
    for (const to of [
      "2001:db8:1234:321d:30::80",
      "2001:db8:1234:321d:2f:ffff:ffff:ffff",
      "::1",
      "2001:db8:1234:321d:20::1",
      "2001:db8:1234:321d:20::2",
    ]) {
      const expected = to.includes(":2f:") ? "allow[0] ::/0" : "E916";
      expect(said(decide(all, request("443", { to: address(to) }), context, now))).toBe(expected);
    }
    expect(said(decide(all, request("443", { host: "vm9" as HostName }), context, now))).toBe("E916");
  });

  test("counts `for` from the first sighting", () => {
    const all = policy(rule({}, "22"));
    const since = instant(now - 3_000_000);
    expect(said(decide(all, request("22 for 1h"), context, now))).toBe("allow[0] ::/0 for 3600");
    expect(said(decide(all, request("22 for 1h", { since }), context, now))).toBe("allow[0] ::/0 for 600");
    expect(said(decide(all, request("22 for 50m", { since }), context, now))).toBe("E915");
    expect(said(decide(all, request("22 until 1970-01-01T00:16:41Z"), context, now))).toBe("allow[0] ::/0 for 1");
    expect(said(decide(all, request("22 until 1970-01-01T00:16:40Z"), context, now))).toBe("E915");
  });

  test("keeps to the longest lease of the rule", () => {
    const short = policy(rule({ longest: hour }, "22"));
    expect(said(decide(short, request("22"), context, now))).toBe("allow[0] ::/0 for 3600");
    expect(said(decide(short, request("22 for 60m"), context, now))).toBe("allow[0] ::/0 for 3600");
    expect(said(decide(short, request("22 for 30m"), context, now))).toBe("allow[0] ::/0 for 1800");
    expect(said(decide(short, request("22 for 3601s"), context, now))).toBe("E914");
    expect(said(decide(short, request("22 until 2026-12-31T00:00:00Z"), context, now))).toBe("E914");
    const longer = policy(...short.allow, rule({ id: "long" }, "22"));
    expect(said(decide(longer, request("22 for 2h"), context, now))).toBe("long ::/0 for 7200");
  });

  test("gives what a person opens an end, always", () => {
    const limits = { ...closedPolicy.limits, lease: hour };
    const ask = (text: string, longest?: number): string => {
      const allow = [rule(longest === undefined ? {} : { longest: seconds(longest) }, "22")];
      return said(decide({ ...closedPolicy, limits, allow }, request(text, { by: "people" }), context, now));
    };
    expect(ask("22")).toBe("allow[0] ::/0 for 3600");
    expect(ask("22 for 2h")).toBe("E914");
    expect(ask("22 for 20m")).toBe("allow[0] ::/0 for 1200");
    expect(ask("22", 60)).toBe("allow[0] ::/0 for 60");
    expect(ask("22", 7_200)).toBe("allow[0] ::/0 for 3600");
  });
});
