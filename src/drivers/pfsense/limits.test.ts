import { expect, test } from "vitest";
import { gatewayState, hostAt } from "../../../test/gateway-state.ts";
import type { HostName } from "../../base/name.ts";
import type { GatewayDesired, GatewayNetwork } from "../../desired/desired.ts";
import type { LinkDesired } from "../../desired/network.ts";
import { address, fromBits, toBits } from "../../net/address.ts";
import { interfaceAddress } from "../../net/interface-address.ts";
import { prefix4 } from "../../net/ipv4.ts";
import { prefix } from "../../net/prefix.ts";
import type { Transport } from "../../net/transport.ts";
import type { Opening } from "../../openings/opening.ts";
import { audit } from "./limits.ts";

const vm1 = hostAt("vm1", 2);
const good = gatewayState({
  driver: "pfsense",
  uplink: "vtnet0",
  inside: "vtnet1",
  management: { device: "vtnet2", admins: [] },
  network: { links: [], routes: [], shell: true },
});

function opening(
  to: string,
  more: { host?: string; from?: readonly string[]; port?: number; transport?: Transport } = {},
): Opening {
  const { host = "vm1", from = ["::/0"], port = 80, transport = "tcp" } = more;
  return {
    host: host as HostName,
    to: address(to),
    service: { kind: "ports", transport, ports: { first: port, last: port } },
    from: from.map((each) => prefix(each)),
    askedBy: "x",
  };
}

const link: LinkDesired = { name: "vtnet0", addresses: [], addresses4: [], proxies: [], purpose: "" };
const ports = (count: number): readonly Opening[] =>
  Array.from({ length: count }, (_, i) => opening("2001:db8:1:2:21::2", { port: 1000 + i }));

/** The interface of the hosts with that many addresses: what a layout with one a host gives it. */
function among(count: number): GatewayNetwork {
  const first = toBits(address("2001:db8:1:2:20::1"));
  const addresses = Array.from({ length: count }, (_, i) => interfaceAddress(fromBits(first + (BigInt(i) << 52n)), 80));
  return { links: [{ ...link, name: "vtnet1", addresses }], routes: [], shell: true };
}

test("audit finds nothing in what pfSense can do", () => {
  expect(audit({ ...good, openings: [opening("2001:db8:1:2:21::2")], network: among(100) })).toEqual([]);
});

test.each<[string, Partial<GatewayDesired>, string[]]>([
  ["an interface in two roles", { inside: "vtnet0" }, ["E450"]],
  ["an interface with a name of Linux", { uplink: "wan" }, ["W450"]],
  ["a VLAN's", { uplink: "igb0.100" }, []],
  [
    "admins, which are the device's matter",
    { management: { device: "vtnet2", admins: [prefix4("10.0.0.0/8")] } },
    ["W451"],
  ],
  ["a block outside the prefix", { hosts: [{ ...vm1, block: prefix("2001:db8:9:2:20::/76") }] }, ["E421"]],
  ["a block of two", { hosts: [vm1, { ...vm1, host: "vm2" as HostName }] }, ["E421"]],
  ["an opening in another's block", { openings: [opening("2001:db8:1:2:31::2")] }, ["E422"]],
  ["an opening from nowhere", { openings: [opening("2001:db8:1:2:21::2", { from: [] })] }, ["E422"]],
  [
    "more openings than a table takes",
    { openings: Array.from({ length: 50_001 }, () => opening("2001:db8:1:2:21::2")) },
    ["E423"],
  ],
  [
    "on-link delivery",
    { network: { links: [{ ...link, proxies: [vm1.address] }], routes: [], shell: true } },
    ["E451"],
  ],
  ["SCTP", { openings: [opening("2001:db8:1:2:21::2", { transport: "sctp" })] }, ["E454"]],
  ["500 services", { openings: ports(500) }, []],
  ["501 services", { openings: ports(501) }, ["E453"]],
  ["no shell", { network: { links: [], routes: [], shell: false } }, ["W452"]],
  [
    "101 services without a shell",
    { openings: ports(101), network: { links: [], routes: [], shell: false } },
    ["E453", "W452"],
  ],
])("audit of %s", (_name, more, codes) => {
  expect(audit({ ...good, ...more }).map(({ code }) => code)).toEqual(codes);
});

test.each([
  [101, "with 150 pfSense takes 1.4 s"],
  [160, "with 150 pfSense takes 1.4 s"],
  [1000, "with 997 pfSense takes 97 s"],
])("audit refuses %i addresses with the figure, and says which layout has one", (count, figure) => {
  const [only, ...others] = audit({ ...good, network: among(count) });
  expect(others).toEqual([]);
  expect(only).toMatchObject({
    code: "E452",
    text: expect.stringContaining(figure),
    fix: expect.stringContaining("layout: compact"),
  });
});
