import { printable } from "../../base/printable.ts";
import type { Item } from "../../change/item.ts";
import type { BridgeDesired, HypervisorDesired, VmDesired, VmNic } from "../../desired/desired.ts";
import { quoteWord } from "../../runtime/shell-ssh.ts";
import type { RenderedFile } from "../driver.ts";
import { inOrder, structure } from "../linux/guest-items.ts";
import { silences } from "../linux/silence.ts";

export const interfacesPath = "/etc/network/interfaces";

/** Starts our line of an interface's comment; the driver for the file without the API has the same. */
const mark = "sixgate";

export function isMark(line: string): boolean {
  return line === mark || line.startsWith(`${mark}: `);
}

export function markOf({ comment }: BridgeDesired): string {
  return `${mark}${comment === "" ? "" : `: ${printable(comment)}`}`;
}

export function bridgeKey(name: string): string {
  return `bridge ${name}`;
}

/** Lines of a stanza that the API keeps but can't write. */
export function linesKey(name: string): string {
  return `lines ${name}`;
}

export function vmKey(vm: string): string {
  return `vm ${vm}`;
}

export function nicKey(vm: string, place: number): string {
  return `nic ${vm} net${place}`;
}

export function ipconfigKey(vm: string, place: number): string {
  return `ipconfig ${vm} ipconfig${place}`;
}

export function sourcesKey(vm: string, place: number): string {
  return `sources ${vm} net${place}`;
}

export function silencing(bridge: BridgeDesired): readonly string[] {
  return bridge.silent
    ? ["ipv6-addrgen off", ...silences(bridge).map(({ key, value }) => `post-up sysctl -w ${key}=${value}`)]
    : [];
}

/** Proxmox's own name for the set that its firewall takes as the sources allowed on a NIC. */
export function setName(place: number): string {
  return `ipfilter-net${place}`;
}

export function normalize(desired: HypervisorDesired): readonly Item[] {
  const { vms = [], shell = false } = desired.cluster ?? {};
  return inOrder([
    ...desired.bridges.flatMap((bridge) => [
      structure(bridgeKey(bridge.name), bridgeValue(bridge)),
      ...(shell ? [structure(linesKey(bridge.name), silencing(bridge))] : []),
    ]),
    ...vms.flatMap(vmItems),
  ]);
}

function bridgeValue(bridge: BridgeDesired): Item["value"] {
  const { port, address4, gateway4 } = bridge;
  return {
    type: "bridge",
    active: true,
    autostart: true,
    port: port ?? "none",
    address4: address4 ?? "none",
    gateway4: gateway4 ?? "none",
    address6: "none",
    comment: markOf(bridge),
  };
}

function vmItems({ name, id, nics }: VmDesired): readonly Item[] {
  return [
    structure(vmKey(name), { id }),
    ...nics.flatMap((nic, place) => [
      structure(nicKey(name, place), nicValue(nic)),
      ...(nic.ipconfig === undefined ? [] : [structure(ipconfigKey(name, place), nic.ipconfig)]),
      ...(nic.sources === undefined ? [] : [structure(sourcesKey(name, place), { on: true, only: nic.sources })]),
    ]),
  ];
}

/** `filtered`: the NIC's own switch for Proxmox's firewall, said only where the fleet wants it on. */
function nicValue({ bridge, mac, sources }: VmNic): Item["value"] {
  return { bridge, mac, ...(sources === undefined ? {} : { filtered: true }) };
}

/** The file as Proxmox would write it where there is none yet, and the same for the VMs by hand. */
export function render(desired: HypervisorDesired): readonly RenderedFile[] {
  const ports = new Set(desired.bridges.flatMap(({ port }) => (port === undefined ? [] : [port])));
  const text = [
    "auto lo\niface lo inet loopback\n",
    ...[...ports].map((port) => `iface ${port} inet manual\n`),
    ...desired.bridges.map(stanza),
  ].join("\n");
  const vms = desired.cluster?.vms ?? [];
  return [
    { path: interfacesPath, text },
    ...(vms.length === 0 ? [] : [{ path: "/root/sixgate-vms.sh", text: commands(vms), mode: 0o700 }]),
  ];
}

function stanza(bridge: BridgeDesired): string {
  const { name, port, address4, gateway4 } = bridge;
  return [
    `auto ${name}`,
    `iface ${name} inet ${address4 === undefined ? "manual" : "static"}`,
    ...(address4 === undefined ? [] : [`\taddress ${address4}`]),
    ...(gateway4 === undefined ? [] : [`\tgateway ${gateway4}`]),
    `\tbridge-ports ${port ?? "none"}`,
    "\tbridge-stp off",
    "\tbridge-fd 0",
    ...silencing(bridge).map((line) => `\t${line}`),
    `#${markOf(bridge)}`,
    "",
  ].join("\n");
}

/** `qm` on the node, for those who use no API. A NIC keeps what else is said of it only with the API. */
function commands(vms: readonly VmDesired[]): string {
  const lines = vms.flatMap(({ id, name, nics }) => [
    `# ${name}`,
    ...nics.flatMap(({ bridge, mac, ipconfig, sources }, place) => [
      `qm set ${id} --net${place} virtio=${mac.toUpperCase()},bridge=${bridge}${sources === undefined ? "" : ",firewall=1"}`,
      ...(ipconfig === undefined ? [] : [`qm set ${id} --ipconfig${place} ${quoteWord(ipconfig)}`]),
    ]),
  ]);
  return `#!/bin/sh\nset -e\n${lines.join("\n")}\n`;
}
