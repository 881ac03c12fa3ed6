import type { ContainerReport } from "../../openings/container-report.ts";
import type { Service } from "../../openings/opening.ts";
import { coverService, formatService } from "../../openings/services.ts";
import type { Facts } from "./facts.ts";
import { holds, type Link, missing, unknown } from "./link.ts";
import type { Spot } from "./question.ts";

/** What the host's own Docker does with packets that the gateway let through. By the fleet file: the host is not asked. */
export function hostLink(service: Service, spot: Spot, { basis }: Facts): Link {
  const docker = basis.fleet.hosts.get(spot.host)?.docker;
  if (docker === undefined)
    return unknown("host", `The fleet file has no host ${spot.host}`, "add it, or close what is open there");
  const network = [...docker.networks].find(([name]) => String(name) === spot.network)?.[1];
  if (network?.internal === true)
    return missing(
      "host",
      `Network ${spot.network} is internal: nothing from outside gets in`,
      "connect the container to another network",
    );
  const profile = `Docker profile ${docker.profile}`;
  switch (docker.profile) {
    case "gateway-only":
      return holds("host", `${profile}: the host has no filter of its own`);
    case "routed":
      return holds("host", `${profile}: the host's filter is open towards the gateway`);
    case "two-gates":
      return secondGate(service, spot.container, profile);
  }
}

/** Docker lets in only what is published as well. */
function secondGate(service: Service, container: ContainerReport | undefined, profile: string): Link {
  if (service.kind === "ping")
    return unknown("host", `${profile}: whether Docker lets echo pass depends on its version`, "ask with a packet");
  const publish = `publish it: -p ${formatService(service)}`;
  if (container === undefined) return unknown("host", `${profile}: the port has to be published too`, publish);
  const published = container.published.map(
    (each) => ({ kind: "ports", transport: each.transport, ports: each.ports }) as const,
  );
  return coverService(published, service)
    ? holds("host", `${profile}: the port is published`)
    : missing("host", `${profile}: the port is not published, so Docker drops it`, publish);
}
