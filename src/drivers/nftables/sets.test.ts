import fc from "fast-check";
import { expect, test } from "vitest";
import type { HostName } from "../../base/name.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { address } from "../../net/address.ts";
import { contains, parsePrefix, prefix } from "../../net/prefix.ts";
import type { Opening } from "../../openings/opening.ts";
import { memberElements, widest } from "./sets.ts";

const to = address("2001:db8:1:2:21::2");
const host = "vm1" as HostName;

function ports(first: number, last: number, ...from: readonly string[]): Opening {
  return {
    host,
    to,
    service: { kind: "ports", transport: "tcp", ports: { first, last } },
    from: from.map(prefix),
    askedBy: "x",
  };
}

function keys(...openings: readonly Opening[]): readonly string[] {
  const desired = { hosts: [{ host }], openings } as unknown as GatewayDesired;
  return memberElements(desired).map((each) => `${each.set} ${each.key.replace(`${to} . `, "")}`);
}

test("memberElements puts single ports to anyone in the hash set, all others in the interval set", () => {
  expect(keys(ports(80, 80, "::/0"), ports(8000, 8099, "::/0"), ports(22, 22, "2001:db8:ff::/48"))).toEqual([
    "from_vm1 tcp . 22 . 2001:db8:ff::/48",
    "from_vm1 tcp . 8000-8099 . ::/0",
    "open_vm1 tcp . 80",
  ]);
});

test("memberElements leaves out what another opening covers", () => {
  expect(keys(ports(80, 80, "::/0"), ports(80, 80, "2001:db8:ff::/48", "::/0"), ports(79, 81, "::/0"))).toEqual([
    "from_vm1 tcp . 79-81 . ::/0",
  ]);
  expect(keys(ports(80, 80, "::/0"), ports(80, 80, "::/0"))).toEqual(["open_vm1 tcp . 80"]);
});

test("memberElements cuts ranges that overlap in part", () => {
  expect(keys(ports(10, 20, "2001:db8::/32"), ports(15, 25, "2001:db8:ff::/48"))).toEqual([
    "from_vm1 tcp . 10-14 . 2001:db8::/32",
    "from_vm1 tcp . 15-20 . 2001:db8::/32",
    "from_vm1 tcp . 21-25 . 2001:db8:ff::/48",
  ]);
  expect(keys(ports(10, 20, "2001:db8:1::/48"), ports(15, 25, "2001:db8:2::/48"))).toEqual([
    "from_vm1 tcp . 10-20 . 2001:db8:1::/48",
    "from_vm1 tcp . 15-25 . 2001:db8:2::/48",
  ]);
});

test("memberElements refuses a host that is not there", () => {
  expect(() => keys({ ...ports(80, 80, "::/0"), host: "vm9" as HostName })).toThrow(RangeError);
});

const source = fc.constantFrom(
  "::/0",
  "2001:db8::/32",
  "2001:db8:1::/48",
  "2001:db8:1:2::/64",
  "2001:db8:2::/48",
  "3fff::/20",
);
const range = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 0, max: 6 }),
  fc.array(source, { minLength: 1, maxLength: 3 }),
);
const samples = ["2001:db8:1:2::7", "2001:db8:1:3::7", "2001:db8:2::7", "2001:db8:9::7", "3fff::7", "fd00::7"].map(
  address,
);

test("memberElements admits exactly what the openings do, with intervals that never overlap", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), (ranges) => {
      const openings = ranges.map(([first, more, from]) => ports(first, first + more, ...from));
      const rows = keys(...openings).map((each) => {
        const [, , , span = "", , from = "::/0"] = each.split(" ");
        const [first = 0, last = first] = span.split("-").map(Number);
        return { first, last, from: parsePrefix(from) ?? prefix(`${from}/128`), hash: each.startsWith("open_") };
      });
      for (let port = 1; port <= 20; port++) {
        for (const sample of samples) {
          const admitted = openings.some(
            ({ service, from }) =>
              service.kind === "ports" &&
              port >= service.ports.first &&
              port <= service.ports.last &&
              from.some((each) => contains(each, sample)),
          );
          const matching = rows.filter((row) => port >= row.first && port <= row.last && contains(row.from, sample));
          expect(matching.length > 0).toBe(admitted);
          expect(matching.filter((row) => !row.hash).length).toBeLessThanOrEqual(1);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("widest keeps only prefixes that lie in no other", () => {
  expect(widest(["2001:db8:1::/48", "2001:db8::/32", "3fff::/20", "3fff::/20"].map(prefix))).toEqual([
    "2001:db8::/32",
    "3fff::/20",
  ]);
});

test("memberElements of every port of an address takes no quadratic time", () => {
  const openings = Array.from({ length: 65_535 }, (_, i) => ports(i + 1, i + 1, "::/0"));
  expect(keys(...openings, ports(1, 65_535, "2001:db8:ff::/48"))).toHaveLength(65_536);
});
