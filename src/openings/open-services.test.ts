import { expect, test } from "vitest";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import { address } from "../net/address.ts";
import { prefix } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import type { Granted } from "./decide.ts";
import { openServices } from "./open-services.ts";
import type { Service } from "./opening.ts";

const web = address("2001:db8::80");
const db = address("2001:db8::5432");
const https: Service = { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } };

function granted(to: typeof web, service: Service, from: readonly string[], ends?: number): Granted {
  return {
    kind: "granted",
    request: {
      key: `${to} ${from.join()}`,
      by: "labels",
      host: "vm1" as HostName,
      to,
      service,
      from: [],
      since: instant(0),
      asked: { at: "sixgate.open rule 1", text: "" },
    },
    from: from.map(prefix),
    grantedBy: "allow[0]",
    ...(ends === undefined ? {} : { ends: instant(ends) }),
  };
}

test("openServices joins the sources of all who ask for one service at one address", () => {
  const found = openServices([
    granted(web, https, ["2001:db8::/33"]),
    granted(web, { kind: "ping" }, ["::/0"]),
    granted(web, https, ["2001:db8:8000::/33"]),
    granted(db, https, ["::/0"]),
  ]);
  expect(found.get(web)).toEqual([
    { service: https, from: ["2001:db8::/32"] },
    { service: { kind: "ping" }, from: ["::/0"] },
  ]);
  expect(found.get(db)).toEqual([{ service: https, from: ["::/0"] }]);
  expect(found.size).toBe(2);
});

test("openServices ends nothing that another one holds longer", () => {
  const office = ["2001:db8:aaaa::/48"];
  expect(openServices([granted(web, https, office, 5), granted(web, https, ["::/0"])]).get(web)).toEqual([
    { service: https, from: ["::/0"] },
  ]);
  const wider = openServices([
    granted(web, https, office),
    granted(web, https, ["2001:db8::/32"], 5),
    granted(web, https, ["2001:db8::/32"], 9),
    granted(web, https, ["::/0"], 3),
  ]).get(web);
  expect(wider).toEqual([
    { service: https, from: office },
    { service: https, from: expect.not.arrayContaining(office), ends: 9 },
    { service: https, from: ["::/0"], ends: 3 },
  ]);
  expect(
    PrefixSet.of(wider?.[1]?.from ?? [])
      .union(PrefixSet.of(office.map(prefix)))
      .prefixes(),
  ).toEqual(["2001:db8::/32"]);
});

test("openServices gives the same whatever the order", () => {
  const all = [
    granted(web, https, ["2001:db8::/32"], 9),
    granted(web, https, ["2001:db8::/48"]),
    granted(web, { kind: "ping" }, ["::/0"]),
  ];
  expect(openServices(all.toReversed())).toEqual(openServices(all));
});
