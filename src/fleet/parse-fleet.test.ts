import fc from "fast-check";
import { expect, test } from "vitest";
import { closedPolicy } from "../openings/policy.ts";
import { parseFleet } from "./parse-fleet.ts";

const small = `sixgate: 1
fleet: small
prefix: 2001:db8:1234:321d::/64
gateway:
  kind: nftables
  uplink: { device: wan, mac: "02:00:5E:00:00:01" }
  hosts: { device: lan, mac: "02-00-5e-00-00-02" }
hosts:
  vm1:
    public: { device: eth0, mac: "02:00:5e:00:00:03" }
    docker:
      engine: "28.5"
      networks: { web: {}, constructor: {} }
      containers: { caddy: { network: web, address: "::80" } }
openings:
  - { to: vm1/caddy, ports: [443, 80-90, 85-99/tcp, 53/udp, ping, 443], from: [2001:DB8:aaaa::1, 2001:db8:aaaa::/48] }
`;

function fleetOf(text: string) {
  const parsed = parseFleet(text, "small.yaml");
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}

test("parseFleet fills in what a short file leaves out", () => {
  const fleet = fleetOf(small);
  expect(fleet.provider).toEqual({ name: "none", delivery: "routed", nextHop: "fe80::1" });
  expect(fleet.plan).toEqual({ host: 76, link: 80, network: 80, routes: "block", layout: "per-host" });
  expect([...fleet.networks]).toEqual([
    ["wan", { role: "uplink" }],
    ["lan", { role: "hosts" }],
  ]);
  expect(fleet.gateway).toMatchObject({ name: "fw", network: "networkd", reach: { kind: "none" }, admins: [] });
  expect(fleet.gateway.uplink).toEqual({ network: "wan", device: "wan", mac: "02:00:5e:00:00:01", macGiven: true });
  expect(fleet.hosts.get("vm1" as never)?.docker.profile).toBe("routed");
});

test("parseFleet is closed between hosts, open outwards, and opens nothing where the file says nothing", () => {
  const said = fleetOf(small.slice(0, small.indexOf("openings:")));
  expect(said.policy).toEqual({ betweenHosts: "closed", egress: "open", openings: closedPolicy });
  expect(said.openings).toEqual([]);
  for (const spelling of ["openings: []\n", "policy: {}\n", "groups: {}\n"]) {
    const fleet = fleetOf(small.slice(0, small.indexOf("openings:")) + spelling);
    expect([fleet.policy, fleet.openings]).toEqual([said.policy, []]);
  }
});

test("parseFleet gives openings sorted and minimal, with their place", () => {
  expect(fleetOf(small).openings).toEqual([
    {
      to: { kind: "container", host: "vm1", container: "caddy" },
      services: [
        { kind: "ports", transport: "tcp", ports: { first: 80, last: 99 } },
        { kind: "ports", transport: "tcp", ports: { first: 443, last: 443 } },
        { kind: "ports", transport: "udp", ports: { first: 53, last: 53 } },
        { kind: "ping" },
      ],
      from: ["2001:db8:aaaa::/48"],
      at: "small.yaml:16:5 openings[0]",
    },
  ]);
});

test.each([
  ["/48", 64],
  ["/56", 64],
  ["/60", 64],
  ["/61", 76],
  ["/64", 76],
  ["/72", 76],
])("parseFleet divides a %s into blocks of /%i", (length, host) => {
  const fleet = fleetOf(small.replace("2001:db8:1234:321d::/64", `2001:db8::${length}`).replace(/openings:[^]*/, ""));
  expect(fleet.plan).toEqual({ host, link: 80, network: 80, routes: "block", layout: "per-host" });
});

test("parseFleet derives a MAC from fleet, machine and role, so that a renamed interface keeps it", () => {
  const on = small
    .replace(', mac: "02:00:5e:00:00:03"', "")
    .replace("    public:", "    on: pve\n    public:")
    .replace("gateway:", "hypervisors: { pve: { kind: ifupdown, bridges: { vmbr2: { network: lan } } } }\ngateway:");
  const nic = fleetOf(on).hosts.get("vm1" as never)?.public;
  expect(nic?.macGiven).toBe(false);
  expect(fleetOf(on.replace("device: eth0", "device: ens18")).hosts.get("vm1" as never)?.public.mac).toBe(nic?.mac);
  expect(fleetOf(on.replace("fleet: small", "fleet: other")).hosts.get("vm1" as never)?.public.mac).not.toBe(nic?.mac);
});

test("parseFleet lets no control character of the file through to its messages", () => {
  const parsed = parseFleet(
    small.replace("fleet: small", 'fleet: "a\\e[31m\\u202eb"').replace("vm1/caddy", '"vm1/\\e[2J"'),
    "small.yaml",
  );
  expect(parsed.ok).toBe(false);
  for (const each of parsed.ok ? [] : parsed.errors)
    expect(`${each.at}${each.text}${each.fix}`).toMatch(/^[\x20-\x7e…]*$/);
});

test("parseFleet gives errors, never a throw, for a file with a hole or a foreign piece in it", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("{", "}", "[", "*a", "&a", "!!js", "::", "- ", "\t", "__proto__: 1", "null", "\u0000", "? ", "|"),
  );
  fc.assert(
    fc.property(fc.nat(small.length), fc.nat(30), piece, (at, length, text) => {
      const parsed = parseFleet(small.slice(0, at) + text + small.slice(at + length), "small.yaml");
      if (parsed.ok) return;
      expect(parsed.errors.length).toBeGreaterThan(0);
      for (const each of parsed.errors) expect(each.at).toMatch(/^small\.yaml/);
    }),
    { numRuns: 400 },
  );
});

test("parseFleet gives errors, never a throw, for a value of another kind anywhere", () => {
  const values = ["null", "true", "-1", "1e99", "[]", "{}", '""', "[[1]]", "{ a: { b: c } }", "2001-01-01", ".nan"];
  const lines = small.split("\n");
  for (let i = 0; i < lines.length; i++) {
    for (const value of values) {
      const changed = lines.with(i, (lines[i] ?? "").replace(/: .*$/, `: ${value}`)).join("\n");
      const parsed = parseFleet(changed, "small.yaml");
      if (!parsed.ok) expect(parsed.errors.length).toBeGreaterThan(0);
    }
  }
});
