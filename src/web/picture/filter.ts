import type { HostBranch, TopologyView } from "../map/topology-schema.ts";

/** What of the fleet is shown. */
export type Filter = {
  /** Of hosts, networks and containers: a part of the name or address. */
  readonly text: string;
  /** Name of a source; empty: all. */
  readonly source: string;
  /** `443` or `443/tcp`; empty: all. */
  readonly service: string;
  readonly only: "all" | "open" | "denied" | "drift";
};

export const everything: Filter = { text: "", source: "", service: "", only: "all" };

/** Whether a host is shown; its containers are looked at where the view has them. */
export function isWanted(host: HostBranch, view: TopologyView, filter: Filter): boolean {
  const text = filter.text.trim().toLowerCase();
  const names = [host.name, host.block, host.address, ...host.networks.flatMap(({ name, prefix }) => [name, prefix])];
  const dots = (host.dots ?? []).flatMap(({ name, address }) => [name, address]);
  if (text !== "" && ![...names, ...dots].some((each) => each.toLowerCase().includes(text))) return false;
  if (filter.source !== "" && filter.only !== "denied" && host.from[filter.source] === undefined) return false;
  if (
    filter.service !== "" &&
    host.dots !== undefined &&
    !host.dots.some((dot) => dot.openings.some((each) => isService(each.service, filter)))
  )
    return false;
  if (filter.only === "open") return host.openings > 0;
  if (filter.only === "drift") return host.agent !== "connected" || host.held > 0;
  if (filter.only === "denied")
    return view.denied.some(
      (flow) => flow.host === host.name && (filter.source === "" || flow.source === filter.source),
    );
  return true;
}

export function isService(service: string, { service: wanted }: Filter): boolean {
  return wanted === "" || service === wanted || service.split("/")[0] === wanted;
}
