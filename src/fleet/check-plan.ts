import { isLinkLocal, isMulticast } from "../net/address.ts";
import { contains, lengthOf, overlaps, prefix } from "../net/prefix.ts";
import { documentationPrefixOf, specialPrefixes } from "../net/special.ts";
import { hasPrefix, prefixText } from "./delegation.ts";
import type { Findings } from "./findings.ts";
import type { Fleet, Host } from "./fleet.ts";
import type { Places } from "./places.ts";

/** A container address that Docker makes from a MAC takes 48 bits: engines before 27 refuse a longer default bridge. */
const longestBefore27 = 80;
/** Global unicast as IANA gives it out, RFC 4291 §2.4. */
const globalUnicast = prefix("2000::/3");
const uniqueLocal = prefix("fc00::/7");

/** How many slots, 0 and 1 counted. A number, exact to 2^53. */
export function slotCount(fleet: Fleet): number {
  return 2 ** (fleet.plan.host - lengthOf(fleet.prefix));
}

/** How many networks a block holds, the link and Docker's default bridge counted. */
export function networkCount(fleet: Fleet): number {
  return 2 ** (fleet.plan.network - fleet.plan.host);
}

export function checkPlan(fleet: Fleet, places: Places, findings: Findings): void {
  if (hasPrefix(fleet)) checkKind(fleet, findings);
  checkNextHop(fleet, findings);
  if (checkLengths(fleet, findings)) {
    checkSlots(fleet, places, findings);
    checkNetworkCounts(fleet, findings);
    checkLink(fleet, findings);
  }
  checkDelivery(fleet, findings);
  if (fleet.plan.layout === "compact" && fleet.plan.routes === "network")
    findings.error(
      "E277",
      ["plan", "routes"],
      "With layout: compact no link is connected, so each block needs its route",
      "write routes: block, or take it away",
    );
}

function checkKind(fleet: Fleet, findings: Findings): void {
  const delegated = fleet.prefix;
  if (contains(uniqueLocal, delegated)) {
    findings.warning(
      "W206",
      ["prefix"],
      `${delegated} is unique local (RFC 4193): no packet from the Internet gets there`,
      "use the prefix that the provider delegates",
    );
    return;
  }
  const special = specialPrefixes.find((each) => overlaps(each.prefix, delegated));
  if (special !== undefined && documentationPrefixOf(delegated) === undefined) {
    findings.error(
      "E222",
      ["prefix"],
      `${delegated} is special-purpose: ${special.name} (${special.rfc})`,
      "use the prefix that the provider delegates",
    );
  } else if (!contains(globalUnicast, delegated)) {
    findings.error(
      "E222",
      ["prefix"],
      `${delegated} is outside 2000::/3, the global unicast addresses`,
      "use the prefix that the provider delegates",
    );
  }
}

function checkNextHop(fleet: Fleet, findings: Findings): void {
  const { nextHop, delivery } = fleet.provider;
  const path = ["provider", "next-hop"];
  if (isMulticast(nextHop) || nextHop === "::" || nextHop === "::1") {
    findings.error(
      "E209",
      path,
      `${nextHop} is no router's address`,
      "write the router that the provider names, often fe80::1",
    );
  } else if (delivery === "routed" && !isLinkLocal(nextHop) && contains(fleet.prefix, nextHop)) {
    findings.error(
      "E209",
      path,
      `${nextHop} lies in the delegated prefix ${fleet.prefix}, which is routed to us`,
      "write the provider's router, often fe80::1; or is the delivery on-link?",
    );
  }
}

/** False when nothing below makes sense. */
function checkLengths(fleet: Fleet, findings: Findings): boolean {
  const { host, link, network } = fleet.plan;
  const delegated = lengthOf(fleet.prefix);
  const before = findings.all.length;
  if (host - delegated < 2) {
    findings.error(
      "E221",
      ["prefix"],
      `A /${delegated} has no room for blocks of /${host}: slots 0 and 1 are taken, so four are the least`,
      `ask the provider for a shorter prefix, or set plan.host to /${Math.min(delegated + 4, 120)} or longer`,
    );
  }
  if (network - host < 1 || network > 124) {
    findings.error(
      "E221",
      ["plan"],
      `A block of /${host} can't be divided into networks of /${network}`,
      `set plan.network between /${host + 1} and /124`,
    );
  }
  if (link < host || link > 126) {
    findings.error(
      "E221",
      ["plan"],
      `The link /${link} doesn't fit into the block /${host}`,
      `set plan.link between /${host} and /126`,
    );
  }
  return findings.all.length === before;
}

function checkLink(fleet: Fleet, findings: Findings): void {
  const { host, link, network, routes } = fleet.plan;
  if (link >= network) return;
  const text = `Link /${link} covers the container networks /${network} of the block /${host}`;
  const path = ["plan", "link"];
  if (routes === "block") {
    findings.error(
      "E206",
      path,
      `${text}: the gateway would ask for containers on the wire and get no answer`,
      `set plan.routes: network, or plan.link: /${network}`,
    );
  } else {
    findings.warning(
      "W201",
      path,
      `${text}: each network needs a route of its own on the gateway`,
      `plan.link: /${network} with routes: block needs one per host`,
    );
  }
}

function checkSlots(fleet: Fleet, places: Places, findings: Findings): void {
  const most = slotCount(fleet) - 1;
  const owner = new Map<number, Host>();
  for (const host of fleet.hosts.values()) {
    if (host.slot === undefined) continue;
    const path = ["hosts", host.name, "slot"];
    const source = places.source(path) ?? "";
    const other = owner.get(host.slot);
    if (!/^[0-9]+$/.test(source)) {
      findings.error(
        "E220",
        path,
        `Slot is written as ${source}, which YAML reads as ${host.slot}`,
        `write ${host.slot} if that is meant, in decimal`,
      );
    } else if (host.slot < 2) {
      findings.error(
        "E218",
        path,
        `Slot ${host.slot} is taken: 0 by the infrastructure, 1 by the gateway's uplink`,
        "use 2 or more",
      );
    } else if (host.slot > most) {
      findings.error(
        "E219",
        path,
        `Slot ${host.slot} is beyond ${prefixText(fleet)}: blocks of /${fleet.plan.host} end at ${most}`,
        `use 2 to ${most}`,
      );
    } else if (other !== undefined) {
      findings.error(
        "E217",
        path,
        `Slot ${host.slot} is also that of ${other.name}: their blocks would be the same`,
        "give one of them another slot, or none",
      );
    }
    owner.set(host.slot, host);
  }
}

function checkNetworkCounts(fleet: Fleet, findings: Findings): void {
  const most = networkCount(fleet) - 2;
  for (const host of fleet.hosts.values()) {
    const path = ["hosts", host.name, "docker", "networks"];
    const { networks, engine } = host.docker;
    if (networks.size > most) {
      findings.error(
        "E233",
        path,
        `${networks.size} networks, a block of /${fleet.plan.host} has room for ${most} of /${fleet.plan.network} beside the link and the default bridge`,
        "use fewer, or move containers to another host",
      );
    }
    if (engine.major < 27 && fleet.plan.network > longestBefore27) {
      findings.error(
        "E213",
        ["hosts", host.name, "docker", "engine"],
        `Engine ${engine.major}.${engine.minor} needs networks of /80 or shorter, the plan has /${fleet.plan.network}`,
        "set plan.network: /80, or use engine 27 or later",
      );
    }
    checkIndices(host, most + 1, findings);
  }
}

function checkIndices(host: Host, most: number, findings: Findings): void {
  const owner = new Map<number, string>();
  for (const [name, { index }] of host.docker.networks) {
    if (index === undefined) continue;
    const path = ["hosts", host.name, "docker", "networks", name, "index"];
    const other = owner.get(index);
    if (index > most)
      findings.error(
        "E219",
        path,
        `Network ${index} is beyond the block: they end at ${most}`,
        `use 2 to ${most}, or none`,
      );
    if (other !== undefined)
      findings.error(
        "E217",
        path,
        `Number ${index} is also that of network ${other}`,
        "give one of them another index, or none",
      );
    owner.set(index, name);
  }
}

/** More proxied neighbours than this on one link make each start of the gateway slow. */
const manyProxied = 1000;

function checkDelivery(fleet: Fleet, findings: Findings): void {
  if (fleet.provider.delivery !== "on-link") return;
  let reserved = 0;
  for (const host of fleet.hosts.values()) reserved += host.docker.containers.size;
  const path = ["provider", "delivery"];
  if (reserved === 0 && fleet.hosts.size > 0) {
    findings.warning(
      "W203",
      path,
      "On-link delivery: the gateway answers for the addresses under containers, and there are none",
      "list the containers that are to be reached under docker.containers",
    );
  } else if (reserved > manyProxied) {
    findings.warning(
      "W204",
      path,
      `On-link delivery: the gateway has to answer for ${reserved} addresses one by one`,
      "ask the provider to route the prefix",
    );
  }
}
