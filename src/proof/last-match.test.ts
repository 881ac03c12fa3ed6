import fc from "fast-check";
import { expect, test } from "vitest";
import { address } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import { decideFlow } from "./decide-flow.ts";
import { Exposure } from "./exposure.ts";
import type { FilterRules, Place, Site } from "./filter-rules.ts";
import { firstMatchOrder, type LastMatchRule } from "./last-match.ts";
import { firstPacket, hasPacket } from "./packet.ts";
import { PacketSpace } from "./packet-set.ts";

const place: Place = { table: "pf", chain: "rules", text: "", ours: false };
const site: Site = { routes: [{ to: prefix("2001:db8:1::/48"), kind: "out", device: "lan" }] };
const vantage = { name: "internet", device: "wan" };

/** pf's own way, rule by rule. */
function lastMatch(rules: readonly LastMatchRule[], port: number): string {
  let said = "accept";
  for (const { quick, matches, verdict } of rules) {
    const fits = matches.every(
      (each) => each.kind === "field" && (each.values[0] ?? 0) <= port && port < (each.values[1] ?? 65_536),
    );
    if (!fits) continue;
    said = verdict.kind;
    if (quick) break;
  }
  return said;
}

const rule: fc.Arbitrary<LastMatchRule> = fc
  .record({
    quick: fc.boolean(),
    first: fc.integer({ min: 1, max: 9 }),
    size: fc.integer({ min: 1, max: 5 }),
    pass: fc.boolean(),
  })
  .map(({ quick, first, size, pass }) => ({
    quick,
    matches: [{ kind: "field", field: "toPort", values: [first, first + size] }],
    verdict: { kind: pass ? "accept" : "drop" },
    place,
  }));

test("firstMatchOrder decides as pf does, where the last match decides unless one is quick", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), fc.integer({ min: 1, max: 14 }), (rules, port) => {
      const made: FilterRules = {
        hooks: [{ stage: "prerouting", priority: 0, asks: "packets", chain: "in", policy: "accept", place }],
        chains: new Map([["in", { name: "in", rules: firstMatchOrder(rules) }]]),
        sets: new Map(),
        aside: [],
      };
      const packet = firstPacket(
        { from: address("2001:db8::1"), to: address("2001:db8:1::80"), transport: "tcp", port },
        vantage,
      );
      const wanted = lastMatch(rules, port);
      expect(decideFlow(made, site, packet).verdict).toBe(wanted);
      const { accepted } = new Exposure(made, site, vantage, new PacketSpace()).at(packet.to);
      expect(hasPacket(accepted, packet)).toBe(wanted === "accept");
    }),
    { numRuns: 500 },
  );
});
