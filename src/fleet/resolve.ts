import type { DeviceName, HostName, NetworkName } from "../base/name.ts";
import { address } from "../net/address.ts";
import { macFor } from "../net/mac.ts";
import { lengthOf, type Prefix } from "../net/prefix.ts";
import type { Findings } from "./findings.ts";
import type { Docker, Fleet, Gateway, Host, Nic, PlanRules, Provider } from "./fleet.ts";
import { resolveOpenings } from "./opening-entry.ts";
import { optional } from "./optional.ts";
import type { Places } from "./places.ts";
import { resolvePolicy } from "./policy-entry.ts";
import { resolveApi } from "./resolve-api.ts";
import { resolveHypervisor } from "./resolve-hypervisor.ts";
import type { FleetFile } from "./schema.ts";
import { resolveTests } from "./test-entry.ts";

type NicEntry = NonNullable<FleetFile["gateway"]["management"]>;
type Role = "uplink" | "hosts" | "management";

/**
 * Fills in the defaults: plan lengths, next hop, networks by role, MACs, profiles. Always gives a fleet; where the
 * file names what isn't there, the checks say so and the fleet is thrown away.
 */
export function resolveFleet(
  file: FleetFile,
  delegated: Pick<Fleet, "prefix" | "delegation">,
  places: Places,
  findings: Findings,
): Fleet {
  const hosts = new Map(Object.keys(file.hosts).map((name) => [name as HostName, resolveHost(file, name)]));
  const groups = new Map(Object.entries(file.groups));
  return {
    name: file.fleet,
    ...delegated,
    provider: resolveProvider(file, findings),
    plan: resolvePlan(file, delegated.prefix),
    networks: new Map(
      Object.entries(file.networks).map(([name, { role, ipv4 }]) => [
        name as NetworkName,
        { role, ...optional({ ipv4 }) },
      ]),
    ),
    hypervisors: new Map(
      Object.entries(file.hypervisors).map(([name, each]) => [name as DeviceName, resolveHypervisor(name, each)]),
    ),
    gateway: resolveGateway(file),
    hosts,
    groups,
    policy: {
      betweenHosts: file.policy["between-hosts"],
      egress: file.policy.egress,
      openings: resolvePolicy(file, groups, places, findings),
    },
    openings: resolveOpenings(file, groups, hosts, places, findings),
    tests: resolveTests(file, groups, hosts, places, findings),
    ...(file.controller === undefined
      ? {}
      : {
          controller: {
            agentPort: file.controller["agent-port"],
            apiPort: file.controller["api-port"],
            ...optional({ address: file.controller.address }),
          },
        }),
  };
}

function resolveProvider(file: FleetFile, findings: Findings): Provider {
  const { name, delivery, "next-hop": nextHop, api } = file.provider;
  if (delivery === "on-link" && nextHop === undefined) {
    findings.error(
      "E207",
      ["provider"],
      "On-link delivery without next-hop",
      "add the router that the provider names, for example next-hop: fe80::1",
    );
  }
  return {
    name: name ?? "none",
    delivery,
    nextHop: nextHop ?? address("fe80::1"),
    ...(api === undefined ? {} : { api: resolveApi(api) }),
  };
}

/** A /64 per host where there are several, else 4,096 blocks of a /64 in the article's way. */
function resolvePlan(file: FleetFile, delegated: Prefix): PlanRules {
  const host = file.plan.host ?? (lengthOf(delegated) <= 60 ? 64 : 76);
  const network = file.plan.network ?? Math.max(80, host + 4);
  return {
    host,
    link: file.plan.link ?? network,
    network,
    routes: file.plan.routes ?? "block",
    layout: file.plan.layout ?? "per-host",
  };
}

function resolveGateway(file: FleetFile): Gateway {
  const { name, kind, on, reach, api, exec, network, uplink, hosts, management, admins } = file.gateway;
  return {
    name: name as DeviceName,
    kind,
    reach,
    network,
    admins,
    uplink: resolveNic(file, uplink, name, "uplink"),
    hosts: resolveNic(file, hosts, name, "hosts"),
    ...(management === undefined ? {} : { management: resolveNic(file, management, name, "management") }),
    ...(api === undefined ? {} : { api: resolveApi(api) }),
    ...optional({ on: on as DeviceName | undefined, exec }),
  };
}

function resolveHost(file: FleetFile, name: string): Host {
  const {
    on,
    reach,
    slot,
    network,
    public: front,
    management,
    docker,
  } = file.hosts[name] as FleetFile["hosts"][string];
  return {
    name: name as HostName,
    reach,
    network,
    public: resolveNic(file, front, name, "hosts", "public"),
    docker: resolveDocker(docker),
    ...(management === undefined ? {} : { management: resolveNic(file, management, name, "management") }),
    ...optional({ on: on as DeviceName | undefined, slot }),
  };
}

/** The seed of a derived MAC holds the NIC's role, not its device: renaming eth1 inside a machine keeps the MAC. */
function resolveNic(file: FleetFile, entry: NicEntry, machine: string, role: Role, seed: string = role): Nic {
  const { network, device, mac, ipv4, gateway: gateway4 } = entry;
  return {
    network: (network ?? networkWith(file, role)) as NetworkName,
    device,
    mac: mac ?? macFor(`${file.fleet}/${machine}/${seed}`),
    macGiven: mac !== undefined,
    ...optional({ ipv4, gateway4 }),
  };
}

/** The first network with the role; the role itself where there is none, which the checks then name. */
function networkWith(file: FleetFile, role: Role): string {
  return Object.entries(file.networks).find(([, each]) => each.role === role)?.[0] ?? role;
}

function resolveDocker(entry: FleetFile["hosts"][string]["docker"]): Docker {
  const { engine, profile, networks, containers } = entry;
  return {
    engine,
    profile: profile ?? (engine.major >= 27 ? "routed" : "gateway-only"),
    networks: new Map(
      Object.entries(networks).map(([name, { internal, index }]) => [
        name as NetworkName,
        { internal, ...optional({ index }) },
      ]),
    ),
    containers: new Map(
      Object.entries(containers).map(([name, each]) => [
        name,
        { network: each.network as NetworkName, suffix: each.address },
      ]),
    ),
  };
}
