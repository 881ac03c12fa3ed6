import fc from "fast-check";
import { expect, test } from "vitest";
import type { HostName } from "../../base/name.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { contains, prefix } from "../../net/prefix.ts";
import type { Service } from "../../openings/opening.ts";
import { type AllowRule, closedPolicy, type OpeningPolicy } from "../../openings/policy.ts";
import { ceilingName, ceilingsOf, isUnderCeiling } from "./ceiling.ts";

const [vm1, vm2, vm3] = ["vm1", "vm-2", "vm3"] as unknown as readonly [HostName, HostName, HostName];

function tcp(first: number, last = first): Service {
  return { kind: "ports", transport: "tcp", ports: { first, last } };
}

function allow(hosts: AllowRule["hosts"], services: readonly Service[], from: string): AllowRule {
  return { id: "allow", hosts, services, from: [prefix(from)], by: ["labels"] };
}

function desired(openings: OpeningPolicy): GatewayDesired {
  const hosts = [vm1, vm2, vm3].map((host) => ({ host }));
  return { hosts, policy: { betweenHosts: "closed", egress: "open", openings } } as unknown as GatewayDesired;
}

function chains(policy: Partial<OpeningPolicy>): Readonly<Record<string, readonly string[]>> {
  const { chains } = ceilingsOf(desired({ ...closedPolicy, ...policy }));
  return Object.fromEntries(chains.map(({ name, rules }) => [name, rules.map((each) => each.text)]));
}

test("ceilingsOf a closed policy has no rule that accepts", () => {
  expect(chains({})).toEqual({ ceiling_vm1: [] });
});

test("ceilingsOf gives hosts with the same rules one chain, and tells single ports, ranges and sources apart", () => {
  const web = allow("all", [tcp(443), tcp(80), { kind: "ping" }], "::/0");
  const own = allow([vm2], [tcp(8000, 8999), tcp(22)], "2001:db8:ff::/48");
  const wide = allow([vm2], [tcp(9000, 9999)], "::/0");
  const echo =
    "icmpv6 type echo-request update @echoes { ip6 daddr timeout 1m limit rate 100/second burst 200 packets } counter accept";
  expect(chains({ allow: [web, own, wide] })).toEqual({
    ceiling_vm1: ["meta l4proto . th dport { tcp . 80, tcp . 443 } counter accept", echo],
    ceiling_vm_2: [
      "meta l4proto . th dport { tcp . 80, tcp . 443 } counter accept",
      "meta l4proto . th dport { tcp . 9000-9999 } counter accept",
      "meta l4proto . th dport . ip6 saddr { tcp . 22 . 2001:db8:ff::/48, tcp . 8000-8999 . 2001:db8:ff::/48 } counter accept",
      echo,
    ],
  });
  const { ownerFor } = ceilingsOf(desired({ ...closedPolicy, allow: [web, own, wide] }));
  expect([vm1, vm2, vm3].map(ownerFor)).toEqual([vm1, vm2, vm1]);
  expect(() => ownerFor("vm9" as HostName)).toThrow(RangeError);
});

test("ceilingsOf takes out what is never opened, whatever allows it", () => {
  expect(chains({ allow: [allow("all", [tcp(20, 30), tcp(25)], "::/0")], never: [tcp(22, 25)] })).toEqual({
    ceiling_vm1: ["meta l4proto . th dport { tcp . 20-21, tcp . 26-30 } counter accept"],
  });
  const ping = allow("all", [{ kind: "ping" }], "2001:db8::/32");
  expect(chains({ allow: [ping] })["ceiling_vm1"]?.[0]).toContain("echo-request ip6 saddr { 2001:db8::/32 } update");
  expect(chains({ allow: [ping], never: [{ kind: "ping" }] })).toEqual({ ceiling_vm1: [] });
});

const service = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 4 }))
    .map(([first, more]) => tcp(first, first + more)),
  fc.constant<Service>({ kind: "ping" }),
);
const rule = fc.record({
  hosts: fc.constantFrom<AllowRule["hosts"]>("all", [vm1], [vm2, vm1]),
  services: fc.array(service, { minLength: 1, maxLength: 3 }),
  from: fc.constantFrom("::/0", "2001:db8::/32", "2001:db8:1::/48", "3fff::/20"),
});

test("ceilingsOf lets through what isUnderCeiling says", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), fc.array(service, { maxLength: 2 }), (rules, never) => {
      const policy = {
        ...closedPolicy,
        allow: rules.map((each) => allow(each.hosts, each.services, each.from)),
        never,
      };
      const { chains, ownerFor } = ceilingsOf(desired(policy));
      for (const host of [vm1, vm2, vm3]) {
        const texts =
          chains.find((each) => each.name === ceilingName(ownerFor(host)))?.rules.map((each) => each.text) ?? [];
        for (const from of ["2001:db8:1::7", "2001:db8:2::7", "3fff::7", "fd00::7"].map(address)) {
          for (let port = 1; port <= 14; port++) {
            expect(texts.some((text) => lets(text, port, from))).toBe(
              isUnderCeiling(policy, { host, transport: "tcp", port, from }),
            );
          }
          expect(texts.some((text) => lets(text, undefined, from))).toBe(
            isUnderCeiling(policy, { host, transport: "icmpv6", from }),
          );
        }
      }
    }),
  );
});

/** What a rule of a ceiling says, read as nft reads it. */
function lets(text: string, port: number | undefined, from: string): boolean {
  const isEcho = text.startsWith("icmpv6 type echo-request");
  if (isEcho !== (port === undefined)) return false;
  const elements = /(?:saddr|dport) \{ ([^}]*) \}/.exec(text)?.[1]?.split(", ") ?? [];
  if (isEcho) return elements.length === 0 || elements.some((each) => contains(prefix(each), address(from)));
  return elements.some((each) => {
    const [, range = "", source = "::/0"] = each.split(" . ");
    const [first = 0, last = first] = range.split("-").map(Number);
    return Number(port) >= first && Number(port) <= last && contains(prefix(source), address(from));
  });
}
