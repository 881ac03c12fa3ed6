import { allocate } from "../../src/addressing/allocate.ts";
import { emptyLedger } from "../../src/addressing/ledger.ts";
import { derive } from "../../src/desired/derive.ts";
import type { Desired, Layer } from "../../src/desired/desired.ts";
import { parseFleet } from "../../src/fleet/parse-fleet.ts";

/** How a fleet differs from the next: each field is part of its file. */
export type Variant = {
  readonly hosts?: number;
  readonly openings?: string;
  readonly policy?: string;
  readonly link?: number;
  readonly network?: string;
  /** The hypervisor's main address, without length. */
  readonly main?: string;
  /** The hypervisor's address on the management bridge, with length; none by default. */
  readonly lan?: string;
  /** More of the hypervisor's keys, which is Proxmox then. */
  readonly hypervisor?: readonly string[];
  /** The provider's entry; none by default. */
  readonly provider?: string;
  /** The MAC of the gateway's uplink. */
  readonly mac?: string;
  /** Docker networks of every host. */
  readonly networks?: string;
};

/** The article's network with two hosts, on a machine whose NICs are wan, lan and mgmt (gateway) or eth0, eth1 (host). */
export function fleetText(variant: Variant = {}): string {
  const {
    hosts = 2,
    openings = "[]",
    policy = "{}",
    link = 80,
    network = "networkd",
    main = "203.0.113.162",
    lan,
    hypervisor,
    provider,
    mac = "00:50:56:00:ab:cd",
    networks = "{ web: {} }",
  } = variant;
  const all = Array.from({ length: hosts }, (_, i) => {
    const nics = `public: { device: eth1 }, management: { device: eth0, ipv4: 10.10.10.1${i}/24 }`;
    const docker = `{ engine: "20.10", networks: ${networks}, containers: { web: { network: web, address: "::80" } } }`;
    return `  vm${i + 1}: { on: pve, network: ${network}, ${nics}, docker: ${docker} }`;
  });
  return `sixgate: 1
fleet: conformance
prefix: 2001:db8:1234:321d::/64${provider === undefined ? "" : `\nprovider: ${provider}`}
plan: { link: /${link}, routes: network }
networks:
  wan: { role: uplink, ipv4: 203.0.113.128/26 }
  mgmt: { role: management, ipv4: 10.10.10.0/24 }
  lan: { role: hosts }
hypervisors:
  pve:
    kind: ${hypervisor === undefined ? "ifupdown" : "proxmox"}${(hypervisor ?? []).map((line) => `\n    ${line}`).join("")}
    bridges:
      vmbr0: { network: wan, port: enp1s0, ipv4: ${main}/32, gateway: 203.0.113.129 }
      vmbr1: { network: mgmt${lan === undefined ? "" : `, ipv4: ${lan}`} }
      vmbr2: { network: lan }
gateway:
  name: fw
  kind: nftables
  on: pve
  network: ${network}
  uplink: { device: wan, mac: "${mac}", ipv4: 203.0.113.136/32, gateway: 203.0.113.129 }
  hosts: { device: lan }
  management: { device: mgmt, ipv4: 10.10.10.2/24 }
  admins: [10.10.10.0/24]
hosts:
${all.join("\n")}
policy: ${policy}
openings: ${openings}
`;
}

export function derived(text: string): readonly Desired[] {
  const fleet = parseFleet(text, "fleet.yaml");
  if (!fleet.ok) throw new Error(JSON.stringify(fleet.errors));
  const numbered = allocate(fleet.value, emptyLedger(fleet.value.name));
  if (!numbered.ok) throw new Error(JSON.stringify(numbered.errors));
  return derive(fleet.value, numbered.value.plan);
}

/** One layer of one device of such a fleet. */
export function layerOf<L extends Layer>(
  layer: L,
  device: string,
  variant: Variant = {},
): Extract<Desired, { layer: L }> {
  const found = derived(fleetText(variant)).find((each) => each.layer === layer && each.device === device);
  if (found === undefined) throw new RangeError(`No ${layer} of ${device}`);
  return found as Extract<Desired, { layer: L }>;
}
