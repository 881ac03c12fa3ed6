import type { DeviceName, HostName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { isUnicastMac } from "../net/mac.ts";
import type { Findings } from "./findings.ts";
import type { Fleet, Hypervisor } from "./fleet.ts";
import { bridgesOf, type NicEntry, nicsOf } from "./interface-entry.ts";
import { type Path, pathText } from "./places.ts";

/** Machines by name, their NICs, and what they run on. */
export function checkMachines(fleet: Fleet, findings: Findings): void {
  checkNames(fleet, findings);
  checkHypervisors(fleet, findings);
  checkMacs(fleet, findings);
  checkDevices(fleet, findings);
  for (const entry of nicsOf(fleet)) checkNic(fleet, entry, findings);
  checkReach(fleet, findings);
  checkAccess(fleet, findings);
}

function checkNames(fleet: Fleet, findings: Findings): void {
  const taken = new Map<string, string>([[fleet.gateway.name, "the gateway"]]);
  for (const name of fleet.hypervisors.keys()) claim(name, "a hypervisor", ["hypervisors", name]);
  for (const name of fleet.hosts.keys()) claim(name, "a host", ["hosts", name]);
  if (fleet.groups.has("any"))
    findings.error("E235", ["groups", "any"], "Group name any means everywhere already", "choose another name");

  function claim(name: string, as: string, path: Path): void {
    const other = taken.get(name);
    if (other !== undefined) findings.error("E231", path, `${quote(name)} is ${other} already`, "choose another name");
    taken.set(name, as);
  }
}

function checkHypervisors(fleet: Fleet, findings: Findings): void {
  const known = [...fleet.hypervisors.keys()];
  const machines = [
    { path: ["gateway", "on"], on: fleet.gateway.on },
    ...[...fleet.hosts.values()].map(({ name, on }) => ({ path: ["hosts", name, "on"], on })),
  ];
  for (const { path, on } of machines) {
    if (on === undefined || fleet.hypervisors.has(on)) continue;
    const fix = known.length === 0 ? "add it under hypervisors, or take `on` away" : `use one of ${known.join(", ")}`;
    findings.error("E224", path, `Unknown hypervisor ${quote(on)}${didYouMean(on, known)}`, fix);
  }
}

function checkMacs(fleet: Fleet, findings: Findings): void {
  const taken = new Map<string, Path>();
  for (const { path, nic } of nicsOf(fleet)) {
    const other = taken.get(nic.mac);
    if (!isUnicastMac(nic.mac)) {
      findings.error(
        "E205",
        [...path, "mac"],
        `${nic.mac} is a group address or zero, no interface can have it`,
        "the second hex digit of a NIC's MAC is even, for example 02:00:5e:00:53:01",
      );
    } else if (other !== undefined) {
      findings.error(
        "E204",
        [...path, "mac"],
        `${nic.mac} is also that of ${pathText(other)}`,
        "give each NIC its own; on one bridge both would fail",
      );
    }
    taken.set(nic.mac, path);
  }
}

function checkDevices(fleet: Fleet, findings: Findings): void {
  const taken = new Map<string, Path>();
  for (const { machine, path, nic } of nicsOf(fleet)) {
    const other = taken.get(`${machine} ${nic.device}`);
    if (other !== undefined)
      findings.error("E232", [...path, "device"], `${nic.device} is also ${pathText(other)}`, "name another interface");
    taken.set(`${machine} ${nic.device}`, path);
  }
}

function checkNic(fleet: Fleet, entry: NicEntry, findings: Findings): void {
  const { path, nic } = entry;
  const network = fleet.networks.get(nic.network);
  const role = roleOf(path);
  if (network === undefined) {
    // A missing role has its own error; a name that the file gives has to be known.
    if (nic.network === role && role !== "management") return;
    const known = [...fleet.networks.keys()];
    findings.error(
      "E224",
      [...path, "network"],
      `Unknown network ${quote(nic.network)}${didYouMean(nic.network, known)}`,
      `add a network with role: ${role}, or name one of ${known.join(", ")}`,
    );
  } else if (network.role !== role) {
    findings.error(
      "E234",
      [...path, "network"],
      `Network ${nic.network} has the role ${network.role}, this interface needs ${role}`,
      `name a network with role: ${role}`,
    );
  }
  checkOrigin(fleet, entry, findings);
}

function roleOf(path: Path): "uplink" | "hosts" | "management" {
  const last = path.at(-1);
  return last === "uplink" || last === "management" ? last : "hosts";
}

/** Who makes the NIC, and so who knows its MAC. */
function checkOrigin(fleet: Fleet, { machine, path, nic }: NicEntry, findings: Findings): void {
  const on = homeOf(fleet, machine);
  if (on === undefined) {
    if (!nic.macGiven)
      findings.error(
        "E203",
        path,
        `MAC missing: no hypervisor of the fleet makes ${nic.device} of ${machine}`,
        "add mac: as `ip link` on the machine shows it; anti-spoofing binds it to the block",
      );
    return;
  }
  const hypervisor = fleet.hypervisors.get(on as DeviceName);
  if (hypervisor === undefined) return;
  if (!fleet.networks.has(nic.network)) return;
  const bridge = bridgeFor(hypervisor, nic.network);
  if (bridge === undefined) {
    findings.error(
      "E230",
      path,
      `${on} has no bridge for network ${nic.network}`,
      `add one under hypervisors.${on}.bridges`,
    );
  } else if (bridge.port !== undefined && !nic.macGiven && fleet.networks.get(nic.network)?.role === "uplink") {
    findings.error(
      "E202",
      path,
      `MAC missing on a bridge with the physical port ${bridge.port}: providers block a server that shows unknown MACs`,
      "add mac: with the one that the provider registered for this machine",
    );
  }
}

function bridgeFor(hypervisor: Hypervisor, network: string): { readonly port?: string } | undefined {
  return [...hypervisor.bridges.values()].find((bridge) => bridge.network === network);
}

/** A bridge without a port ends in its hypervisor: machines elsewhere on the same network are not reached over it. */
function checkReach(fleet: Fleet, findings: Findings): void {
  const homes = new Map<string, Set<string | undefined>>();
  for (const { machine, nic } of nicsOf(fleet)) {
    const home = homeOf(fleet, machine);
    if (home !== undefined && !fleet.hypervisors.has(home as DeviceName)) continue;
    homes.set(nic.network, (homes.get(nic.network) ?? new Set()).add(home));
  }
  for (const { machine, name, path, bridge } of bridgesOf(fleet)) {
    const others = homes.get(bridge.network);
    if (bridge.port !== undefined || others === undefined || others.size < 2 || !others.has(machine)) continue;
    const text = `Network ${bridge.network} has machines outside ${machine} too, but ${name} has no port that leads to them`;
    findings.warning("W209", path, text, "add the physical port, or a VLAN interface, that connects the two sides");
  }
}

function homeOf(fleet: Fleet, machine: string): string | undefined {
  return machine === fleet.gateway.name ? fleet.gateway.on : fleet.hosts.get(machine as HostName)?.on;
}

function checkAccess(fleet: Fleet, findings: Findings): void {
  const { reach, management, admins, name } = fleet.gateway;
  if (reach.kind !== "ssh" || (management !== undefined && admins.length > 0)) return;
  const text = management === undefined ? "has no management interface" : "lets no admins in";
  findings.warning(
    "W208",
    ["gateway"],
    `${name} is reached by SSH, but it ${text}: an apply would lock you out`,
    "add gateway.management and gateway.admins with the prefix you come from",
  );
}
