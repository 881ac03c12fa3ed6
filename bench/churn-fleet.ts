import { allocate } from "../src/addressing/allocate.ts";
import { emptyLedger } from "../src/addressing/ledger.ts";
import type { HostName } from "../src/base/name.ts";
import type { Basis } from "../src/controller/controller.ts";
import { parseFleet } from "../src/fleet/parse-fleet.ts";
import { type Address, address } from "../src/net/address.ts";
import { baseOf } from "../src/net/prefix.ts";
import type { ContainerReport } from "../src/openings/container-report.ts";
import { containerReport } from "../test/container-report.ts";

/** A fleet of so many hosts, each of which may open so much. */
export function basisOf(hosts: number, perHost: number): Basis {
  const each = Array.from(
    { length: hosts },
    (_, i) =>
      `  h${i}:\n    on: pve\n    public: { device: eth1 }\n    management: { device: eth0, ipv4: 10.0.${Math.floor(i / 200)}.${(i % 200) + 20}/16 }\n    docker: { engine: "28.5", networks: { front: {} } }\n`,
  );
  const text = `sixgate: 1
fleet: churn
prefix: 2001:db8:1234:321d::/64
networks:
  wan: { role: uplink }
  mgmt: { role: management, ipv4: 10.0.0.0/16 }
  lan: { role: hosts }
hypervisors:
  pve: { kind: ifupdown, bridges: { vmbr0: { network: wan, port: eno1 }, vmbr1: { network: mgmt }, vmbr2: { network: lan } } }
gateway:
  name: fw
  kind: nftables
  on: pve
  uplink: { device: eth0, mac: "02:00:00:00:00:01" }
  hosts: { device: eth1 }
  management: { device: eth2, ipv4: 10.0.0.2/16 }
  admins: [10.0.0.0/16]
hosts:
${each.join("")}policy:
  allow:
    - { name: web, ports: [80, 443, 8000-8099], from: any, by: labels }
  limits: { per-container: 16, per-host: ${perHost} }
controller: { agent-port: 6464, api-port: 6465 }
`;
  const fleet = parseFleet(text, "churn.yaml");
  if (!fleet.ok) throw new Error(fleet.errors.map((one) => `${one.at} ${one.text}`).join("\n"));
  const plan = allocate(fleet.value, emptyLedger("churn"));
  if (!plan.ok) throw new Error("No plan");
  return { fleet: fleet.value, plan: plan.value.plan };
}

/** Address number `n` of the host's first own container network. */
export function addressOf({ plan }: Basis, host: HostName, n: number): Address {
  const network = plan.hosts.find((each) => each.host === host)?.networks.at(-1);
  if (network === undefined) throw new Error("No such host");
  const base = baseOf(network.prefix).replace(/::$/, "");
  return address(`${base}::${(n >> 16).toString(16)}:${((n & 0xffff) + 16).toString(16)}`);
}

export function containerOf(number: number, to: Address, open = "80"): ContainerReport {
  return containerReport({
    id: number.toString(16).padStart(64, "0"),
    name: `c${number}`,
    labels: { "sixgate.open": open },
    endpoints: [{ network: "front", networkId: "f".repeat(64), address: to }],
  });
}
