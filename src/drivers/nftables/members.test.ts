import fc from "fast-check";
import { expect, test } from "vitest";
import { type Instant, instant } from "../../base/time.ts";
import { address } from "../../net/address.ts";
import { contains, prefix } from "../../net/prefix.ts";
import type { OpenService } from "../../openings/opening.ts";
import { keyText, type Member, membersOf, servicesOf } from "./members.ts";

const to = address("2001:db8:1:2:21::2");

function ports(first: number, last: number, from: string | readonly string[] = "::/0", ends?: number): OpenService {
  return {
    service: { kind: "ports", transport: "tcp", ports: { first, last } },
    from: [from].flat().map(prefix),
    ...(ends === undefined ? {} : { ends: instant(ends) }),
  };
}

function ping(from: string, ends?: number): OpenService {
  return { service: { kind: "ping" }, from: [prefix(from)], ...(ends === undefined ? {} : { ends: instant(ends) }) };
}

function keys(...services: readonly OpenService[]): readonly string[] {
  return membersOf(to, services).map((each) => {
    const key = keyText(each).replace(`${to} . `, "");
    return `${each.kind} ${key}${each.ends === undefined ? "" : ` until ${each.ends}`}`;
  });
}

test("membersOf puts single ports to anyone in the hash set, all others in the interval set", () => {
  expect(keys(ports(80, 80), ports(8000, 8099), ports(22, 22, "2001:db8:ff::/48"))).toEqual([
    "from tcp . 22 . 2001:db8:ff::/48",
    "open tcp . 80",
    "from tcp . 8000-8099 . ::/0",
  ]);
});

test("membersOf leaves out what another service covers for as long", () => {
  expect(keys(ports(80, 80), ports(80, 80, ["2001:db8:ff::/48", "::/0"]), ports(79, 81))).toEqual([
    "from tcp . 79-81 . ::/0",
  ]);
  expect(keys(ports(80, 80), ports(80, 80))).toEqual(["open tcp . 80"]);
  expect(keys(ports(80, 80), ports(80, 80, "2001:db8::/32", 5))).toEqual(["open tcp . 80"]);
  expect(keys(ports(80, 80, "::/0", 9), ports(79, 81, "::/0", 5))).toEqual([
    "from tcp . 79-81 . ::/0 until 5",
    "open tcp . 80 until 9",
  ]);
  expect(keys(ping("::/0"), ping("2001:db8::/32", 7))).toEqual([`live ${to}`]);
});

test("membersOf keeps the later end, and no end is the latest", () => {
  expect(keys(ports(80, 80, "::/0", 5), ports(80, 80, "::/0", 7))).toEqual(["open tcp . 80 until 7"]);
  expect(keys(ports(80, 80, "::/0", 5), ports(80, 80))).toEqual(["open tcp . 80"]);
  expect(keys(ports(10, 20, "2001:db8::/47", 5), ports(10, 20, "2001:db8::/48", 7))).toEqual([
    "from tcp . 10-20 . 2001:db8:1::/48 until 5",
    "from tcp . 10-20 . 2001:db8::/48 until 7",
  ]);
});

test("membersOf cuts where ranges and sources overlap, and only there", () => {
  expect(keys(ports(10, 20, "2001:db8::/32"), ports(15, 25, "2001:db8:ff::/48"))).toEqual([
    "from tcp . 10-20 . 2001:db8::/32",
    "from tcp . 21-25 . 2001:db8:ff::/48",
  ]);
  expect(keys(ports(10, 20, "2001:db8:1::/48"), ports(15, 25, "2001:db8:2::/48"))).toEqual([
    "from tcp . 10-20 . 2001:db8:1::/48",
    "from tcp . 15-25 . 2001:db8:2::/48",
  ]);
});

test("membersOf is the same for services that let in the same", () => {
  expect(keys(ports(10, 15), ports(16, 20))).toEqual(keys(ports(10, 20)));
  expect(keys(ports(7, 7, ["::/1", "8000::/1"]))).toEqual(keys(ports(7, 7)));
  expect(keys(ping("::/1"), ping("8000::/1"))).toEqual([`live ${to}`]);
});

test("servicesOf gives services that come to the same members", () => {
  const services = [ports(10, 20, "2001:db8::/32", 5), ports(15, 25, "3fff::/20"), ports(80, 80), ping("3fff::/20", 9)];
  const members = membersOf(to, services);
  expect(membersOf(to, servicesOf(members))).toEqual(members);
  expect(servicesOf(members)).toEqual([
    { service: { kind: "ports", transport: "tcp", ports: { first: 10, last: 20 } }, from: ["2001:db8::/32"], ends: 5 },
    { service: { kind: "ports", transport: "tcp", ports: { first: 15, last: 25 } }, from: ["3fff::/20"] },
    { service: { kind: "ports", transport: "tcp", ports: { first: 80, last: 80 } }, from: ["::/0"] },
    { service: { kind: "ping" }, from: ["3fff::/20"], ends: 9 },
  ]);
});

const source = fc.constantFrom("::/0", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64", "3fff::/20");
const asked = fc
  .tuple(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 0, max: 6 }),
    fc.array(source, { minLength: 1, maxLength: 3 }),
    fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  )
  .map(([first, more, from, ends]) => ports(first, first + more, from, ends));
const samples = ["2001:db8:1:2::7", "2001:db8:1:3::7", "2001:db8:2::7", "3fff::7", "fd00::7"].map(address);

type Span = { readonly first: number; readonly last: number };

function spanOf(member: Member): Span {
  if (member.kind === "open") return { first: member.port, last: member.port };
  return member.kind === "from" ? member.ports : { first: 0, last: 0 };
}

test("membersOf lets in what the services do, each for as long, with intervals that never overlap", () => {
  const until = (ends: Instant | undefined): number => ends ?? Number.POSITIVE_INFINITY;
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 6 }), (services) => {
      const members = membersOf(to, services);
      for (let port = 1; port <= 20; port++) {
        for (const sample of samples) {
          const wanted = services
            .filter(({ service, from }) => {
              const span = service.kind === "ports" ? service.ports : { first: 0, last: 0 };
              return port >= span.first && port <= span.last && from.some((each) => contains(each, sample));
            })
            .map((each) => until(each.ends));
          const matching = members.filter((each) => {
            const { first, last } = spanOf(each);
            return port >= first && port <= last && (!("from" in each) || contains(each.from, sample));
          });
          expect(Math.max(0, ...matching.map((each) => until(each.ends)))).toBe(Math.max(0, ...wanted));
          expect(matching.filter((each) => each.kind === "from").length).toBeLessThanOrEqual(1);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("servicesOf turns membersOf round, whatever the services", () => {
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 6 }), (services) => {
      const members = membersOf(to, services);
      expect(membersOf(to, servicesOf(members))).toEqual(members);
    }),
  );
});

test("membersOf of every port of an address takes no quadratic time", () => {
  const services = Array.from({ length: 65_535 }, (_, i) => ports(i + 1, i + 1));
  expect(membersOf(to, [...services, ports(1, 65_535, "2001:db8:ff::/48")])).toHaveLength(65_536);
  const narrow = services.map((each) => ({ ...each, from: [prefix("2001:db8:1::/48")] }));
  expect(membersOf(to, [...narrow, ports(1, 65_535, "2001:db8::/32", 5)])).toHaveLength(17);
});
