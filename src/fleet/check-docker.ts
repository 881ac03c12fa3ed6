import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import type { Findings } from "./findings.ts";
import type { Fleet, Host } from "./fleet.ts";

export function checkDocker(fleet: Fleet, findings: Findings): void {
  for (const host of fleet.hosts.values()) {
    checkProfile(host, findings);
    checkNetworkNames(host, findings);
    checkContainers(host, fleet.plan.network, findings);
  }
}

/** `routed` came with 27.0 (moby#47871); 29.0 mended ports of containers in two networks (moby#50140). */
function checkProfile(host: Host, findings: Findings): void {
  const { engine, profile } = host.docker;
  const version = `${engine.major}.${engine.minor}`;
  const path = ["hosts", host.name, "docker", "profile"];
  if (profile === "gateway-only") return;
  if (engine.major < 27) {
    findings.error(
      "E213",
      path,
      `Profile ${profile} needs engine 27 or later, this is ${version}`,
      "use profile: gateway-only, or a newer engine",
    );
  } else if (profile === "two-gates" && engine.major < 29) {
    findings.warning(
      "W205",
      path,
      `Before engine 29 a container in two networks opens its ports in one of them only, this is ${version}`,
      "use engine 29, or one network per container",
    );
  }
}

function checkNetworkNames(host: Host, findings: Findings): void {
  for (const name of host.docker.networks.keys()) {
    // Docker's own three, and the name that index 1 has in every plan.
    if (!["default", "bridge", "host", "none"].includes(name)) continue;
    findings.error(
      "E231",
      ["hosts", host.name, "docker", "networks", name],
      `Network name ${quote(name)} is Docker's own`,
      "choose another name; the default bridge has its prefix without being listed",
    );
  }
}

function checkContainers(host: Host, length: number, findings: Findings): void {
  const owner = new Map<string, string>();
  const size = 1n << BigInt(128 - length);
  for (const [name, { network, suffix }] of host.docker.containers) {
    const path = ["hosts", host.name, "docker", "containers", name];
    const at = [...path, "address"];
    const other = owner.get(`${network} ${suffix}`);
    if (network === "default" || network === "bridge") {
      findings.error(
        "E211",
        [...path, "network"],
        "Docker refuses set addresses on its default bridge (user defined networks only)",
        "put the container on a network of docker.networks",
      );
    } else if (!host.docker.networks.has(network)) {
      findings.error(
        "E224",
        [...path, "network"],
        `Unknown network ${quote(network)} on ${host.name}${didYouMean(network, host.docker.networks.keys())}`,
        `add it under hosts.${host.name}.docker.networks`,
      );
    }
    if (suffix >= size) {
      findings.error(
        "E210",
        at,
        `Address is outside its network: only the last ${128 - length} bits are the container's`,
        'write the part behind the network, for example "::80"',
      );
    } else if (suffix < 2n) {
      findings.error("E212", at, `::${suffix} is taken: 0 is the network itself, 1 its bridge`, 'use "::2" or more');
    } else if (other !== undefined) {
      findings.error(
        "E212",
        at,
        `Address is also that of ${other} on network ${network}`,
        "give one of them another address",
      );
    }
    owner.set(`${network} ${suffix}`, name);
  }
}
