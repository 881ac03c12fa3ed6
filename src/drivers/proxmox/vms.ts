import { Failure } from "../../base/failure.ts";
import type { Item, Value } from "../../change/item.ts";
import type { HypervisorDesired, VmDesired, VmNic } from "../../desired/desired.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { structure } from "../linux/guest-items.ts";
import { flagOf, type Pve, pathOf, type Row, textOf } from "./api.ts";
import { begunFrom } from "./begun.ts";
import { ipconfigKey, nicKey, setName, sourcesKey, vmKey } from "./convert.ts";

/** A VM as the node has it. `sets`: the sources of its NICs by the set's name; none where it was not asked for. */
export type Vm = {
  readonly config: Row;
  readonly running: boolean;
  /** Keys that wait for a restart. */
  readonly pending: readonly string[];
  readonly firewall: Row;
  readonly sets: ReadonlyMap<string, readonly string[]>;
};

export type Vms = {
  /** By number; those that are not there are left out, and those that were begun. */
  readonly found: ReadonlyMap<number, Vm>;
  /** Clones of an apply that did not end: as good as not there, but not to be copied again. */
  readonly begun: ReadonlyMap<number, Vm>;
  /** What people should know. */
  readonly notes: readonly string[];
};

export function vmPath(pve: Pve, id: number, ...more: readonly string[]): string {
  return pathOf("nodes", pve.node, "qemu", id, ...more);
}

/**
 * Reads the fleet's VMs. Rejects with E583 where the number is somebody else's, or nothing is there and nothing to
 * clone; with E554 where one is still being copied. `made`: clones of the apply that is under way, which are found
 * before they are finished.
 */
export async function readVms(
  pve: Pve,
  desired: HypervisorDesired,
  made: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Vms> {
  const { vms = [] } = desired.cluster ?? {};
  const found = new Map<number, Vm>();
  const begun = new Map<number, Vm>();
  if (vms.length === 0) return { found, begun, notes: [] };
  const all = await pve.list("/cluster/resources?type=vm", signal);
  const notes: string[] = [];
  for (const vm of vms) {
    const row = all.find((each) => textOf(each, "vmid") === String(vm.id));
    if (row === undefined && vm.clone === undefined) throw absent(pve, vm);
    if (row === undefined) continue;
    if (textOf(row, "lock") === "clone") throw copied(pve, vm);
    requireOwn(pve, vm, row);
    const read = await readVm(pve, vm, row, signal);
    const unfinished = !made.has(vm.id) && isBegun(pve, vm, read.config);
    (unfinished ? begun : found).set(vm.id, read);
    if (unfinished)
      notes.push(`${vm.name}: VM ${vm.id} was cloned by an apply that did not end; it is finished, not copied again`);
    else if (read.pending.length > 0)
      notes.push(`${vm.name}: ${read.pending.join(", ")} in force after a restart of the VM only`);
  }
  if (vms.some(isFiltered) && !flagOf(await pve.read("/cluster/firewall/options", signal), "enable"))
    notes.push(
      "anti-spoofing is not in force: the firewall of the datacenter is switched off (docs/hypervisor-proxmox.md)",
    );
  return { found, begun, notes };
}

/** A task of the node goes on when nobody waits for it any more. */
function copied(pve: Pve, { name, id }: VmDesired): Failure {
  return new Failure(
    "E554",
    pve.name,
    `VM ${id} for ${name} is still being copied from its template`,
    `wait for the task and plan again. Where no such task runs under Tasks on the node: qm unlock ${id} && qm destroy ${id}`,
  );
}

/** Rejects with E583 where the fleet would not make it so any more. */
function isBegun(pve: Pve, { name, id, clone }: VmDesired, config: Row): boolean {
  const template = begunFrom(config);
  if (template === undefined) return false;
  if (template === clone?.template) return true;
  throw new Failure(
    "E583",
    pve.name,
    `VM ${id} for ${name} was cloned from ${template} by an apply that did not end`,
    `name clone: ${template} for it again, or remove the VM in Proxmox: it never ran`,
  );
}

function isFiltered({ nics }: VmDesired): boolean {
  return nics.some(({ sources }) => sources !== undefined);
}

function absent(pve: Pve, { name, id }: VmDesired): Failure {
  return new Failure(
    "E583",
    pve.name,
    `No VM ${id} for ${name}`,
    "make it in Proxmox, or name the template to make it from with clone:",
  );
}

/** A number that was given to somebody else's VM must not cost it its NICs. */
function requireOwn(pve: Pve, { name, id }: VmDesired, row: Row): void {
  const say = (text: string, fix: string): Failure => new Failure("E583", pve.name, text, fix);
  const called = textOf(row, "name") ?? "";
  const node = textOf(row, "node") ?? "";
  if (textOf(row, "type") !== "qemu") throw say(`${id} is a container of Proxmox, not a VM`, "name the VM's number");
  if (flagOf(row, "template")) throw say(`VM ${id} is a template`, "name a VM; a template goes under clone:");
  if (called !== name)
    throw say(`VM ${id} is called "${called}", not "${name}"`, "name the machine's VM, or rename the VM in Proxmox");
  if (node !== pve.node) throw say(`VM ${id} is on node ${node}`, `put ${name} under that hypervisor`);
}

async function readVm(pve: Pve, vm: VmDesired, row: Row, signal?: AbortSignal): Promise<Vm> {
  const config = await pve.read(vmPath(pve, vm.id, "config"), signal);
  const waiting = await pve.list(vmPath(pve, vm.id, "pending"), signal);
  const pending = waiting
    .filter((each) => each["pending"] !== undefined || flagOf(each, "delete") || textOf(each, "delete") === "2")
    .map((each) => textOf(each, "key") ?? "")
    .filter((key) => /^(?:net|ipconfig)\d+$/.test(key));
  const firewall = await pve.read(vmPath(pve, vm.id, "firewall", "options"), signal);
  const there = await pve.list(vmPath(pve, vm.id, "firewall", "ipset"), signal);
  const sets = new Map<string, readonly string[]>();
  for (const [place] of vm.nics.entries()) {
    const set = there.find((each) => textOf(each, "name") === setName(place));
    if (set === undefined) continue;
    const entries = await pve.list(vmPath(pve, vm.id, "firewall", "ipset", setName(place)), signal);
    sets.set(
      setName(place),
      entries
        .map((entry) => `${flagOf(entry, "nomatch") ? "! " : ""}${canonical(textOf(entry, "cidr") ?? "")}`)
        .toSorted(),
    );
  }
  return { config, running: textOf(row, "status") === "running", pending, firewall, sets };
}

/** Proxmox writes single addresses without a length. */
export function canonical(cidr: string): string {
  return parsePrefix(cidr.includes("/") ? cidr : `${cidr}/128`) ?? cidr;
}

export function vmItemsIn({ found }: Vms, desired: HypervisorDesired): readonly Item[] {
  return (desired.cluster?.vms ?? []).flatMap((vm) => {
    const there = found.get(vm.id);
    return there === undefined ? [] : itemsOf(vm, there);
  });
}

function itemsOf({ name, id, nics }: VmDesired, vm: Vm): readonly Item[] {
  return [
    structure(vmKey(name), { id }),
    ...nics.flatMap((nic, place) => {
      const raw = textOf(vm.config, `net${place}`);
      const ipconfig = textOf(vm.config, `ipconfig${place}`);
      return [
        ...(raw === undefined ? [] : [structure(nicKey(name, place), nicIn(raw, nic))]),
        ...(nic.ipconfig === undefined || ipconfig === undefined
          ? []
          : [structure(ipconfigKey(name, place), ipconfig)]),
        ...sourcesIn(name, place, nic, vm),
      ];
    }),
  ];
}

function nicIn(raw: string, { sources }: VmNic): Value {
  const nic = parseNet(raw);
  return {
    bridge: nic.rest.get("bridge") ?? "none",
    mac: nic.mac?.toLowerCase() ?? "none",
    ...(sources === undefined ? {} : { filtered: nic.rest.get("firewall") === "1" }),
  };
}

/** Only where the fleet wants it: a set that is there without is the operator's own. */
function sourcesIn(name: string, place: number, { sources }: VmNic, { sets, firewall }: Vm): readonly Item[] {
  const set = sets.get(setName(place));
  if (sources === undefined || set === undefined) return [];
  return [structure(sourcesKey(name, place), { on: flagOf(firewall, "enable"), only: set })];
}

/** A NIC in Proxmox's words: `virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1`, or with model= and macaddr=. */
export type Net = { readonly model: string; readonly mac?: string; readonly rest: ReadonlyMap<string, string> };

const models = /^(?:virtio|vmxnet3|rtl8139|ne2k_pci|ne2k_isa|pcnet|i8255\w+|e1000\w*(?:-\w+)?)$/;

export function parseNet(raw: string): Net {
  const rest = new Map<string, string>();
  let model = "virtio";
  let mac: string | undefined;
  for (const part of raw.split(",")) {
    const [key = "", value = ""] = part.split(/=(.*)/s);
    if (key === "model") model = value;
    else if (key === "macaddr") mac = value;
    else if (models.test(key)) [model, mac] = [key, value || undefined];
    else if (key !== "") rest.set(key, value);
  }
  return { model, rest, ...(mac === undefined ? {} : { mac }) };
}

/** The MAC is always there: left out, Proxmox makes a new one, and a provider's prefix goes nowhere. */
export function formatNet({ model, rest }: Net, nic: VmNic): string {
  const all = new Map([...rest, ["bridge", nic.bridge]]);
  if (nic.sources !== undefined) all.set("firewall", "1");
  return [`${model}=${nic.mac.toUpperCase()}`, ...[...all].map(([key, value]) => `${key}=${value}`)].join(",");
}
