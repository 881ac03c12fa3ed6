import fc from "fast-check";
import { expect, test } from "vitest";
import { type AddressRow, addressTable } from "../../src/addressing/address-table.ts";
import { type Allocation, allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger, formatLedger, type Ledger } from "../../src/addressing/ledger.ts";
import { offsetsOf } from "../../src/addressing/offsets.ts";
import type { Fleet } from "../../src/fleet/fleet.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";
import { fromBits, parseAddress, toBits } from "../../src/net/address.ts";
import { baseBits, contains, type Prefix, prefix } from "../../src/net/prefix.ts";

const networkNames = ["web", "db", "api", "mail", "ci"];
const hostsWanted = fc.dictionary(
  fc.constantFrom("nas", "vm1", "vm2", "pi", "z9"),
  fc.uniqueArray(fc.constantFrom(...networkNames)),
  { noNullPrototype: true },
);
/** A length, and two prefixes of that length in 2001:db8::/32. */
const delegations = fc.integer({ min: 40, max: 61 }).chain((length) => {
  const any = fc.bigInt({ min: 0n, max: (1n << BigInt(length - 32)) - 1n }).map((n) => {
    const bits = (0x2001_0db8n << 96n) + (n << BigInt(128 - length));
    return prefix(`${fromBits(bits)}/${length}`);
  });
  return fc.tuple(fc.constant(length), any, any);
});

function fleetOf(length: number, hosts: Readonly<Record<string, readonly string[]>>, inForce?: Prefix): Fleet {
  const lines = Object.entries(hosts).map(([name, networks], i) => {
    const containers = networks.map((each) => `${each}1: { network: ${each}, address: "::80" }`).join(", ");
    return `  ${name}: { public: { device: eth0, mac: "02:00:5e:01:00:0${i}" }, docker: { engine: "28.5", networks: { ${networks.map((each) => `${each}: {}`).join(", ")} }, containers: { ${containers} } } }`;
  });
  const text = `sixgate: 1
fleet: test
prefix: { delegated: /${length} }
hypervisors: { pve: { kind: ifupdown, bridges: { br0: { network: lan }, br1: { network: wan } } } }
gateway:
  kind: nftables
  on: pve
  uplink: { device: wan }
  hosts: { device: lan }
hosts:${lines.length === 0 ? " {}" : `\n${lines.join("\n")}`}
`;
  const parsed = parseFleet(text, "fleet.yaml", inForce === undefined ? undefined : { text: inForce, at: "--prefix" });
  if (!parsed.ok) throw new Error(`${text}${JSON.stringify(parsed.errors)}`);
  return parsed.value;
}

function allocated(fleet: Fleet, ledger: Ledger): Allocation {
  const result = allocate(fleet, ledger);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

/** The rows with the prefix taken away from each address; an address outside of it is an error. */
function relative(rows: readonly AddressRow[], delegated: Prefix): readonly string[] {
  return rows.slice(1).map(({ host, what, text }) => {
    const [address = "", length = ""] = text.split("/");
    const parsed = parseAddress(address);
    if (parsed === undefined || !contains(delegated, parsed)) throw new Error(`${text} is not in ${delegated}`);
    return `${host} ${what} +${fromBits(toBits(parsed) - baseBits(delegated))}${length === "" ? "" : `/${length}`}`;
  });
}

test("allocate renumbers everything when a delegated prefix changes, and moves nothing inside", () => {
  fc.assert(
    fc.property(delegations, hostsWanted, ([length, one, other], hosts) => {
      const unknown = fleetOf(length, hosts);
      const first = fleetOf(length, hosts, one);
      const second = fleetOf(length, hosts, other);
      const before = allocated(first, emptyLedger("test"));
      const after = allocated(second, before.ledger);
      expect(formatLedger(after.ledger)).toBe(formatLedger(before.ledger));
      expect(formatLedger(allocated(unknown, emptyLedger("test")).ledger)).toBe(formatLedger(before.ledger));
      const offsets = relative(addressTable(before.plan, first), one);
      expect(relative(addressTable(after.plan, second), other)).toEqual(offsets);
      const shown = addressTable(allocated(unknown, before.ledger).plan, unknown);
      expect(shown.slice(1).map(({ host, what, text }) => `${host} ${what} ${text}`)).toEqual(offsets);
    }),
    { numRuns: 80 },
  );
});

test("parseFleet derives the same MAC addresses whatever the prefix in force is", () => {
  fc.assert(
    fc.property(delegations, ([length, one, other]) => {
      const macs = [fleetOf(length, {}), fleetOf(length, {}, one), fleetOf(length, {}, other)].map(({ gateway }) => [
        gateway.uplink.mac,
        gateway.hosts.mac,
      ]);
      expect(macs[1]).toEqual(macs[0]);
      expect(macs[2]).toEqual(macs[0]);
    }),
    { numRuns: 20 },
  );
});

test("offsetsOf leaves no text that could be taken for an address or a prefix", () => {
  const plan = offsetsOf(allocated(fleetOf(56, { nas: ["web"] }), emptyLedger("test")).plan);
  const texts: string[] = [];
  JSON.stringify(plan, (_, value: unknown) => {
    if (typeof value === "string") texts.push(value);
    return value;
  });
  expect(texts.filter((text) => /[:/]/.test(text) && !/^(\+|\/56$)/.test(text))).toEqual([]);
  expect(plan.hosts[0]?.networks[1]).toMatchObject({ name: "web", prefix: "+::2:2:0:0:0/80" });
});
