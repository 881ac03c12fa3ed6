import type { Findings } from "./findings.ts";
import type { Fleet, Hypervisor, Vm } from "./fleet.ts";
import type { Path } from "./places.ts";
import type { FleetFile } from "./schema.ts";

/** How hypervisors and the provider are reached, and which VMs are whose. */
export function checkHypervisors(fleet: Fleet, file: FleetFile, findings: Findings): void {
  for (const [name, hypervisor] of fleet.hypervisors) {
    const path = ["hypervisors", name];
    checkWays(hypervisor, path, findings);
    checkTls(file.hypervisors[name]?.api, path, findings);
    checkVms(fleet, name, hypervisor, findings);
  }
  checkProvider(fleet, file, findings);
}

function checkWays({ kind, reach, api, exec, vms }: Hypervisor, path: Path, findings: Findings): void {
  const say = (key: string, text: string, fix: string): void => findings.error("E280", [...path, key], text, fix);
  if (api !== undefined && kind !== "proxmox")
    say("api", "Only Proxmox has an API", "reach it with reach: ssh:root@host");
  if (api !== undefined && reach.kind !== "none")
    say("reach", "Reached by its API and by reach", "take one away; the shell beside the API is exec: ssh:root@host");
  if (exec !== undefined && api === undefined)
    say("exec", "exec is for what the API lacks, and there is no api", "write reach: ssh:root@host");
  if (vms.size > 0 && api === undefined)
    say("vms", "VMs are set over the API of Proxmox", "add api: with its url and key");
  if (api?.secret !== undefined)
    say("api", "Proxmox has one token, no secret", "write USER@REALM!ID=UUID where key: points to");
}

function checkTls(api: FleetFile["hypervisors"][string]["api"], path: Path, findings: Findings): void {
  const tls = api?.tls;
  if (tls !== undefined && (tls.fingerprint === undefined) === (tls.ca === undefined))
    findings.error(
      "E272",
      [...path, "api", "tls"],
      "Not one of fingerprint and ca",
      "name the one that is to be believed",
    );
}

function checkVms(fleet: Fleet, name: string, { vms }: Hypervisor, findings: Findings): void {
  const taken = new Map<number, string>();
  for (const [machine, vm] of vms) {
    const path = ["hypervisors", name, "vms", machine];
    const host = [...fleet.hosts.values()].find((each) => String(each.name) === machine);
    const on = machine === fleet.gateway.name ? fleet.gateway.on : host?.on;
    if (on !== name)
      findings.error(
        "E281",
        path,
        `${machine} does not run on ${name}`,
        `write on: ${name} at the machine, or take the VM away`,
      );
    const other = taken.get(vm.id);
    if (other !== undefined)
      findings.error(
        "E282",
        [...path, "id"],
        `${vm.id} is also ${other}`,
        "give each VM the number that Proxmox shows",
      );
    taken.set(vm.id, machine);
    checkFilter(fleet, machine, vm, path, findings);
    checkOrder(fleet, machine, vm, path, findings);
  }
}

/** The filter knows source addresses, and what a router forwards has others' (facts of PVE's ipfilter). */
function checkFilter(fleet: Fleet, machine: string, vm: Vm, path: Path, findings: Findings): void {
  if (!vm.antiSpoofing || machine !== fleet.gateway.name) return;
  findings.error(
    "E283",
    [...path, "anti-spoofing"],
    `${machine} forwards packets of all hosts, the filter would drop them`,
    "take anti-spoofing away at the gateway; it is for hosts",
  );
}

function checkOrder(fleet: Fleet, machine: string, { nics }: Vm, path: Path, findings: Findings): void {
  if (nics === undefined) return;
  const host = [...fleet.hosts.values()].find((each) => String(each.name) === machine);
  const gateway = machine === fleet.gateway.name ? fleet.gateway : undefined;
  const management = (gateway ?? host)?.management === undefined ? [] : ["management"];
  const has = [...(gateway === undefined ? [] : ["uplink"]), ...management, "hosts"];
  if (nics.toSorted().join() === has.toSorted().join()) return;
  findings.error("E284", [...path, "nics"], `Not the NICs of ${machine}`, `name each once: ${has.join(", ")}`);
}

function checkProvider(fleet: Fleet, file: FleetFile, findings: Findings): void {
  const { api, name, delivery } = fleet.provider;
  if (api === undefined) return;
  const say = (text: string, fix: string): void => findings.error("E285", ["provider", "api"], text, fix);
  if (name !== "hetzner") say("Only Hetzner's Robot is known", "write name: hetzner, or take api away");
  if (delivery !== "routed") say("Robot is about prefixes that are routed to a MAC", "write delivery: routed");
  if (api.secret === undefined) say("Robot wants a user and a password", "add secret: beside key:");
  checkTls(file.provider.api, ["provider"], findings);
}
