import { isName } from "../../base/name.ts";
import { printable } from "../../base/printable.ts";
import { type Address, fromBits, parseAddress, toBits } from "../../net/address.ts";
import { baseOf, contains, lengthOf, type Prefix, parsePrefix, prefixOf, sizeOf } from "../../net/prefix.ts";
import { type FoundContainer, type FoundEngine, type FoundNetwork, foundIn } from "./found.ts";
import { builtInNetworks } from "./network.ts";
import { firstRouted } from "./profile.ts";

/** What the answers of an engine do not say, and whoever asked knows. */
export type ImportedHost = { readonly host?: string; readonly reach?: string };

const guess = "# guess:";
const example = "2001:db8:1234:321d::/64";

/**
 * A fleet file with one host, from what its Docker prints as JSON. Nothing becomes open by it: what was published is a
 * comment with the label to write. Throws an Error that says why it can't be read.
 */
export function importDocker(text: string, by: ImportedHost = {}): { readonly text: string; readonly guesses: number } {
  const found = foundIn(text);
  const lines = [...fleetLines(found), ...hostLines(found, by), ...labelLines(found.containers), ""];
  return { text: lines.join("\n"), guesses: lines.filter((line) => line.includes(guess)).length };
}

function fleetLines({ networks }: FoundEngine): readonly string[] {
  const own = networks.flatMap(({ name, six }) => six.flatMap((each) => globalIn(name, each)))[0];
  return [
    "sixgate: 1",
    `fleet: imported                         ${guess} a name of yours; MAC addresses may be derived from it`,
    own === undefined
      ? `prefix: ${example}      ${guess} Docker has no public IPv6 prefix; write the one that your provider gave you`
      : `prefix: ${own.prefix}      ${guess} the /64 around network ${own.name}`,
    `provider: { delivery: routed, next-hop: "fe80::1" }  ${guess} how the prefix arrives`,
    "",
    "networks:",
    "  wan: { role: uplink }",
    "  lan: { role: hosts }",
    "",
    "gateway:",
    `  kind: nftables                        ${guess} or pfsense, opnsense; it stands outside this host`,
    `  uplink: { device: eth0, mac: "00:50:56:00:00:01" }  ${guess} device and MAC`,
    `  hosts: { device: eth1, mac: "02:00:00:00:00:01" }  ${guess} device and MAC`,
    "",
  ];
}

/** Not of fc00::/7 or fe80::/10: those are nobody's delegation. */
function globalIn(name: string, text: string): readonly { readonly name: string; readonly prefix: Prefix }[] {
  const subnet = parsePrefix(text);
  if (subnet === undefined || /^f[cde]/.test(subnet) || lengthOf(subnet) < 64) return [];
  return [{ name: printable(name), prefix: prefixOf(baseOf(subnet), 64) }];
}

function hostLines({ version, networks, containers }: FoundEngine, { host, reach }: ImportedHost): readonly string[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  const user = networks.filter(({ name }) => !builtInNetworks.includes(name));
  const known = user.filter((each) => each.driver === "bridge" && isName(each.name));
  const named = host !== undefined && isName(host);
  return [
    "hosts:",
    named ? `  ${keyOf(host)}:` : `  vm1:                                  ${guess} its name`,
    reach === undefined
      ? `    reach: none                         ${guess} local, or ssh:root@host`
      : `    reach: ${reach}`,
    `    public: { device: eth0, mac: "02:00:00:00:00:02" }  ${guess} the interface to the gateway, and its MAC`,
    "    docker:",
    major === undefined || minor === undefined
      ? `      engine: "28.5"                    ${guess} no answer of docker version was among them`
      : `      engine: "${major}.${minor}"`,
    profileLine(Number(major ?? firstRouted), containers),
    ...(known.length === 0
      ? ["      networks: {}                      # Docker has no bridge network but its own"]
      : ["      networks:", ...known.map(networkLine)]),
    ...user.filter((each) => !known.includes(each)).map(leftOut),
    ...addressLines(known, containers),
    "",
  ];
}

/** Published ports work on as they did only where Docker does not route: from 27 on that is to be chosen. */
function profileLine(major: number, containers: readonly FoundContainer[]): string {
  if (major < firstRouted) return "      profile: gateway-only             # what an engine before 27 can do";
  const some = containers.some(({ published }) => published.length > 0);
  return `      profile: ${some ? "two-gates" : "routed"}                ${guess} ${some ? "some ports are published: with routed the gateway alone decides" : "two-gates, where ports have to be published too"}`;
}

function networkLine({ name, internal, six }: FoundNetwork): string {
  const now =
    six.length === 0 ? "" : `  # now ${six.map(printable).join(", ")}; sixgate makes it anew with a prefix of the plan`;
  return `        ${keyOf(name)}: {${internal ? " internal: true " : ""}}${now}`;
}

function leftOut({ name, driver }: FoundNetwork): string {
  const why = driver === "bridge" ? "a name of a-z, 0-9 and - has to be given to it" : `driver ${printable(driver)}`;
  return `        # network "${printable(name)}" is left out: ${why}`;
}

/** Addresses that people set, as the part behind the network. */
function addressLines(networks: readonly FoundNetwork[], containers: readonly FoundContainer[]): readonly string[] {
  const lines = containers.flatMap((container) => {
    for (const { name, set } of container.networks) {
      const network = networks.find((each) => each.name === name);
      const at = parseAddress(set ?? "");
      const subnet = network?.six
        .map(parsePrefix)
        .find((each) => each !== undefined && at !== undefined && contains(each, at));
      if (at !== undefined && subnet !== undefined && isContainerKey(container.name))
        return [`        ${keyOf(container.name)}: { network: ${keyOf(name)}, address: "${suffixOf(at, subnet)}" }`];
    }
    return [];
  });
  return lines.length === 0 ? [] : ["      containers:", ...lines];
}

/** A name that YAML would take for something else stands in quotes: `null`, `true`, `12`. */
function keyOf(name: string): string {
  return /^[a-z]/i.test(name) && !/^(null|true|false)$/i.test(name) ? name : `"${name}"`;
}

function suffixOf(at: Address, subnet: Prefix): Address {
  return fromBits(toBits(at) & (sizeOf(subnet) - 1n));
}

function isContainerKey(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(name);
}

function labelLines(containers: readonly FoundContainer[]): readonly string[] {
  if (containers.length === 0) return ["# No container runs, or none was among the answers."];
  return [
    "# Nothing is open by this file. Labels to give the containers, where they are to be reached from the Internet as they are",
    "# on the host's address today, and what `policy:` has to allow first (docs/labels.md, docs/policy.md):",
    ...containers.flatMap(labelOf),
  ];
}

function labelOf({ name, image, published, exposed, networks, open }: FoundContainer): readonly string[] {
  const where = networks.map((each) => printable(each.name)).join(", ") || "no network";
  const head = `#   ${printable(name)} (${printable(image)}, on ${where})`;
  if (open !== undefined) return [`${head}: has sixgate.open=${printable(open)}`];
  const wide = [...new Set(published.filter(({ at }) => !isLoopback(at)).map(portText))];
  const narrow = published.filter(({ at }) => at !== "" && !isLoopback(at));
  if (wide.length === 0) {
    const said = published.length > 0 ? "published on loopback only" : "publishes nothing";
    return [`${head}: ${said}${exposed.length === 0 ? "" : `; its image names ${exposed.map(printable).join(", ")}`}`];
  }
  const bound = [...new Set(narrow.map(({ at }) => printable(at)))].join(", ");
  return [
    `${head}:`,
    `#     sixgate.open: "${wide.join(",")}"  ${guess} published${bound === "" ? "" : ` on ${bound} only: name who may, with from`}`,
  ];
}

function portText({ port, transport }: { readonly port: number; readonly transport: string }): string {
  return transport === "tcp" ? `${port}` : `${port}/${transport}`;
}

function isLoopback(at: string): boolean {
  return at === "::1" || at.startsWith("127.");
}
