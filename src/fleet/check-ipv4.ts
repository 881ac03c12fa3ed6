import {
  type Address4,
  address4Of,
  contains4,
  type InterfaceAddress4,
  length4Of,
  type Prefix4,
  prefix4Of,
  toBits4,
} from "../net/ipv4.ts";
import type { Findings } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import { type Holder4, holders4Of } from "./interface-entry.ts";
import { pathText } from "./places.ts";

export function checkIpv4(fleet: Fleet, findings: Findings): void {
  const addresses = new Map<Address4, string>();
  const gateways = new Map<string, string>();
  for (const holder of holders4Of(fleet)) {
    const network = fleet.networks.get(holder.network)?.ipv4;
    if (holder.ipv4 !== undefined) checkAddress(holder, holder.ipv4, network, addresses, findings);
    if (holder.gateway4 !== undefined) checkGateway(holder, holder.gateway4, network, gateways, findings);
  }
}

function checkAddress(
  holder: Holder4,
  ipv4: InterfaceAddress4,
  network: Prefix4 | undefined,
  taken: Map<Address4, string>,
  findings: Findings,
): void {
  const path = [...holder.path, "ipv4"];
  const own = address4Of(ipv4);
  const other = taken.get(own);
  if (network !== undefined && !contains4(network, prefix4Of(ipv4))) {
    findings.error(
      "E215",
      path,
      `${ipv4} is outside ${network} of network ${holder.network}`,
      `use an address in ${network}`,
    );
  } else if (other !== undefined) {
    findings.error("E216", path, `${own} is also that of ${other}`, "give one of them another address");
  } else if (isEdge(own, network) || isEdge(own, prefix4Of(ipv4))) {
    findings.error(
      "E216",
      path,
      `${own} is the first or last address of its network, which no interface can have`,
      "use one in between",
    );
  }
  taken.set(own, pathText(holder.path));
}

/** The network's own address or its broadcast; a /31 and a /32 have neither (RFC 3021). */
function isEdge(own: Address4, network: Prefix4 | undefined): boolean {
  if (network === undefined || length4Of(network) > 30) return false;
  const offset = toBits4(own) - toBits4(network);
  return offset === 0 || offset === 2 ** (32 - length4Of(network)) - 1;
}

function checkGateway(
  holder: Holder4,
  gateway: Address4,
  network: Prefix4 | undefined,
  gateways: Map<string, string>,
  findings: Findings,
): void {
  const path = [...holder.path, "gateway"];
  const other = gateways.get(holder.machine);
  gateways.set(holder.machine, pathText(holder.path));
  if (other !== undefined)
    findings.error("E208", path, `${holder.machine} has a default gateway on ${other} too`, "leave one");
  if (holder.ipv4 === undefined) {
    findings.error(
      "E201",
      path,
      `Gateway ${gateway} without an IPv4 address of our own`,
      "add ipv4, or take the gateway away",
    );
    return;
  }
  const link = prefix4Of(holder.ipv4);
  if (gateway === address4Of(holder.ipv4)) {
    findings.error("E201", path, `Gateway ${gateway} is the interface's own address`, "write the router's address");
  } else if (length4Of(link) < 32 && !contains4(link, gateway)) {
    findings.error(
      "E201",
      path,
      `Gateway ${gateway} is outside ${link}, so no route leads to it`,
      `use an address in ${link}, or write the address with /32, which makes the gateway on-link`,
    );
  } else if (network !== undefined && !contains4(network, gateway)) {
    findings.warning(
      "W202",
      path,
      `Gateway ${gateway} is outside ${network} of network ${holder.network}`,
      "look for a typing error; with /32 it works if the provider's router has that address",
    );
  }
}
