import { expect, test } from "vitest";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import { plainPackets } from "../../proof/arrivals.ts";
import { decideAs, decideFlow } from "../../proof/decide-flow.ts";
import { Exposure } from "../../proof/exposure.ts";
import type { Site } from "../../proof/filter-rules.ts";
import { examplePacket, firstPacket, hasPacket } from "../../proof/packet.ts";
import { noPackets, PacketSpace } from "../../proof/packet-set.ts";
import { parseRules } from "./rules.ts";

const site: Site = {
  routes: [
    { to: prefix("2001:db8:1::/64"), kind: "out", device: "lan" },
    { to: prefix("2001:db8:2::1/128"), kind: "local" },
  ],
};
const internet = { name: "internet", device: "wan" };
const web = address("2001:db8:1::80");

type Rule = readonly [expr: readonly unknown[], chain?: string];

/** A listing of one table with a chain on forward, and chain `side`. */
function listing(rules: readonly Rule[], more: readonly unknown[] = []): string {
  const at = { family: "inet", table: "t" };
  return JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6" } },
      { table: { family: "inet", name: "t", handle: 1 } },
      { chain: { ...at, name: "f", handle: 1, type: "filter", hook: "forward", prio: 0, policy: "drop" } },
      { chain: { ...at, name: "side", handle: 2 } },
      ...more,
      ...rules.map(([expr, chain = "f"], handle) => ({ rule: { ...at, chain, handle: handle + 10, expr } })),
    ],
  });
}

const accept = { accept: null };
const match = (left: unknown, right: unknown, op = "=="): unknown => ({ match: { op, left, right } });
const payload = (protocol: string, field: string): unknown => ({ payload: { protocol, field } });
const tcp = (port: number) =>
  firstPacket({ from: address("2001:db8:9::9"), to: web, transport: "tcp", port }, internet);

test("parseRules tells apart what can't decide about IPv6", () => {
  const rules = parseRules(
    JSON.stringify({
      nftables: [
        { table: { family: "ip", name: "docker", handle: 1 } },
        { table: { family: "arp", name: "a", handle: 1 } },
        { table: { family: "bridge", name: "b", handle: 1 } },
        { table: { family: "ip6", name: "asleep", handle: 1, flags: "d" } },
        {
          chain: {
            family: "ip6",
            table: "asleep",
            name: "f",
            type: "filter",
            hook: "forward",
            prio: 0,
            policy: "drop",
          },
        },
        {
          chain: { family: "ip", table: "docker", name: "f", type: "filter", hook: "forward", prio: 0, policy: "drop" },
        },
      ],
    }),
  );
  expect(rules.hooks).toEqual([]);
  expect(rules.aside).toEqual([
    "table ip docker: not for IPv6",
    "table arp a: not for IPv6",
    "table bridge b: the machine has no bridge",
    "table ip6 asleep: dormant, it filters nothing",
  ]);
  expect(decideFlow(rules, site, tcp(80)).verdict).toBe("accept");
});

test("parseRules reads what decides elsewhere as a doubt", () => {
  const text = listing([[[accept]]]);
  for (const around of [{ legacy: true, bridges: [], devices: new Map<string, readonly string[]>() }]) {
    const rules = parseRules(text, around);
    expect(decideFlow(rules, site, tcp(80))).toMatchObject({
      verdict: "unknown",
      why: expect.stringContaining("legacy"),
    });
    const { accepted, doubtful } = new Exposure(rules, site, internet, new PacketSpace()).at(web);
    expect([accepted, hasPacket(doubtful, tcp(80))]).toEqual([noPackets, true]);
  }
});

test("parseRules makes what it does not understand opaque, and what does not depend on it is still said", () => {
  const rules = parseRules(
    listing([
      [[match(payload("tcp", "dport"), 22), { drop: null }]],
      [[{ xt: { type: "match", name: "owner" } }, accept]],
      [[match(payload("tcp", "dport"), 80), accept]],
    ]),
  );
  const said = [22, 80, 443].map((port) => decideFlow(rules, site, tcp(port)).verdict);
  expect(said).toEqual(["drop", "unknown", "unknown"]);
  const { accepted, doubtful } = new Exposure(rules, site, internet, new PacketSpace()).at(web);
  expect([22, 80, 443].map((port) => hasPacket(doubtful, tcp(port)))).toEqual([false, false, true]);
  // Whatever the second rule matches, it accepts, and the third accepts what it lets by.
  expect(hasPacket(accepted, tcp(80))).toBe(true);
});

test("Exposure and decideAs agree on an example of what is accepted", () => {
  const rules = parseRules(
    listing(
      [
        [
          [
            match({ concat: [payload("ip6", "daddr"), payload("tcp", "dport")] }, "@open"),
            { jump: { target: "side" } },
          ],
        ],
        [[{ limit: { rate: 5, per: "second" } }, accept], "side"],
      ],
      [
        {
          set: {
            family: "inet",
            table: "t",
            name: "open",
            type: ["ipv6_addr", "inet_service"],
            handle: 5,
            elem: [{ concat: [web, 443] }, { elem: { val: { concat: [web, 80] }, timeout: 60, expires: 5 } }],
          },
        },
      ],
    ),
  );
  const space = new PacketSpace();
  const { accepted } = new Exposure(rules, site, internet, space).at(web);
  const example = examplePacket(space.and(accepted, plainPackets(space)), { in: "wan", to: web });
  if (example === undefined) throw new Error("nothing is accepted");
  expect(Number(example.values.toPort)).toBe(80);
  const decision = decideAs(rules, site, example, "accept");
  expect(decision).toMatchObject({ verdict: "accept", by: { chain: "side", text: "limit rate 5 per second accept" } });
  expect(decision.trail.map((place) => place.chain)).toEqual(["f", "side"]);
  expect(decision.chances).toHaveLength(1);
});

test("parseRules rejects what is no listing", () => {
  expect(() => parseRules("{}")).toThrow("no list of objects");
  expect(() => parseRules("")).toThrow(SyntaxError);
});
