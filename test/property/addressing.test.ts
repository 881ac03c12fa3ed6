import fc from "fast-check";
import { expect, test } from "vitest";
import type { AddressPlan } from "../../src/addressing/address-plan.ts";
import { type Allocation, allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger, formatLedger, type Ledger, parseLedger } from "../../src/addressing/ledger.ts";
import type { Fleet } from "../../src/fleet/fleet.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { contains, lengthOf, overlaps, type Prefix, subnet } from "../../src/net/prefix.ts";

type Wanted = Readonly<Record<string, readonly string[]>>;

/** A fleet with these hosts and their networks, in this order. */
function fleetWith(hosts: Wanted, prefix = "2001:db8:1234:321d::/64", plan = "{}"): Fleet {
  const lines = Object.entries(hosts).map(([name, networks], i) => {
    const mac = `02:00:5e:01:${Math.floor(i / 256)
      .toString(16)
      .padStart(2, "0")}:${(i % 256).toString(16).padStart(2, "0")}`;
    return `  ${name}: { public: { device: eth0, mac: "${mac}" }, docker: { engine: "28.5", networks: { ${networks.map((each) => `${each}: {}`).join(", ")} } } }`;
  });
  const text = `sixgate: 1
fleet: test
prefix: ${prefix}
plan: ${plan}
gateway:
  kind: nftables
  uplink: { device: wan, mac: "02:00:5e:00:00:01" }
  hosts: { device: lan, mac: "02:00:5e:00:00:02" }
hosts:${lines.length === 0 ? " {}" : `\n${lines.join("\n")}`}
`;
  const parsed = parseFleet(text, "fleet.yaml");
  if (!parsed.ok) throw new Error(`${text}${JSON.stringify(parsed.errors)}`);
  return parsed.value;
}

function allocated(fleet: Fleet, ledger: Ledger): Allocation {
  const result = allocate(fleet, ledger);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

const hostNames = Array.from({ length: 12 }, (_, i) => `h${i}`);
const networkNames = ["web", "db", "api", "mail", "ci"];
const wanted: fc.Arbitrary<Wanted> = fc
  .uniqueArray(fc.constantFrom(...hostNames))
  .chain((names) =>
    fc
      .tuple(...names.map(() => fc.uniqueArray(fc.constantFrom(...networkNames))))
      .map((networks) => Object.fromEntries(names.map((name, i) => [name, networks[i] ?? []]))),
  );

/** Every prefix with what it is for. */
function prefixesOf(plan: AddressPlan): ReadonlyMap<string, Prefix> {
  const found = new Map<string, Prefix>();
  for (const { host, block, networks } of plan.hosts) {
    found.set(host, block);
    for (const { name, prefix } of networks) found.set(`${host}/${name}`, prefix);
  }
  return found;
}

test("allocate never moves a number, whatever comes and goes, and no two hosts ever get the same", () => {
  fc.assert(
    fc.property(fc.array(wanted, { minLength: 1, maxLength: 8 }), (states) => {
      let ledger = emptyLedger("test");
      const ever = new Map<string, Prefix>();
      const owners = new Map<Prefix, string>();
      for (const state of states) {
        const step = allocated(fleetWith(state), ledger);
        ledger = step.ledger;
        for (const [what, prefix] of prefixesOf(step.plan)) {
          expect(ever.get(what) ?? prefix).toBe(prefix);
          expect(owners.get(prefix) ?? what).toBe(what);
          ever.set(what, prefix);
          owners.set(prefix, what);
        }
      }
    }),
    { numRuns: 60 },
  );
});

const plans = fc.constantFrom(
  ["2001:db8:1234:321d::/64", "{}"],
  ["2001:db8:1234:321d::/64", "{ link: /76, routes: network }"],
  ["2001:db8:1234:321d::/64", "{ host: /71, link: /97, network: /77 }"],
  ["2001:db8:ab00::/56", "{}"],
  ["3fff:0:48::/48", "{}"],
  ["2001:db8::/32", "{ host: /64 }"],
  ["2001:db8:1234:321d:8000::/80", "{ host: /88, link: /96, network: /96 }"],
) as fc.Arbitrary<[string, string]>;

test("allocate keeps everything in the prefix, apart from each other, and where the arithmetic puts it", () => {
  fc.assert(
    fc.property(wanted, plans, (state, [prefix, rules]) => {
      const fleet = fleetWith(state, prefix, rules);
      const { plan } = allocated(fleet, emptyLedger("test"));
      const blocks = [plan.infrastructure, plan.uplink.block, ...plan.hosts.map(({ block }) => block)];
      for (const [i, block] of blocks.entries()) {
        expect(contains(fleet.prefix, block)).toBe(true);
        for (const other of blocks.slice(0, i)) expect(overlaps(block, other)).toBe(false);
      }
      for (const host of plan.hosts) {
        expect(host.block).toBe(subnet(fleet.prefix, plan.hostLength, host.slot));
        expect(host.link).toBe(subnet(host.block, plan.linkLength, 0));
        for (const end of [host.gateway, host.address]) expect(contains(host.link, end)).toBe(true);
        for (const [i, network] of host.networks.entries()) {
          expect(network.prefix).toBe(subnet(host.block, fleet.plan.network, network.index));
          expect(contains(network.prefix, network.gateway)).toBe(true);
          expect(overlaps(network.prefix, host.link)).toBe(plan.linkLength < lengthOf(network.prefix));
          for (const other of host.networks.slice(0, i)) expect(overlaps(network.prefix, other.prefix)).toBe(false);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("allocate gives the same bytes for the same fleet, in whatever order the file lists it", () => {
  fc.assert(
    fc.property(wanted, (state) => {
      const turned = Object.fromEntries(
        Object.entries(state)
          .toReversed()
          .map(([name, networks]) => [name, networks.toReversed()]),
      );
      const once = allocated(fleetWith(state), emptyLedger("test"));
      const again = allocated(fleetWith(turned), emptyLedger("test"));
      expect(again.plan).toEqual(once.plan);
      expect(formatLedger(again.ledger)).toBe(formatLedger(once.ledger));
      const kept = parseLedger(formatLedger(once.ledger));
      if (!kept.ok) throw new Error("The ledger can't be read back");
      expect(allocated(fleetWith(turned), kept.value)).toEqual(once);
    }),
    { numRuns: 60 },
  );
});
