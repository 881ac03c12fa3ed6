import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { contains4 } from "../net/ipv4.ts";
import { checkIpv4 } from "./check-ipv4.ts";
import type { Findings } from "./findings.ts";
import type { Fleet } from "./fleet.ts";
import { bridgesOf } from "./interface-entry.ts";

/** Networks, bridges and the IPv4 side of everything. */
export function checkNetworks(fleet: Fleet, findings: Findings): void {
  checkRoles(fleet, findings);
  checkOverlaps(fleet, findings);
  checkBridges(fleet, findings);
  checkIpv4(fleet, findings);
}

function checkRoles(fleet: Fleet, findings: Findings): void {
  for (const role of ["uplink", "hosts"] as const) {
    const found = [...fleet.networks].filter(([, each]) => each.role === role).map(([name]) => name);
    const [, second] = found;
    if (found.length === 0) {
      findings.error("E226", ["networks"], `No network has the role ${role}`, `give one network role: ${role}`);
    } else if (second !== undefined) {
      findings.error(
        "E226",
        ["networks", second, "role"],
        `Networks ${found.join(" and ")} have the role ${role}`,
        "leave it to one of them",
      );
    }
  }
}

function checkOverlaps(fleet: Fleet, findings: Findings): void {
  const named = [...fleet.networks].flatMap(([name, { ipv4 }]) => (ipv4 === undefined ? [] : [{ name, ipv4 }]));
  for (const [i, a] of named.entries()) {
    const b = named.slice(0, i).find((each) => contains4(each.ipv4, a.ipv4) || contains4(a.ipv4, each.ipv4));
    if (b === undefined) continue;
    findings.error(
      "E214",
      ["networks", a.name, "ipv4"],
      `${a.ipv4} overlaps ${b.ipv4} of network ${b.name}`,
      "give each network its own IPv4 prefix",
    );
  }
}

function checkBridges(fleet: Fleet, findings: Findings): void {
  const ports = new Map<string, string>();
  const networks = new Map<string, string>();
  for (const { machine, name, path, bridge } of bridgesOf(fleet)) {
    const network = fleet.networks.get(bridge.network);
    if (network === undefined) {
      const known = fleet.networks.keys();
      findings.error(
        "E224",
        [...path, "network"],
        `Unknown network ${quote(bridge.network)}${didYouMean(bridge.network, known)}`,
        `use one of ${[...fleet.networks.keys()].join(", ")}`,
      );
    }
    if (network?.role === "hosts" && bridge.ipv4 !== undefined) {
      findings.error(
        "E229",
        [...path, "ipv4"],
        `The hosts on ${name} would reach the hypervisor at ${bridge.ipv4}, past the gateway`,
        "give the hypervisor its address on the management bridge",
      );
    }
    const other = ports.get(`${machine} ${bridge.port ?? ""}`);
    if (bridge.port !== undefined && other !== undefined) {
      findings.error(
        "E227",
        [...path, "port"],
        `Port ${bridge.port} is also in ${other}: an interface can be in one bridge only`,
        "use another port, or one bridge",
      );
    }
    const twin = networks.get(`${machine} ${bridge.network}`);
    if (twin !== undefined) {
      findings.error(
        "E228",
        [...path, "network"],
        `Network ${bridge.network} is also on ${twin}`,
        "carry each network on one bridge of a hypervisor",
      );
    }
    if (bridge.port !== undefined) ports.set(`${machine} ${bridge.port}`, name);
    networks.set(`${machine} ${bridge.network}`, name);
  }
}
