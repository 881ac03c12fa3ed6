import { expect, test } from "vitest";
import { gatewayState, hostAt, tcp } from "../../../test/gateway-state.ts";
import type { HostName } from "../../base/name.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { prefix4 } from "../../net/ipv4.ts";
import { prefix } from "../../net/prefix.ts";
import type { Opening } from "../../openings/opening.ts";
import { type AllowRule, closedPolicy } from "../../openings/policy.ts";
import { normalize } from "./convert.ts";
import { audit } from "./limits.ts";

const vm1 = hostAt("vm1", 2);
const good = gatewayState({ management: { device: "mgmt", admins: [prefix4("10.10.10.0/24")] } });

function opening(to: string, host = "vm1", from: readonly string[] = ["::/0"], port = 80): Opening {
  return {
    host: host as HostName,
    to: address(to),
    service: tcp(port),
    from: from.map(prefix),
    askedBy: "x",
  };
}

const codes = (desired: GatewayDesired): readonly string[] => audit(desired).map((each) => each.code);

test("audit finds nothing in what nftables can do", () => {
  expect(codes({ ...good, openings: [opening("2001:db8:1:2:21::2")] })).toEqual([]);
});

test.each(["", "wan*", "a b", 'x"; flush ruleset; "', "sixteen-letters-", "-x", "a/b", "ä"])(
  "audit refuses %j as an interface, and so does normalize",
  (uplink) => {
    expect(codes({ ...good, uplink })).toEqual(["E420"]);
    expect(() => normalize({ ...good, uplink })).toThrow(RangeError);
  },
);

test("audit refuses one interface in two roles", () => {
  expect(codes({ ...good, inside: "wan" })).toEqual(["E420"]);
});

test("audit refuses blocks that one look-up can't tell apart", () => {
  expect(codes({ ...good, hostLength: 80 })).toEqual(["E421"]);
  expect(codes({ ...good, delegated: prefix("2001:db8:9::/64") })).toEqual(["E421"]);
  expect(codes({ ...good, hosts: [vm1, { ...vm1, host: "vm2" as HostName }] })).toEqual(["E421"]);
  expect(codes({ ...good, hosts: [vm1, { ...vm1, block: prefix("2001:db8:1:2:30::/76") }] })).toEqual(["E421"]);
});

test("audit refuses openings that no element of the host can say", () => {
  expect(codes({ ...good, openings: [opening("2001:db8:1:2:31::2")] })).toEqual(["E422"]);
  expect(codes({ ...good, openings: [opening("2001:db8:1:2:21::2", "vm9")] })).toEqual(["E422"]);
  expect(codes({ ...good, openings: [opening("2001:db8:1:2:21::2", "vm1", [])] })).toEqual(["E422"]);
});

test("audit bounds the fleet file's openings, and intervals much lower", () => {
  const many = (n: number, from: string): readonly Opening[] =>
    Array.from({ length: n }, (_, i) => opening("2001:db8:1:2:21::2", "vm1", [from], 1 + (i % 65_535)));
  expect(codes({ ...good, openings: many(131_073, "::/0") })).toEqual(["E423"]);
  expect(codes({ ...good, openings: many(131_072, "::/0") })).toEqual([]);
  expect(codes({ ...good, openings: many(4097, "2001:db8:ff::/48") })).toEqual(["E423"]);
});

test("audit bounds what a ceiling takes", () => {
  const rule = (n: number): AllowRule => ({
    id: "allow[0]",
    hosts: "all",
    services: Array.from({ length: n }, (_, i) => ({
      kind: "ports",
      transport: "tcp",
      ports: { first: 2 * i + 1, last: 2 * i + 1 },
    })),
    from: [prefix("::/0")],
    by: ["labels"],
  });
  const under = (n: number): GatewayDesired => ({
    ...good,
    policy: { ...good.policy, openings: { ...closedPolicy, allow: [rule(n)] } },
  });
  expect(codes(under(4096))).toEqual([]);
  expect(codes(under(4097))).toEqual(["E425"]);
});

test("audit lets the controller listen where hosts or people are, and nowhere else", () => {
  const on = (device: string): readonly string[] =>
    codes({ ...good, controller: { device, agentPort: 8443, agents: [] } });
  expect([on("mgmt"), on("lan"), on("wan")]).toEqual([[], [], ["E424"]]);
});

test("audit warns where nobody could log in", () => {
  expect(codes({ ...good, management: { device: "mgmt", admins: [] } })).toEqual(["W420"]);
  const { management: _, ...without } = good;
  expect(codes(without)).toEqual(["W420"]);
});
