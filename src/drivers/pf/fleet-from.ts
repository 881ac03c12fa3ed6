import { isName } from "../../base/name.ts";
import { type Address, parseAddress } from "../../net/address.ts";
import { addressOf, type InterfaceAddress, linkOf, parseInterfaceAddress } from "../../net/interface-address.ts";
import { isUnicastMac, parseMac } from "../../net/mac.ts";
import { baseBits, baseOf, contains, lengthOf, type Prefix, parsePrefix, prefixOf } from "../../net/prefix.ts";
import type { FirewallConfig, FirewallInterface } from "./firewall-config.ts";
import { type ImportedHost, openingsFrom } from "./openings-from.ts";

/** A fleet file that describes what a firewall does today. What the file can't know is guessed, and marked as such. */
export type ImportedFleet = { readonly text: string; readonly guesses: number };

type Roles = {
  readonly uplink: FirewallInterface;
  readonly inside: FirewallInterface;
  readonly management?: FirewallInterface;
};

/** Throws an Error that says what is missing when it can't be told which interface is which. */
export function fleetFrom(config: FirewallConfig, kind: "pfsense" | "opnsense"): ImportedFleet {
  const prefix = delegatedIn(config);
  const roles = rolesIn(config, prefix);
  const hostLength = lengthOf(prefix) <= 60 ? 64 : 76;
  const hosts = hostsIn(config, prefix, hostLength);
  const openings = openingsFrom(config, roles.uplink.id, hosts);
  const lines = [
    `# Read from the configuration of ${config.hostname ?? "a firewall"}, ${kind}. Lines with "guess" are what it does not say:`,
    "# look at each before the first plan. `sixgate validate` checks the file, `sixgate explain FIELD` says what a field means.",
    "sixgate: 1",
    `fleet: ${nameOf(config.hostname ?? "imported")}`,
    `prefix: ${prefix}${guess("the /64 that the firewall's addresses are in")}`,
    `provider: { delivery: routed, next-hop: "${nextHopIn(config)}" }`,
    ...planLines(config, roles, prefix, hostLength),
    ...networkLines(roles),
    ...gatewayLines(config, roles, kind),
    ...hostLines(hosts),
    `policy: { between-hosts: ${isOpen(config, roles.inside.id, "between") ? "open" : "closed"}, egress: ${isOpen(config, roles.inside.id, "leaving") ? "open" : "closed"} }${guess("from the rules of the hosts' interface")}`,
    ...openings,
  ];
  const text = `${lines.join("\n")}\n`;
  return { text, guesses: text.split("# guess").length - 1 };
}

function guess(why: string): string {
  return `   # guess: ${why}`;
}

/** Global addresses of the firewall itself, with their lengths. */
function addressesIn(config: FirewallConfig, id?: string): readonly InterfaceAddress[] {
  return [
    ...config.interfaces.filter((each) => id === undefined || each.id === id).map(({ six }) => six),
    ...config.virtual.filter((each) => id === undefined || each.interface === id).map(({ address }) => address),
  ].flatMap((text) => {
    const parsed = text?.includes(":") === true ? parseInterfaceAddress(text) : undefined;
    return parsed === undefined ? [] : [parsed];
  });
}

function delegatedIn(config: FirewallConfig): Prefix {
  const counts = new Map<Prefix, number>();
  for (const each of addressesIn(config)) {
    const prefix = prefixOf(addressOf(each), 64);
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most === undefined) throw new Error("it has no fixed IPv6 address: which prefix is delegated can't be told");
  return most[0];
}

function rolesIn(config: FirewallConfig, prefix: Prefix): Roles {
  const way = config.gateways.find(({ name }) => name === config.default6)?.interface;
  const uplink = config.interfaces.find(({ id }) => id === (way ?? "wan"));
  const within = (each: FirewallInterface): number =>
    addressesIn(config, each.id).filter((a) => contains(prefix, addressOf(a))).length;
  const [inside] = config.interfaces
    .filter((each) => each !== uplink && within(each) > 0)
    .sort((a, b) => within(b) - within(a));
  if (uplink === undefined) throw new Error("it has no interface with a default gateway, and none named wan");
  if (inside === undefined)
    throw new Error(`no interface but ${uplink.id} has an address in ${prefix}: where the hosts are can't be told`);
  const management = config.interfaces.find(
    (each) => each !== uplink && each !== inside && each.four?.includes("/") === true,
  );
  return { uplink, inside, ...(management === undefined ? {} : { management }) };
}

function hostsIn(config: FirewallConfig, prefix: Prefix, hostLength: number): readonly ImportedHost[] {
  const hosts = new Map<Prefix, ImportedHost>();
  const names = new Set<string>();
  for (const route of config.routes) {
    const network = parsePrefix(route.network);
    if (network === undefined || !contains(prefix, network) || lengthOf(network) < hostLength) continue;
    const block = prefixOf(baseOf(network), hostLength);
    const slot = Number((baseBits(block) - baseBits(prefix)) >> BigInt(128 - hostLength));
    if (slot < 2 || hosts.has(block)) continue;
    const wanted = nameOf(route.gateway.startsWith("sg_") ? `vm${slot - 1}` : route.gateway);
    const name = names.has(wanted) ? `vm${slot - 1}` : wanted;
    names.add(name);
    hosts.set(block, { name, slot, block });
  }
  return [...hosts.values()].sort((a, b) => a.slot - b.slot);
}

/** What the file format takes as a name. */
function nameOf(text: string): string {
  const made = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 32)
    .replace(/-+$/, "");
  return isName(made) ? made : "imported";
}

function nextHopIn(config: FirewallConfig): Address | string {
  const address = config.gateways.find(({ name }) => name === config.default6)?.address;
  return parseAddress(address ?? "") ?? "fe80::1";
}

function planLines(config: FirewallConfig, { inside }: Roles, prefix: Prefix, hostLength: number): readonly string[] {
  const links = addressesIn(config, inside.id).filter((each) => contains(prefix, addressOf(each)));
  const lengths = new Set(links.map((each) => lengthOf(linkOf(each))));
  const [link] = lengths.size === 1 ? [...lengths] : [];
  const perNetwork = config.routes.some(({ network }) => network.endsWith("/80"));
  const fields = [
    ...(link === undefined || link === 80 ? [] : [`link: /${link}`]),
    ...(perNetwork ? ["routes: network"] : []),
  ];
  if (link !== undefined && link < hostLength)
    return [`# its addresses have the length /${link}, longer than a host's block: the plan's own is used`];
  return fields.length === 0 ? [] : [`plan: { ${fields.join(", ")} }`];
}

function networkLines({ management }: Roles): readonly string[] {
  const four = management?.four;
  return [
    "networks:",
    "  wan: { role: uplink }",
    ...(four === undefined ? [] : [`  mgmt: { role: management, ipv4: ${networkOf4(four)} }`]),
    "  lan: { role: hosts }",
  ];
}

function networkOf4(text: string): string {
  const [address = "", length = "24"] = text.split("/");
  const mask = Number(length) === 0 ? 0 : (0xffffffff << (32 - Number(length))) >>> 0;
  const bits = address.split(".").reduce((sum, each) => sum * 256 + Number(each), 0);
  const base = (bits & mask) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (base >>> shift) & 255).join(".")}/${length}`;
}

function gatewayLines(config: FirewallConfig, { uplink, inside, management }: Roles, kind: string): readonly string[] {
  const hop4 = config.gateways.find(({ name }) => name === config.default4)?.address;
  const four =
    uplink.four?.includes("/") === true
      ? `, ipv4: ${uplink.four}${hop4 === undefined ? "" : `, gateway: ${hop4}`}`
      : "";
  const secret = kind === "opnsense" ? ", secret: env:FW_SECRET" : "";
  return [
    "gateway:",
    `  name: ${nameOf(config.hostname ?? "fw")}`,
    `  kind: ${kind}`,
    `  # api: { url: "https://${management?.four?.split("/")[0] ?? "ADDRESS"}", key: env:FW_KEY${secret} }`,
    `  # exec: ssh:root@${management?.four?.split("/")[0] ?? "ADDRESS"}`,
    `  uplink:     { device: ${uplink.device}, ${macField(uplink, 1)}${four} }${macGuess(uplink)}`,
    ...(management === undefined
      ? []
      : [
          `  management: { device: ${management.device}, ${macField(management, 2)}, ipv4: ${management.four} }${macGuess(management)}`,
        ]),
    `  hosts:      { device: ${inside.device}, ${macField(inside, 3)} }${macGuess(inside)}`,
  ];
}

function macField({ mac }: FirewallInterface, place: number): string {
  return `mac: "${ownMac(mac) ?? `02:00:00:00:ff:0${place}`}"`;
}

function ownMac(text: string | undefined): string | undefined {
  const parsed = parseMac(text ?? "");
  return parsed !== undefined && isUnicastMac(parsed) ? parsed : undefined;
}

function macGuess({ mac, device }: FirewallInterface): string {
  return ownMac(mac) === undefined ? guess(`as \`ifconfig ${device}\` shows it`) : "";
}

function hostLines(hosts: readonly ImportedHost[]): readonly string[] {
  if (hosts.length === 0) return ["hosts: {}   # guess: the firewall has no route to a host"];
  return [
    "hosts:",
    ...hosts.flatMap(({ name, slot, block }) => {
      const mac = `02:00:00:00:${(slot >> 8).toString(16).padStart(2, "0")}:${(slot & 255).toString(16).padStart(2, "0")}`;
      return [
        `  ${name}:`,
        `    slot: ${slot}   # ${block}`,
        `    public: { device: eth1, mac: "${mac}" }${guess("as `ip link` on the host shows them")}`,
        `    docker: { engine: "28.5" }${guess("as `docker version` on the host shows it")}`,
      ];
    }),
  ];
}

/** Whether the hosts' interface lets everything out, and from host to host. */
function isOpen(config: FirewallConfig, inside: string, way: "between" | "leaving"): boolean {
  return config.rules.some((rule) => {
    if (!rule.six || !rule.interfaces.includes(inside) || rule.protocol !== undefined || rule.ports !== undefined)
      return false;
    const everywhere = rule.to === "any" && !rule.notTo;
    return way === "leaving" ? everywhere || rule.notTo : everywhere || (rule.to === "sg_hosts" && !rule.notTo);
  });
}
