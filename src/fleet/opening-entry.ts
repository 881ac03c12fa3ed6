import type { HostName } from "../base/name.ts";
import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { parseAddress } from "../net/address.ts";
import { contains, type Prefix, prefix } from "../net/prefix.ts";
import { PrefixSet } from "../net/prefix-set.ts";
import { isNeverASource } from "../net/special.ts";
import type { Service } from "../openings/opening.ts";
import { mergeServices } from "../openings/services.ts";
import { refuseFixedTarget } from "./delegation.ts";
import { readSource } from "./field-kinds.ts";
import type { Findings } from "./findings.ts";
import type { Fleet, Host, StaticOpening } from "./fleet.ts";
import type { Path, Places } from "./places.ts";
import type { FleetFile } from "./schema.ts";

type Groups = ReadonlyMap<string, readonly Prefix[]>;
type Hosts = ReadonlyMap<HostName, Host>;

const anywhere = prefix("::/0");

/** The entries of `openings:` with their names looked up. Entries with an error are left out. */
export function resolveOpenings(
  file: FleetFile,
  groups: Groups,
  hosts: Hosts,
  places: Places,
  findings: Findings,
): Fleet["openings"] {
  const openings: StaticOpening[] = [];
  for (const [i, entry] of file.openings.entries()) {
    const path = ["openings", i];
    const to = resolveTarget(entry.to, [...path, "to"], file, hosts, findings);
    const from = resolveSources(entry.from, [...path, "from"], groups, findings);
    checkNumbers(entry.ports, [...path, "ports"], places, findings);
    if (to === undefined || from.length === 0) continue;
    openings.push({ to, services: mergeServices(entry.ports), from, at: places.at(path) });
  }
  return openings;
}

/** YAML reads 0x50 and 8e1 as 80: what is opened has to stand there in plain digits. */
export function checkNumbers(services: readonly Service[], path: Path, places: Places, findings: Findings): void {
  for (const [i, service] of services.entries()) {
    const source = places.source([...path, i]) ?? "";
    if (service.kind === "ping" || /^["']?[1-9][0-9]{0,4}(?:-[0-9]+)?(?:\/[a-z]+)?["']?$/.test(source)) continue;
    findings.error(
      "E119",
      [...path, i],
      `Port is written as ${quote(source)}, which YAML reads as ${service.ports.first}`,
      `write ${service.ports.first} if that is meant`,
    );
  }
}

export function resolveTarget(
  text: string,
  path: Path,
  file: FleetFile,
  hosts: Hosts,
  findings: Findings,
): StaticOpening["to"] | undefined {
  if (refuseFixedTarget(text, file, path, findings)) return undefined;
  const address = parseAddress(text);
  if (address !== undefined && typeof file.prefix === "string") {
    if (contains(file.prefix, address)) return { kind: "address", address };
    findings.error(
      "E223",
      path,
      `Not in ${file.prefix}: ${address}`,
      "name host/container, or an address in a host's block",
    );
    return undefined;
  }
  const [name, container, ...rest] = text.split("/");
  if (name === undefined || container === undefined || rest.length > 0) {
    findings.error(
      "E112",
      path,
      `Not host/container and not an IPv6 address: ${quote(text)}`,
      "write for example vm1/web",
    );
    return undefined;
  }
  const host = hosts.get(name as HostName);
  if (host === undefined) {
    findings.error("E224", path, `Unknown host ${quote(name)}${didYouMean(name, hosts.keys())}`, "name a key of hosts");
    return undefined;
  }
  const reserved = host.docker.containers.get(container);
  if (reserved === undefined) {
    const known = host.docker.containers.keys();
    findings.error(
      "E224",
      path,
      `Unknown container ${quote(container)} on ${name}${didYouMean(container, known)}`,
      `add it under hosts.${name}.docker.containers with its network and address`,
    );
    return undefined;
  }
  if (host.docker.networks.get(reserved.network)?.internal === true) {
    findings.warning(
      "W207",
      path,
      `Network ${reserved.network} of ${name} is internal: nothing from outside gets in`,
      "take the opening away, or `internal: true` from the network",
    );
  }
  return { kind: "container", host: host.name, container };
}

/** Sorted, minimal; empty after an error. */
export function resolveSources(
  words: readonly string[],
  path: Path,
  groups: Groups,
  findings: Findings,
): readonly Prefix[] {
  const all: Prefix[] = [];
  let failed = false;
  for (const word of words) {
    const found = sourcesOf(word, path, groups, findings);
    failed ||= found === undefined;
    all.push(...(found ?? []));
  }
  const unseen = all.find(isNeverASource);
  if (unseen !== undefined && !failed) {
    findings.warning(
      "W207",
      path,
      `No packet from the Internet has a source in ${unseen}`,
      "take it out: the gateway drops such packets anyway",
    );
  }
  return failed ? [] : PrefixSet.of(all).prefixes();
}

function sourcesOf(word: string, path: Path, groups: Groups, findings: Findings): readonly Prefix[] | undefined {
  if (word === "any") return [anywhere];
  const group = groups.get(word);
  if (group !== undefined) {
    if (group.length > 0) return group;
    findings.error(
      "E235",
      path,
      `Group ${quote(word)} is empty: the opening would be for nobody`,
      "add prefixes to the group, or take the opening away",
    );
    return undefined;
  }
  if (!/[:./]/.test(word)) {
    const plain = word.replace(/^@/, "");
    const fix = plain !== word && groups.has(plain) ? `write ${plain}` : "name a key of groups, any, or an IPv6 prefix";
    findings.error("E224", path, `Unknown group ${quote(word)}${didYouMean(plain, [...groups.keys(), "any"])}`, fix);
    return undefined;
  }
  const read = readSource(word);
  if ("value" in read) return [read.value];
  findings.error(read.code, path, read.text, read.fix);
  return undefined;
}
