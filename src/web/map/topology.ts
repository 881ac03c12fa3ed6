import type { HostPlan } from "../../addressing/address-plan.ts";
import { reservedAddress } from "../../addressing/reserved-address.ts";
import type { HostName } from "../../base/name.ts";
import type { AgentView, Controller, OpeningView, Status } from "../../controller/controller.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { type Address, toBits } from "../../net/address.ts";
import { baseBits, sizeOf } from "../../net/prefix.ts";
import type { ContainerReport } from "../../openings/container-report.ts";
import { formatService } from "../../openings/services.ts";
import { breathe } from "../breathe.ts";
import type { Proof } from "../probes/probe-book.ts";
import type { DeniedGroup } from "./denied-book.ts";
import { deniedFlows, mostShown } from "./denied-flows.ts";
import { type Source, SourceNames } from "./sources.ts";
import type { ContainerDot, HostBranch, TopologyView } from "./topology-schema.ts";

/** Containers that are drawn one by one unless a host is asked for: more are nobody's picture, only numbers. */
const mostContainers = 400;

/** What a picture is made of: a running controller, or a fleet file that stands for one. */
export type TopologySource = Pick<Controller, "basis" | "agents" | "openings" | "refusals"> & {
  readonly containers: (host: HostName) => readonly Pick<ContainerReport, "name" | "endpoints">[];
  readonly status: () => Pick<Status, "gateway">;
};

export type TopologyWish = {
  readonly controller: TopologySource;
  readonly denied: readonly DeniedGroup[];
  /** What fresh checks say of the opening of an id. */
  readonly proofOf: (id: string) => Proof;
  /** Only this host, with its containers however many they are. */
  readonly host: string | undefined;
};

/**
 * The fleet from left to right: sources, gateway, bridges, hosts, networks, containers. Hosts are in order of their
 * slots. Lets others have their turn between hosts, so that a fleet of thousands keeps nobody waiting.
 */
export async function topologyOf({ controller, denied, proofOf, host: only }: TopologyWish): Promise<TopologyView> {
  const { fleet, plan } = controller.basis();
  const names = new SourceNames({ fleet, plan });
  const agents = new Map(controller.agents().map((each) => [each.host, each]));
  const flows = deniedFlows(denied, names, plan.hosts);
  const sources = new Map<string, Source>(names.named.map((each) => [each.name, each]));
  const bridges = bridgesOf(fleet);
  const hosts: HostBranch[] = [];
  let left = mostContainers;
  for (const [at, host] of plan.hosts.entries()) {
    if (only !== undefined && host.host !== only) continue;
    if (at % 32 === 31) await breathe();
    const openings = controller.openings(host.host);
    for (const opening of openings)
      for (const from of opening.from) {
        const source = names.of(from);
        if (source.kind !== "host" && sources.size < 64) sources.set(source.name, source);
      }
    const proofs = new Map(openings.map(({ id }) => [id, proofOf(id)]));
    const facts = { fleet, openings, names, proofs };
    const spots = spotsOf(host, controller, facts);
    const shown = only !== undefined || spots.size <= left;
    if (shown) left -= spots.size;
    const dots = shown ? dotsOf(host, spots, controller, facts) : undefined;
    const bridge = bridgeOf(bridges, fleet.hosts.get(host.host)?.on);
    hosts.push(branchOf(host, { ...facts, bridge, agent: agents.get(host.host), spots, dots, controller }));
  }
  return {
    fleet: fleet.name,
    delegated: plan.delegated,
    gateway: gatewayOf(fleet, controller),
    sources: [...sources.values()],
    bridges,
    hosts,
    denied: flows.filter((flow) => only === undefined || flow.host === only).slice(0, mostShown),
  };
}

function gatewayOf(fleet: Fleet, controller: TopologySource): TopologyView["gateway"] {
  const { gateway } = controller.status();
  return {
    name: fleet.gateway.name,
    kind: fleet.gateway.kind,
    uplink: fleet.gateway.uplink.device,
    hosts: fleet.gateway.hosts.device,
    nextHop: fleet.provider.nextHop,
    ...gateway,
  };
}

/** Bridges that carry hosts' public addresses; without a hypervisor the network itself. */
function bridgesOf(fleet: Fleet): TopologyView["bridges"] {
  const network = fleet.gateway.hosts.network;
  const found = [...fleet.hypervisors].flatMap(([hypervisor, { bridges }]) =>
    [...bridges]
      .filter(([, bridge]) => bridge.network === network)
      .map(([name]) => ({ id: `${hypervisor} ${name}`, name, hypervisor })),
  );
  return found.length > 0 ? found : [{ id: network, name: network }];
}

function bridgeOf(bridges: TopologyView["bridges"], on: string | undefined): string {
  return (bridges.find((each) => each.hypervisor === on) ?? bridges[0])?.id ?? "";
}

type Facts = {
  readonly fleet: Fleet;
  readonly openings: readonly OpeningView[];
  readonly names: SourceNames;
  readonly proofs: ReadonlyMap<string, Proof>;
};

/** An address that a container has, had, or is kept for one. */
type Spot = Pick<ContainerDot, "name" | "state"> & { readonly network: string };

function branchOf(
  host: HostPlan,
  facts: Facts & {
    readonly bridge: string;
    readonly agent: AgentView | undefined;
    readonly spots: ReadonlyMap<Address, Spot>;
    readonly dots: readonly ContainerDot[] | undefined;
    readonly controller: TopologySource;
  },
): HostBranch {
  const { bridge, openings, names, agent, spots, dots } = facts;
  const containers = countBy(spots.values(), ({ network }) => network);
  const opened = countBy(openings, ({ to }) => spots.get(to)?.network ?? "");
  const proved = openings.filter(({ id }) => facts.proofs.get(id) === "proved");
  const provedIn = countBy(proved, ({ to }) => spots.get(to)?.network ?? "");
  return {
    name: host.host,
    bridge,
    slot: host.slot,
    block: host.block,
    address: host.address,
    agent: agent?.state ?? "never",
    ...(agent?.seen === undefined ? {} : { seen: agent.seen }),
    openings: openings.length,
    held: openings.filter(({ state }) => state === "held").length,
    proved: proved.length,
    failing: openings.filter(({ id }) => facts.proofs.get(id) === "failing").length,
    provedFrom: countSources(proved, names),
    refusals: facts.controller.refusals(host.host).length,
    from: countSources(openings, names),
    networks: host.networks.map(({ name, prefix }) => ({
      name,
      prefix,
      containers: containers.get(name) ?? 0,
      openings: opened.get(name) ?? 0,
      proved: provedIn.get(name) ?? 0,
    })),
    containers: spots.size,
    ...(dots === undefined ? {} : { dots }),
  };
}

function countBy<T>(all: Iterable<T>, key: (each: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const each of all) counts.set(key(each), (counts.get(key(each)) ?? 0) + 1);
  return counts;
}

/** How many openings each source has. One with two sources counts for both. */
function countSources(openings: readonly OpeningView[], names: SourceNames): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { from } of openings)
    for (const name of new Set(from.map((each) => names.of(each).name))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function spotsOf(host: HostPlan, controller: TopologySource, { fleet, openings }: Facts): ReadonlyMap<Address, Spot> {
  const spots = new Map<Address, Spot>();
  const spans = host.networks.map(({ name, prefix }) => {
    const first = baseBits(prefix);
    return { name, first, last: first + sizeOf(prefix) - 1n };
  });
  const put = (address: Address, name: string, state: Spot["state"]): void => {
    if (spots.has(address)) return;
    const at = toBits(address);
    spots.set(address, {
      name,
      state,
      network: spans.find(({ first, last }) => at >= first && at <= last)?.name ?? "",
    });
  };
  for (const container of controller.containers(host.host))
    for (const { address } of container.endpoints) put(address, container.name, "reported");
  for (const [name, reserved] of fleet.hosts.get(host.host)?.docker.containers ?? []) {
    const address = reservedAddress(host, reserved);
    if (address !== undefined) put(address, name, "reserved");
  }
  for (const { to, container } of openings) put(to, container?.name ?? "", "unseen");
  return spots;
}

/** In order of network and name. */
function dotsOf(
  host: HostPlan,
  spots: ReadonlyMap<Address, Spot>,
  controller: TopologySource,
  { openings, names, proofs }: Facts,
): readonly ContainerDot[] {
  const refused = Map.groupBy(controller.refusals(host.host), ({ to }) => to);
  const opened = Map.groupBy(openings, ({ to }) => to);
  return [...spots]
    .map(
      ([address, spot]): ContainerDot => ({
        address,
        ...spot,
        openings: (opened.get(address) ?? []).slice(0, 64).map((each) => ({
          id: each.id,
          service: formatService(each.service),
          state: each.state,
          by: each.askedBy.kind,
          from: [...new Set(each.from.map((from) => names.of(from).name))],
          proof: proofs.get(each.id) ?? "unproved",
        })),
        refusals: (refused.get(address) ?? [])
          .slice(0, 16)
          .map(({ text, code, why, fix }) => ({ text, code, why, fix })),
      }),
    )
    .sort((a, b) => compare(a.network, b.network) || compare(a.name, b.name) || compare(a.address, b.address));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
