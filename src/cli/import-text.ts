import { isName } from "../base/name.ts";
import { printable } from "../base/printable.ts";
import { parseInterfaceAddress } from "../net/interface-address.ts";
import { contains4, parseAddress4, parseInterfaceAddress4, prefix4Of } from "../net/ipv4.ts";
import { parseMac } from "../net/mac.ts";
import { prefixOf } from "../net/prefix.ts";

export type FoundBridge = {
  readonly name: string;
  readonly port?: string;
  readonly cidr?: string;
  readonly gateway?: string;
  readonly cidr6?: string;
};
export type FoundVm = {
  readonly id: number;
  readonly name: string;
  /** net0 first. */
  readonly nics: readonly { readonly bridge: string; readonly mac: string }[];
};
export type FoundHypervisor = {
  readonly node: string;
  readonly bridges: readonly FoundBridge[];
  readonly vms: readonly FoundVm[];
  /** Lines under `kind: proxmox` that say how it is reached. */
  readonly reach: readonly string[];
};

type Roles = { readonly uplink?: FoundBridge; readonly hosts?: FoundBridge; readonly management?: FoundBridge };

const guess = "# guess:";
const defaultPrefix = "2001:db8:1234:321d::/64";

/** A fleet file of what was found. What was not there to be read is a guess, and says so behind `# guess:`. */
export function fleetOfHypervisor(found: FoundHypervisor): string {
  const roles = rolesOf(found.bridges);
  const gateway = found.vms.find((vm) => vm.nics.some(({ bridge }) => bridge === roles.uplink?.name));
  const hosts = found.vms.filter((vm) => vm !== gateway && vm.nics.some(({ bridge }) => bridge === roles.hosts?.name));
  return [
    "sixgate: 1",
    "fleet: imported                         # guess: a name of yours; MAC addresses may be derived from it",
    prefixLine(found.bridges),
    "provider: { delivery: routed, next-hop: fe80::1 }  # guess: as at Hetzner",
    "",
    ...networkLines(roles),
    "",
    ...hypervisorLines(found, roles, [gateway, ...hosts]),
    "",
    ...gatewayLines(found, roles, gateway),
    "",
    ...hostLines(found, roles, hosts),
    "",
  ].join("\n");
}

/** The bridge with the default route leads out; of the others one with an address is for people, one without for hosts. */
function rolesOf(bridges: readonly FoundBridge[]): Roles {
  const uplink = bridges.find(({ gateway }) => gateway !== undefined) ?? bridges.find(({ port }) => port !== undefined);
  const rest = bridges.filter((bridge) => bridge !== uplink);
  const hosts = rest.filter(({ cidr }) => cidr === undefined).at(-1) ?? rest.at(-1);
  const management = rest.find((bridge) => bridge !== hosts);
  return {
    ...(uplink === undefined ? {} : { uplink }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(management === undefined ? {} : { management }),
  };
}

function prefixLine(bridges: readonly FoundBridge[]): string {
  for (const { name, cidr6 } of bridges) {
    const address = cidr6 === undefined ? undefined : parseInterfaceAddress(cidr6);
    if (address !== undefined && !address.startsWith("fe80:"))
      return `prefix: ${prefixOf(address.slice(0, address.indexOf("/")) as Parameters<typeof prefixOf>[0], 64)}  ${guess} the /64 around the address of ${name}`;
  }
  return `prefix: ${defaultPrefix}      ${guess} none was found; write the one that your provider gave you`;
}

function networkLines({ uplink, management }: Roles): readonly string[] {
  const ipv4 = (bridge: FoundBridge | undefined): string => {
    const parsed = parseInterfaceAddress4(bridge?.cidr ?? "");
    return parsed === undefined || parsed.endsWith("/32") ? "" : `, ipv4: ${prefix4Of(parsed)}`;
  };
  return [
    "networks:",
    `  wan: { role: uplink${ipv4(uplink)} }`,
    ...(management === undefined ? [] : [`  mgmt: { role: management${ipv4(management)} }`]),
    "  lan: { role: hosts }",
  ];
}

function hypervisorLines(
  found: FoundHypervisor,
  roles: Roles,
  vms: readonly (FoundVm | undefined)[],
): readonly string[] {
  const named = vms.flatMap((vm) => (vm !== undefined && isName(vm.name) ? [vm] : []));
  const withApi = found.reach.some((line) => line.startsWith("api:"));
  return [
    "hypervisors:",
    `  ${nameOf(found.node)}:`,
    "    kind: proxmox",
    ...found.reach.map((line) => `    ${line}`),
    ...(named.length > 0 && withApi
      ? ["    vms:", ...named.map((vm) => `      ${vm.name}: { id: ${vm.id}${orderOf(vm, roles, vm === vms[0])} }`)]
      : []),
    "    bridges:",
    ...found.bridges.map((bridge) => bridgeLine(bridge, roles)),
  ];
}

/** The order that the VM's NICs have now, so that none is plugged elsewhere. */
function orderOf({ nics }: FoundVm, roles: Roles, isGateway: boolean): string {
  const wanted = [
    ...(isGateway ? ["uplink" as const] : []),
    ...(roles.management === undefined ? [] : ["management" as const]),
    "hosts" as const,
  ];
  const now = nics.flatMap(({ bridge }) => wanted.find((role) => roles[role]?.name === bridge) ?? []);
  return now.length === wanted.length && new Set(now).size === now.length ? `, nics: [${now.join(", ")}]` : "";
}

function bridgeLine(bridge: FoundBridge, roles: Roles): string {
  const { name, port, cidr, gateway } = bridge;
  const role = (["uplink", "management", "hosts"] as const).find((each) => roles[each] === bridge);
  if (role === undefined) return `      # ${printable(name)} is left alone: no network of the fleet is on it`;
  const network = { uplink: "wan", management: "mgmt", hosts: "lan" }[role];
  const address = parseInterfaceAddress4(cidr ?? "");
  const via = parseAddress4(gateway ?? "");
  const outside =
    address !== undefined && via !== undefined && !address.endsWith("/32") && !contains4(prefix4Of(address), via);
  const fields = [
    `network: ${network}`,
    ...(port === undefined ? [] : [`port: ${printable(port)}`]),
    ...(address === undefined ? [] : [`ipv4: ${address}`]),
    ...(via === undefined ? [] : [`gateway: ${via}`]),
  ];
  const note = outside
    ? `  # look: the gateway is outside ${prefix4Of(address)}; a typing error, or the address should be a /32`
    : role === "uplink"
      ? ""
      : `  ${guess} ${role === "hosts" ? "the public addresses of the hosts" : "for people, IPv4 only"}`;
  return `      ${printable(name)}: { ${fields.join(", ")} }${note}`;
}

function gatewayLines(found: FoundHypervisor, roles: Roles, vm: FoundVm | undefined): readonly string[] {
  const mac = macOn(vm, roles.uplink);
  return [
    "gateway:",
    `  name: ${vm !== undefined && isName(vm.name) ? vm.name : "fw"}${vm === undefined ? `                              ${guess} no VM with a NIC on the uplink was found` : ""}`,
    `  kind: nftables                        ${guess} or pfsense, opnsense`,
    `  on: ${nameOf(found.node)}`,
    `  uplink: { device: eth0, mac: "${mac ?? "00:50:56:00:00:01"}" }  ${guess} ${mac === undefined ? "device and MAC; the MAC has to be the one that the provider registered" : "the device"}`,
    `  hosts: { device: eth${roles.management === undefined ? 1 : 2}${macField(vm, roles.hosts)} }  ${guess} the device`,
    ...(roles.management === undefined
      ? []
      : [
          `  management: { device: eth1${macField(vm, roles.management)} }  ${guess} the device; add its ipv4, and admins: below`,
        ]),
  ];
}

function hostLines(found: FoundHypervisor, roles: Roles, vms: readonly FoundVm[]): readonly string[] {
  const named = vms.filter(({ name }) => isName(name));
  const others = vms.filter(({ name }) => !isName(name));
  return [
    named.length === 0
      ? `hosts: {}                               ${guess} no VM on the hosts' bridge was found`
      : "hosts:",
    ...named.flatMap((vm) => [
      `  ${vm.name}:`,
      `    on: ${nameOf(found.node)}`,
      `    public: { device: ${roles.management === undefined ? "eth0" : "eth1"}${macField(vm, roles.hosts)} }  ${guess} the device`,
      ...(roles.management === undefined || macOn(vm, roles.management) === undefined
        ? []
        : [`    management: { device: eth0${macField(vm, roles.management)} }  ${guess} the device; add its ipv4`]),
      `    docker: { engine: "28.5" }          ${guess} the version; \`sixgate import docker\` on the host reads it`,
    ]),
    ...others.map(({ id, name }) => `  # VM ${id} "${printable(name)}" has no name that a host can have`),
  ];
}

function macOn(vm: FoundVm | undefined, bridge: FoundBridge | undefined): string | undefined {
  const found = vm?.nics.find((nic) => nic.bridge === bridge?.name)?.mac;
  return found === undefined ? undefined : parseMac(found);
}

function macField(vm: FoundVm | undefined, bridge: FoundBridge | undefined): string {
  const mac = macOn(vm, bridge);
  return mac === undefined ? "" : `, mac: "${mac}"`;
}

function nameOf(node: string): string {
  const name = node.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-");
  return isName(name) ? name : "pve";
}
