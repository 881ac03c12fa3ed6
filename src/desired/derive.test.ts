import { expect, test } from "vitest";
import type { AddressPlan } from "../addressing/address-plan.ts";
import { allocate } from "../addressing/allocate.ts";
import { emptyLedger } from "../addressing/ledger.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { parseFleet } from "../fleet/parse-fleet.ts";
import { address } from "../net/address.ts";
import { linkOf } from "../net/interface-address.ts";
import { contains, lengthOf } from "../net/prefix.ts";
import { derive } from "./derive.ts";
import type { Desired, GatewayDesired, GuestDesired } from "./desired.ts";

type Wish = {
  readonly link?: number;
  readonly routes?: "block" | "network";
  readonly hosts?: number;
  readonly openings?: string;
  readonly delivery?: string;
};

function numbered(wish: Wish = {}): { readonly fleet: Fleet; readonly plan: AddressPlan } {
  const { link = 80, routes = "block", hosts = 2, openings = "[]", delivery = "routed" } = wish;
  const all = Array.from({ length: hosts }, (_, i) => {
    const mac = `02:00:00:00:${(i >> 8).toString(16).padStart(2, "0")}:${(i & 255).toString(16).padStart(2, "0")}`;
    const containers =
      i === 0
        ? "networks: { web: {}, db: {} }, containers: { web: { network: web, address: '::80' } }"
        : "networks: { web: {} }";
    return `  h${i}: { public: { device: eth1, mac: "${mac}" }, docker: { engine: "28.5", ${containers} } }`;
  });
  const text = `sixgate: 1
fleet: t
prefix: 2001:db8:1:2::/64
provider: { delivery: ${delivery}, next-hop: fe80::1 }
plan: { link: /${link}, routes: ${routes} }
gateway: { kind: nftables, uplink: { device: wan, mac: "02:00:00:ff:00:01" }, hosts: { device: lan, mac: "02:00:00:ff:00:02" } }
hosts:
${all.join("\n")}
openings: ${openings}
`;
  const fleet = parseFleet(text, "fleet.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const given = allocate(fleet.value, emptyLedger("t"));
  if (!given.ok) throw new Error(JSON.stringify(given.errors));
  return { fleet: fleet.value, plan: given.value.plan };
}

function derived(wish: Wish = {}): readonly Desired[] {
  const { fleet, plan } = numbered(wish);
  return derive(fleet, plan);
}

function guests(all: readonly Desired[]): readonly GuestDesired[] {
  return all.filter((each) => each.layer === "guest");
}

function filterOf(all: readonly Desired[]): GatewayDesired {
  const found = all.find((each) => each.layer === "gateway");
  if (found === undefined) throw new Error("no gateway");
  return found;
}

const readings: readonly Wish[] = [
  { link: 80, routes: "block" },
  { link: 80, routes: "network" },
  { link: 76, routes: "network" },
];

test.each(readings)(
  "derive reaches every next hop over a connected link that is more specific than the route, with %j",
  (wish) => {
    for (const { links, routes } of guests(derived(wish))) {
      for (const route of routes) {
        if (route.kind !== "unicast" || route.onlink) continue;
        const link = links.find(({ name }) => name === route.device);
        const connected = link?.addresses.map(linkOf).filter((each) => contains(each, route.via)) ?? [];
        expect(connected).toHaveLength(1);
        for (const each of connected)
          if (contains(route.to, route.via)) expect(lengthOf(each)).toBeGreaterThan(lengthOf(route.to));
      }
    }
  },
);

test.each(readings)(
  "derive never gives two routes to one destination, nor one to a connected prefix, with %j",
  (wish) => {
    for (const { links, routes } of guests(derived(wish))) {
      const connected = links.flatMap(({ addresses }) => addresses.map(linkOf));
      const all = [...connected.map(String), ...routes.map(({ to }) => String(to))];
      expect(all).toEqual([...new Set(all)]);
    }
  },
);

test.each(readings)("derive ends every aggregate in unreachable or a connected prefix, with %j", (wish) => {
  const { fleet, plan } = numbered(wish);
  const [gateway, ...hosts] = guests(derive(fleet, plan));
  expect(gateway?.routes).toContainEqual({ kind: "unreachable", to: plan.delegated });
  for (const [i, host] of hosts.entries()) {
    const block = plan.hosts[i]?.block;
    const ends = host.routes.filter(({ kind }) => kind === "unreachable").map(({ to }) => to as string);
    const connected = host.links.flatMap(({ addresses }) => addresses.map(linkOf)) as readonly string[];
    expect([...ends, ...connected]).toContain(block);
  }
});

test("derive joins the sources of openings to the same service and sorts them", () => {
  const openings =
    "[{ to: h0/web, ports: [443, 80], from: 2001:db8:b::/48 }, { to: h0/web, ports: [443], from: '2001:db8:a::/48' }, { to: h0/web, ports: [ping, 80/udp], from: any }]";
  const found = filterOf(derived({ openings })).openings.map(({ service, from }) => [service, from]);
  const ports = (transport: string, port: number): object => ({
    kind: "ports",
    transport,
    ports: { first: port, last: port },
  });
  expect(found).toEqual([
    [ports("tcp", 80), ["2001:db8:b::/48"]],
    [ports("tcp", 443), ["2001:db8:a::/47"]],
    [ports("udp", 80), ["::/0"]],
    [{ kind: "ping" }, ["::/0"]],
  ]);
});

test("derive opens nothing when the file opens nothing", () => {
  expect(filterOf(derived()).openings).toEqual([]);
});

test("derive proxies on an on-link uplink the hosts, next hops and set containers, and nothing when routed", () => {
  const onLink = guests(derived({ delivery: "on-link" }))[0]?.links[0];
  const of = (tail: string): string => address(`2001:db8:1:2:${tail}`);
  expect(onLink?.proxies).toEqual([of("20::1"), of("20::2"), of("23::80"), of("30::1"), of("30::2")]);
  expect(guests(derived())[0]?.links[0]?.proxies).toEqual([]);
});

test("derive takes the fleet's own documentation prefix out of the bogons, no other", () => {
  const { bogons } = filterOf(derived());
  expect(bogons).not.toContain("2001:db8::/32");
  expect(bogons).toContain("3fff::/20");
});

test("derive refuses a plan of another fleet", () => {
  const { fleet } = numbered({ hosts: 2 });
  expect(() => derive(fleet, numbered({ hosts: 3 }).plan)).toThrow(RangeError);
  expect(() => derive(fleet, numbered({ hosts: 1 }).plan)).toThrow(RangeError);
});

test("derive gives the same for 4,094 hosts twice, each host once", () => {
  const { fleet, plan } = numbered({ hosts: 4094 });
  const began = performance.now();
  const all = derive(fleet, plan);
  const took = performance.now() - began;
  expect(all).toHaveLength(2 + 2 * 4094);
  expect(derive(fleet, plan)).toEqual(all);
  // A bound far above what it takes (tens of milliseconds), so that only a wrong order of growth fails.
  expect(took).toBeLessThan(10_000);
});
