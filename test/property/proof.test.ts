import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { GatewayDesired } from "../../src/desired/desired.ts";
import { plannedRules } from "../../src/drivers/gateway-rules.ts";
import { type Address, fromBits } from "../../src/net/address.ts";
import { baseBits, prefix } from "../../src/net/prefix.ts";
import type { Opening, Service } from "../../src/openings/opening.ts";
import { claimsFor } from "../../src/proof/allowed.ts";
import { decideAs } from "../../src/proof/decide-flow.ts";
import { type ElementChange, Exposure } from "../../src/proof/exposure.ts";
import { examplePacket, hasPacket } from "../../src/proof/packet.ts";
import { noPackets, PacketSpace } from "../../src/proof/packet-set.ts";
import { formatGroup, groupsOf } from "../../src/proof/seen-flows.ts";
import { placesOf } from "../../src/proof/vantages.ts";
import { Verifier } from "../../src/proof/verify.ts";
import { derived, fleetText } from "../conformance/states.ts";

function gatewayOf(text: string): GatewayDesired {
  const found = derived(text).find((each) => each.layer === "gateway");
  if (found === undefined) throw new RangeError("No gateway");
  return found;
}

/** What differs between the rules that a desired state makes and what it allows, from every vantage. */
function differences(desired: GatewayDesired): readonly string[] {
  const { rules, site } = plannedRules(desired);
  return placesOf(desired, new Map()).flatMap((place) => {
    const space = new PacketSpace();
    const exposure = new Exposure(rules, site, place.vantage, space);
    const claims = claimsFor(space, desired, [], place, site);
    return new Verifier(exposure, claims).differences(rules, site).map((each) => {
      const what = groupsOf(each.flows, 2).groups.map(formatGroup).join("; ");
      return `${place.vantage.name} ${each.kind} ${each.example.to} ${what}: ${each.decision.by?.text ?? each.decision.why}`;
    });
  });
}

const examples = readdirSync("examples").filter((name) => name.endsWith(".yaml") && !name.startsWith("compose"));

test.each(examples)("the rules of %s let through what it allows, all of it and nothing else", (name) => {
  const text = readFileSync(`examples/${name}`, "utf8");
  if (!/kind: nftables/.test(text) || /prefix: *\{/.test(text)) return;
  expect(differences(gatewayOf(text))).toEqual([]);
});

const service: fc.Arbitrary<Service> = fc.oneof(
  fc.constant<Service>({ kind: "ping" }),
  fc
    .tuple(fc.constantFrom("tcp", "udp", "sctp"), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 40 }))
    .map(
      ([transport, first, size]): Service => ({
        kind: "ports",
        transport,
        ports: { first, last: first + size },
      }),
    ),
);
const sources = [prefix("::/0"), prefix("2001:db8:aaaa::/48"), prefix("2001:db8:aaaa:1::/64"), prefix("2600::/16")];

test("the rules of any openings let through what they allow, all of it and nothing else", () => {
  const policies = ["{}", "{ between-hosts: open }", "{ egress: closed }", "{ between-hosts: open, egress: closed }"];
  const bases = policies.map((policy) => gatewayOf(fleetText({ policy, hosts: 3 })));
  const opening = fc.record({
    host: fc.nat({ max: 2 }),
    number: fc.integer({ min: 0, max: 5 }),
    service,
    from: fc.uniqueArray(fc.constantFrom(...sources), { minLength: 1, maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.constantFrom(...bases), fc.array(opening, { maxLength: 12 }), (base, wanted) => {
      const openings = wanted.flatMap(({ host, number, service: what, from }): Opening[] => {
        const at = base.hosts[host];
        if (at === undefined) return [];
        const to = fromBits(baseBits(at.block) + (1n << 48n) + BigInt(0x10 + number));
        return [{ host: at.host, to, service: what, from, askedBy: "fleet.yaml" }];
      });
      expect(differences({ ...base, openings })).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test("an exposure that is told of changes is the one that is made anew", () => {
  const base = gatewayOf(fleetText({ hosts: 2, openings: "[{ to: vm1/web, ports: [443], from: any }]" }));
  const addresses = base.hosts.flatMap(({ block }): Address[] =>
    [1n, 2n].map((n) => fromBits(baseBits(block) + (1n << 48n) + n)),
  );
  const change = fc
    .record({
      add: fc.boolean(),
      to: fc.constantFrom(...addresses),
      port: fc.constantFrom(80, 443),
      protocol: fc.constantFrom(6, 17),
    })
    .map(
      ({ add, to, port, protocol }): ElementChange => ({
        kind: add ? "add" : "remove",
        set: "inet sixgate static_open",
        element: [to, protocol, port],
      }),
    );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const space = new PacketSpace();
      const vantage = { name: "internet", device: base.uplink };
      const [told, fresh] = [plannedRules(base), plannedRules(base)];
      const exposure = new Exposure(told.rules, told.site, vantage, space);
      const there = new Set<string>();
      for (const each of changes) {
        // A set has an element once.
        const key = each.element.map(String).join(" ");
        if (there.has(key) === (each.kind === "add")) continue;
        if (each.kind === "add") there.add(key);
        else there.delete(key);
        expect(exposure.update([each])).toEqual([each.element[0]]);
      }
      const set = fresh.rules.sets.get("inet sixgate static_open");
      for (const key of there) {
        const [to = "", protocol, port] = key.split(" ");
        for (const [at, part] of [to, Number(protocol), Number(port)].entries()) set?.columns[at]?.push(part);
      }
      const anew = new Exposure(fresh.rules, fresh.site, vantage, space);
      for (const to of addresses) expect(exposure.at(to)).toEqual(anew.at(to));
    }),
    { numRuns: 25 },
  );
});

test("every example of what is exposed is accepted rule by rule, and by no set that it is not in", () => {
  const desired = gatewayOf(readFileSync("examples/lab.yaml", "utf8"));
  const { rules, site } = plannedRules(desired);
  for (const { vantage } of placesOf(desired, new Map())) {
    const exposure = new Exposure(rules, site, vantage, new PacketSpace());
    for (const { first, outcome } of exposure.all()) {
      const to = fromBits(first);
      const example = examplePacket(outcome.accepted, { in: vantage.device, to });
      if (example === undefined) expect(outcome.accepted).toBe(noPackets);
      else {
        expect(hasPacket(outcome.accepted, example)).toBe(true);
        expect(decideAs(rules, site, example, "accept").verdict).toBe("accept");
      }
    }
  }
});
