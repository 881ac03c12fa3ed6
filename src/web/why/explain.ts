import type { Service } from "../../openings/opening.ts";
import { askLinks } from "./ask-links.ts";
import { elementLink } from "./element-link.ts";
import type { Facts } from "./facts.ts";
import { hostLink } from "./host-link.ts";
import { holds, type Link, missing, unknown } from "./link.ts";
import type { Spot } from "./question.ts";
import type { Vantage, wayOf } from "./vantage.ts";

/** Why a service is open or closed at a spot, link by link. Pure: the same facts give the same answer. */
export function explain(
  service: Service,
  vantage: Vantage,
  way: ReturnType<typeof wayOf>,
  spot: Spot,
  facts: Facts,
): readonly Link[] {
  const needsOpening =
    way === "outside" || (way === "between-hosts" && facts.basis.fleet.policy.betweenHosts === "closed");
  return [
    addressLink(spot, facts),
    ...(needsOpening ? askLinks(service, vantage, spot, facts) : []),
    elementLink(service, vantage, way, spot, facts),
    hostLink(service, spot, facts),
  ];
}

/**
 * Whether packets get in: what the gateway holds and the host lets through decides it, whoever asked. Where nobody is,
 * it is closed; where no agent says who is there, that alone leaves the answer as it is.
 */
export function verdictOf(links: readonly Link[]): "open" | "closed" | "unknown" {
  if (links.some(({ link, state }) => link === "address" && state === "missing")) return "closed";
  const deciding = links.filter(({ link }) => link === "element" || link === "host" || link === "proof");
  if (deciding.some(({ state }) => state === "missing")) return "closed";
  return deciding.every(({ state }) => state === "holds") ? "open" : "unknown";
}

function addressLink(spot: Spot, { agent, containers }: Facts): Link {
  const { container, host } = spot;
  if (container !== undefined) {
    const where = `${host}/${container.name} (${container.id.slice(0, 12)}) on network ${spot.network}`;
    return holds("address", `${where}, ${container.state}`);
  }
  if (agent === undefined || agent.state === "never")
    return unknown(
      "address",
      `No agent of ${host} ever said what runs there`,
      `\`sixgate invite ${host}\`, then enrol it there`,
    );
  if (agent.state !== "connected")
    return unknown("address", `The agent of ${host} is ${agent.state}`, `look at the agent on ${host}`);
  return spot.by === "fleet"
    ? missing(
        "address",
        `The fleet file has it, but of ${containers.length} containers of ${host} none is it`,
        "start the container",
      )
    : missing("address", `No container of ${host} has this address`, `\`docker ps\` on ${host} shows what runs`);
}
