import type { GatewayDesired } from "../../src/desired/desired.ts";
import { derived } from "./states.ts";

export type PfVariant = {
  readonly kind: "pfsense" | "opnsense";
  readonly hosts?: number;
  readonly openings?: string;
  readonly policy?: string;
  readonly layout?: "per-host" | "compact";
  readonly link?: number;
  readonly shell?: boolean;
  readonly tests?: string;
};

/** The article's network behind a firewall with three NICs. */
export function pfFleet({
  kind,
  hosts = 2,
  openings = "[]",
  policy = "{}",
  layout = "per-host",
  link = 80,
  shell = true,
  tests = "[]",
}: PfVariant): string {
  const all = Array.from(
    { length: hosts },
    (_, i) =>
      `  vm${i + 1}: { on: pve, public: { device: eth1 }, docker: { engine: "28.5", networks: { web: {} }, containers: { web: { network: web, address: "::80" } } } }`,
  );
  const secret = kind === "opnsense" ? ', secret: "env:FW_SECRET"' : "";
  const routes = link === 76 && layout === "per-host" ? ", routes: network" : "";
  return `sixgate: 1
fleet: conformance
prefix: 2001:db8:10ff:1::/64
plan: { link: /${link}, layout: ${layout}${routes} }
networks:
  wan: { role: uplink, ipv4: 203.0.113.0/26 }
  mgmt: { role: management, ipv4: 10.10.10.0/24 }
  lan: { role: hosts }
hypervisors:
  pve: { kind: proxmox, bridges: { vmbr0: { network: wan, port: enp1s0 }, vmbr1: { network: mgmt }, vmbr2: { network: lan } } }
gateway:
  kind: ${kind}
  on: pve
  api: { url: "https://10.10.10.2", key: "env:FW_KEY"${secret} }
${shell ? "  exec: ssh:root@10.10.10.2\n" : ""}  uplink: { device: vtnet0, mac: "00:50:56:00:aa:bb", ipv4: 203.0.113.20/26, gateway: 203.0.113.1 }
  management: { device: vtnet1, ipv4: 10.10.10.2/24 }
  hosts: { device: vtnet2 }
hosts:
${all.join("\n")}
policy: ${policy}
openings: ${openings}
tests: ${tests}
`;
}

export function pfState(variant: PfVariant): GatewayDesired {
  const found = derived(pfFleet(variant)).find((each) => each.layer === "gateway");
  if (found === undefined) throw new RangeError("No gateway");
  return found;
}

export const web = "[{ to: vm1/web, ports: [443, 443/udp, ping], from: any }]";
export const more =
  "[{ to: vm1/web, ports: [443], from: ['2001:db8:aaaa::/48', '2001:db8:bbbb::/48'] }, { to: vm2/web, ports: [8000-8099, 443], from: any }]";
