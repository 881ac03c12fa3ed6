import { expect, test } from "vitest";
import type { HostName, NetworkName } from "../base/name.ts";
import type { Fleet, Host } from "../fleet/fleet.ts";
import { address, toBits } from "../net/address.ts";
import { mac } from "../net/mac.ts";
import { lengthOf, prefix, subnet } from "../net/prefix.ts";
import { closedPolicy } from "../openings/policy.ts";
import { addressTable } from "./address-table.ts";
import { allocate } from "./allocate.ts";
import { addNumber } from "./block.ts";
import { emptyLedger, type Ledger } from "./ledger.ts";
import { giveNumbers } from "./numbering.ts";
import { reservedAddress } from "./reserved-address.ts";

function hostWith(name: string, networks: number, slot?: number): Host {
  const names = Array.from({ length: networks }, (_, i) => `n${i}` as NetworkName);
  return {
    name: name as HostName,
    reach: { kind: "none" },
    network: "networkd",
    public: { network: "lan" as NetworkName, device: "eth0", mac: mac("02:00:5e:00:00:01"), macGiven: true },
    docker: {
      engine: { major: 28, minor: 5 },
      profile: "routed",
      networks: new Map(names.map((each) => [each, { internal: false }])),
      containers: new Map(),
    },
    ...(slot === undefined ? {} : { slot }),
  };
}

function fleetOf(hosts: readonly Host[]): Fleet {
  const nic = { network: "wan" as NetworkName, device: "wan", mac: mac("02:00:5e:00:00:02"), macGiven: true };
  return {
    name: "test",
    prefix: prefix("2001:db8:1234:321d::/64"),
    provider: { name: "none", delivery: "routed", nextHop: address("fe80::1") },
    plan: { host: 76, link: 80, network: 80, routes: "block", layout: "per-host" },
    networks: new Map(),
    hypervisors: new Map(),
    gateway: {
      name: "fw" as never,
      kind: "nftables",
      reach: { kind: "none" },
      network: "networkd",
      uplink: nic,
      hosts: nic,
      admins: [],
    },
    hosts: new Map(hosts.map((host) => [host.name, host])),
    groups: new Map(),
    policy: { betweenHosts: "closed", egress: "open", openings: closedPolicy },
    openings: [],
    tests: [],
  };
}

function planned(hosts: readonly Host[], ledger: Ledger = emptyLedger("test")) {
  const result = allocate(fleetOf(hosts), ledger);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
}

const everyone = Array.from({ length: 4094 }, (_, i) => hostWith(`host-${i}`, 14));

test("allocate fills a /64 with 4,094 hosts of 14 networks, and refuses one more", () => {
  const { plan } = planned(everyone);
  expect(new Set(plan.hosts.flatMap(({ networks }) => networks.map((each) => each.prefix))).size).toBe(4094 * 15);
  expect(plan.hosts.map(({ slot }) => slot)).toEqual(Array.from({ length: 4094 }, (_, i) => i + 2));
  const last = plan.hosts.at(-1);
  expect([last?.block, last?.networks.at(-1)?.prefix]).toEqual([
    "2001:db8:1234:321d:fff0::/76",
    "2001:db8:1234:321d:ffff::/80",
  ]);
  const more = allocate(fleetOf([...everyone, hostWith("one-more", 0)]), emptyLedger("test"));
  expect(more.ok ? [] : more.errors.map(({ code, at }) => [code, at])).toEqual([["E302", "hosts.one-more"]]);
});

test("allocate plans the same again from its own ledger as from one that was read", () => {
  const once = planned(everyone.slice(0, 50));
  const again = planned(everyone.slice(0, 51), once.ledger);
  const read = JSON.parse(JSON.stringify(once.ledger)) as Ledger;
  expect(planned(everyone.slice(0, 51), read)).toEqual(again);
  expect(again.plan.hosts.slice(0, 50)).toEqual(once.plan.hosts);
});

test("allocate does not take one prefix's addresses for another's, though the ledger is the same", () => {
  const { ledger } = planned([hostWith("a", 2)]);
  const moved = allocate({ ...fleetOf([hostWith("a", 2)]), prefix: prefix("2001:db8:ffff::/64") }, ledger);
  expect(moved.ok && moved.value.plan.hosts[0]?.block).toBe("2001:db8:ffff:0:20::/76");
  expect(moved.ok && moved.value.ledger).toEqual(ledger);
});

test("allocate treats names of Object's own members as names", () => {
  const { plan } = planned([hostWith("constructor", 0), hostWith("valueof", 0)]);
  expect(plan.hosts.map(({ host, slot }) => [host, slot])).toEqual([
    ["constructor", 2],
    ["valueof", 3],
  ]);
});

test("giveNumbers gives pins first, then the lowest free ones by name", () => {
  const wishes = [{ name: "c" }, { name: "a" }, { name: "b", pinned: 3 }, { name: "old" }];
  const numbers = giveNumbers(
    wishes,
    new Map([
      ["old", 7],
      ["gone", 2],
    ]),
    7,
  );
  expect(Object.fromEntries(numbers.given)).toEqual({ b: 3, old: 7, a: 4, c: 5 });
  expect([numbers.clashes, numbers.unplaced]).toEqual([[], []]);
});

test("giveNumbers refuses what can't be had and gives nothing for it", () => {
  const ledger = new Map([
    ["kept", 2],
    ["gone", 3],
    ["high", 9],
  ]);
  const wishes = [
    { name: "kept", pinned: 4 },
    { name: "new", pinned: 3 },
    { name: "high" },
    { name: "x" },
    { name: "y" },
  ];
  const numbers = giveNumbers(wishes, ledger, 4);
  expect(numbers.clashes).toEqual([
    { kind: "moved", name: "kept", pinned: 4, kept: 2 },
    { kind: "taken", name: "new", pinned: 3, holder: "gone" },
    { kind: "beyond", name: "high", number: 9, last: 4 },
  ]);
  expect([...numbers.given]).toEqual([["x", 4]]);
  expect(numbers.unplaced).toEqual(["y"]);
});

test("addNumber puts a number where subnet does", () => {
  const base = prefix("2001:db8::/32");
  for (const [length, n] of [
    [64, 0],
    [64, 1],
    [64, 0xffffffff],
    [76, 0xfff_ffff_ffff],
    [96, 2 ** 53 - 1],
    [47, 0x7fff],
    [128, 2 ** 53 - 1],
  ] as const) {
    const words = new Uint32Array([0x20010db8, 0, 0, 0]);
    addNumber(words, 0, length, n);
    const bits = words.reduce((all, word) => (all << 32n) | BigInt(word), 0n);
    const wanted = subnet(base, length, n) ?? "";
    expect(bits).toBe(toBits(address(wanted.slice(0, wanted.lastIndexOf("/")))));
    expect(lengthOf(prefix(wanted))).toBe(length);
  }
});

test("reservedAddress adds the suffix to the network of that name", () => {
  const [host] = planned([hostWith("a", 2)]).plan.hosts;
  if (host === undefined) throw new Error("No host");
  expect(reservedAddress(host, { network: "n1" as NetworkName, suffix: 0x5432n })).toBe("2001:db8:1234:321d:23::5432");
  expect(reservedAddress(host, { network: "n9" as NetworkName, suffix: 2n })).toBeUndefined();
});

test("addressTable without the fleet names roles in place of interfaces", () => {
  const { plan } = planned([hostWith("a", 1)]);
  expect(addressTable(plan).slice(4)).toEqual([
    { host: "a", what: "block", text: "2001:db8:1234:321d:20::/76", where: "slot 2" },
    { host: "a", what: "gateway", text: "2001:db8:1234:321d:20::1/80", where: "gateway" },
    { host: "a", what: "address", text: "2001:db8:1234:321d:20::2/80", where: "a" },
    { host: "a", what: "docker0", text: "2001:db8:1234:321d:21::/80", where: "via 20::2" },
    { host: "a", what: "n0", text: "2001:db8:1234:321d:22::/80", where: "via 20::2" },
  ]);
});
