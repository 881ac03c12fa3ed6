import type { HostBranch, TopologyView } from "../map/topology-schema.ts";
import { type Filter, isService, isWanted } from "./filter.ts";

/** Left to right. */
export const layers = ["source", "gateway", "bridge", "host", "network", "container"] as const;
export type Layer = (typeof layers)[number];

/** `proved`: all that is open there was seen to be, with packets, of late. `open`: the gateway lets packets through. `held`: it waits for its host's report. `idle`: nothing is open there. */
export type Tone = "proved" | "open" | "held" | "idle";

export type Goes = Focus | { readonly kind: "address"; readonly address: string };

export type GraphNode = {
  readonly id: string;
  readonly layer: Layer;
  readonly label: string;
  /** A second line: an address, a prefix, how many. */
  readonly detail: string;
  readonly tone: Tone;
  /** What a click goes to: a bundle of hosts, a host, or one address. */
  readonly goes?: Goes;
  /** Refusals and alarms that are worth a mark. */
  readonly marks: readonly string[];
};

export type GraphEdge = {
  readonly from: string;
  readonly to: string;
  /** `denied`: the gateway dropped packets in the last five minutes. `inside`: how it is wired. */
  readonly kind: "proved" | "open" | "held" | "refused" | "denied" | "inside";
  readonly count: number;
};

export type Graph = { readonly nodes: readonly GraphNode[]; readonly edges: readonly GraphEdge[] };

/** What is looked at: the whole fleet, some hosts by their slots, or one host. */
export type Focus =
  | { readonly kind: "fleet" }
  | { readonly kind: "hosts"; readonly first: number; readonly last: number }
  | { readonly kind: "host"; readonly host: string };

/** Nodes of a column that are drawn one by one. */
export const mostInColumn = 60;
/** Hosts of a bundle. */
const bundle = 25;

/** The picture's nodes and edges, in an order that does not depend on when who reported. */
export function graphOf(view: TopologyView, focus: Focus, filter: Filter): Graph {
  const hosts = view.hosts.filter((host) => isIn(host, focus) && isWanted(host, view, filter));
  const made: Made = { nodes: new Map(), edges: new Map() };
  for (const source of view.sources)
    put(made, {
      id: `source ${source.name}`,
      layer: "source",
      label: source.name,
      detail: source.kind === "internet" ? "everybody" : few(source.prefixes),
      tone: "idle",
      marks: [],
    });
  put(made, {
    id: "gateway",
    layer: "gateway",
    label: view.gateway.name,
    detail: view.gateway.kind,
    tone: "idle",
    marks: [
      ...(view.gateway.reached ? [] : ["not reached"]),
      ...(view.gateway.drift > 0 ? [`${view.gateway.drift} drifted`] : []),
    ],
  });
  for (const { id, name, hypervisor } of view.bridges) {
    put(made, { id: `bridge ${id}`, layer: "bridge", label: name, detail: hypervisor ?? "", tone: "idle", marks: [] });
    join(made, "gateway", `bridge ${id}`, "inside", 0);
  }
  if (focus.kind !== "host" && hosts.length > mostInColumn) bundles(made, hosts);
  else for (const host of hosts) branch(made, host, hosts.length, filter);
  flows(made, view, hosts, filter);
  return { nodes: [...made.nodes.values()], edges: [...made.edges.values()] };
}

type Made = { readonly nodes: Map<string, GraphNode>; readonly edges: Map<string, GraphEdge> };

function put(made: Made, node: GraphNode): void {
  made.nodes.set(node.id, node);
}

/** Edges of one kind between two nodes are one, with their number. */
function join(made: Made, from: string, to: string, kind: GraphEdge["kind"], count: number): void {
  const key = `${from}|${to}|${kind}`;
  made.edges.set(key, { from, to, kind, count: (made.edges.get(key)?.count ?? 0) + count });
}

function isIn(host: HostBranch, focus: Focus): boolean {
  switch (focus.kind) {
    case "fleet":
      return true;
    case "hosts":
      return host.slot >= focus.first && host.slot <= focus.last;
    case "host":
      return host.name === focus.host;
  }
}

type Sum = { readonly openings: number; readonly held: number; readonly proved: number };

function toneOf({ openings, held, proved }: Sum): Tone {
  if (openings === 0) return "idle";
  return held === openings ? "held" : proved === openings ? "proved" : "open";
}

const kindOf: Readonly<Record<Tone, GraphEdge["kind"]>> = {
  proved: "proved",
  open: "open",
  held: "held",
  idle: "inside",
};

/** More hosts than can be told apart: neighbours by slot together. */
function bundles(made: Made, hosts: readonly HostBranch[]): void {
  const size = Math.max(bundle, Math.ceil(hosts.length / mostInColumn));
  for (let at = 0; at < hosts.length; at += size) {
    const some = hosts.slice(at, at + size);
    const [first, last] = [some[0], some.at(-1)];
    if (first === undefined || last === undefined) continue;
    const sum = { openings: sumOf(some, "openings"), held: sumOf(some, "held"), proved: sumOf(some, "proved") };
    const away = some.filter(({ agent }) => agent !== "connected").length;
    put(made, {
      id: bundleId(first.slot, last.slot),
      layer: "host",
      label: some.length === 1 ? first.name : `${first.name} … ${last.name}`,
      detail: `${some.length} hosts, ${sum.openings} open${away === 0 ? "" : `, ${away} away`}`,
      tone: toneOf(sum),
      goes: { kind: "hosts", first: first.slot, last: last.slot },
      marks: away === 0 ? [] : [`${away} not connected`],
    });
    for (const each of some) {
      const tone = toneOf(each);
      join(made, `bridge ${each.bridge}`, bundleId(first.slot, last.slot), kindOf[tone], each.openings);
    }
  }
}

function bundleId(first: number, last: number): string {
  return `hosts ${first} ${last}`;
}

function sumOf(hosts: readonly HostBranch[], key: keyof Sum): number {
  return hosts.reduce((sum, host) => sum + host[key], 0);
}

/** A host with its networks and containers: one by one while they are few, or while it is the only one. */
function branch(made: Made, host: HostBranch, among: number, filter: Filter): void {
  const id = `host ${host.name}`;
  put(made, {
    id,
    layer: "host",
    label: host.name,
    detail: host.address,
    tone: toneOf(host),
    goes: { kind: "host", host: host.name },
    marks: [
      ...(host.agent === "connected" ? [] : [host.agent === "never" ? "no agent" : `agent ${host.agent}`]),
      ...(host.refusals > 0 ? [`${host.refusals} refused`] : []),
      ...(host.failing > 0 ? [`${host.failing} not reached`] : []),
    ],
  });
  join(made, `bridge ${host.bridge}`, id, kindOf[toneOf(host)], host.openings);
  if (among > 16) return;
  const dots = (host.dots ?? []).filter(
    (dot) => filter.service === "" || dot.openings.some(({ service }) => isService(service, filter)),
  );
  const room = Math.max(2, Math.floor(mostInColumn / among));
  // Those with something to say first; the rest is counted.
  const shown = new Set([...dots].sort((a, b) => weight(b) - weight(a)).slice(0, dots.length > room ? room - 1 : room));
  for (const network of host.networks) {
    const inside = dots.filter((dot) => dot.network === network.name);
    if (network.containers === 0 && among > 4) continue;
    const networkId = `network ${host.name} ${network.name}`;
    const tone = toneOf({ ...network, held: heldIn(inside) });
    put(made, { id: networkId, layer: "network", label: network.name, detail: network.prefix, tone, marks: [] });
    join(made, id, networkId, kindOf[tone], network.openings);
    for (const dot of inside) if (shown.has(dot)) container(made, networkId, dot);
    const rest = network.containers - inside.filter((dot) => shown.has(dot)).length;
    if (rest > 0 && filter.service === "") more(made, { host, networkId, rest, network });
  }
}

type Dot = NonNullable<HostBranch["dots"]>[number];

function weight(dot: Dot): number {
  return dot.openings.length * 2 + dot.refusals.length;
}

/** Who may come, where that is not everybody. */
function fromWhom({ openings }: Dot): string {
  const names = [...new Set(openings.flatMap(({ from }) => from))];
  return names.includes("internet") || names.length === 0 ? "" : ` from ${few(names)}`;
}

function heldIn(dots: readonly Dot[]): number {
  return dots.flatMap(({ openings }) => openings).filter(({ state }) => state === "held").length;
}

function container(made: Made, networkId: string, dot: Dot): void {
  const id = `container ${dot.address}`;
  const [held, proved] = [heldIn([dot]), dot.openings.filter(({ proof }) => proof === "proved").length];
  const tone = toneOf({ openings: dot.openings.length, held, proved });
  const services = dot.openings.map(({ service }) => service);
  put(made, {
    id,
    layer: "container",
    label: dot.name === "" ? "unknown" : dot.name,
    detail: services.length === 0 ? "closed" : `${few(services)}${fromWhom(dot)}`,
    tone,
    goes: { kind: "address", address: dot.address },
    marks: [
      ...(dot.refusals.length > 0 ? ["refused"] : []),
      ...(dot.openings.some(({ proof }) => proof === "failing") ? ["not reached"] : []),
      ...(dot.state === "unseen" ? ["not reported"] : dot.state === "reserved" ? ["not running"] : []),
    ],
  });
  join(made, networkId, id, dot.refusals.length > 0 && tone === "idle" ? "refused" : kindOf[tone], dot.openings.length);
}

function more(
  made: Made,
  at: {
    readonly host: HostBranch;
    readonly networkId: string;
    readonly rest: number;
    readonly network: HostBranch["networks"][number];
  },
): void {
  const id = `more ${at.networkId}`;
  put(made, {
    id,
    layer: "container",
    label: `${at.rest} ${at.rest === at.network.containers ? "" : "more "}container${at.rest === 1 ? "" : "s"}`,
    detail: at.rest === at.network.containers ? `${at.network.openings} open` : "",
    tone: "idle",
    goes: { kind: "host", host: at.host.name },
    marks: [],
  });
  join(made, at.networkId, id, "inside", 0);
}

/** What comes in at the gateway from each source, and what it turned away. */
function flows(made: Made, view: TopologyView, hosts: readonly HostBranch[], filter: Filter): void {
  for (const host of hosts)
    if (host.openings > 0) join(made, "gateway", `bridge ${host.bridge}`, kindOf[toneOf(host)], host.openings);
  for (const each of made.edges.values())
    if (each.from.startsWith("bridge ")) lit(made, [each.from, "gateway"], each.kind);
  for (const source of view.sources) {
    const open = hosts.reduce((sum, host) => sum + (host.from[source.name] ?? 0), 0);
    const wanted = filter.source === "" || filter.source === source.name;
    const id = `source ${source.name}`;
    if (open > 0 && wanted) {
      const kind =
        open === hosts.reduce((sum, host) => sum + (host.provedFrom[source.name] ?? 0), 0) ? "proved" : "open";
      join(made, id, "gateway", kind, open);
      lit(made, [id], kind);
    } else join(made, id, "gateway", "inside", 0);
  }
  turnedAway(made, view, hosts, filter);
}

/** From a source up to the gateway; what a host sent and nothing let through is a mark of that host. */
function turnedAway(made: Made, view: TopologyView, hosts: readonly HostBranch[], filter: Filter): void {
  const shown = new Set(hosts.map(({ name }) => name));
  const senders = new Set(view.hosts.map(({ name }) => name));
  const sent = new Map<string, number>();
  for (const { source, host, count } of view.denied) {
    if (count === 0 || (filter.source !== "" && source !== filter.source)) continue;
    if (senders.has(source)) sent.set(source, (sent.get(source) ?? 0) + count);
    else if (host === undefined || shown.has(host))
      join(
        made,
        made.nodes.has(`source ${source}`) ? `source ${source}` : "source internet",
        "gateway",
        "denied",
        count,
      );
  }
  for (const [name, count] of sent) {
    const node = made.nodes.get(`host ${name}`);
    if (node !== undefined) put(made, { ...node, marks: [...node.marks, `${count} not let through`] });
  }
}

/** Openings go through them: what is not proved shows. */
function lit(made: Made, ids: readonly string[], kind: GraphEdge["kind"]): void {
  if (kind !== "open" && kind !== "proved") return;
  for (const id of ids) {
    const node = made.nodes.get(id);
    if (node !== undefined && node.tone !== "open") put(made, { ...node, tone: kind });
  }
}

/** The first two, and how many more there are. */
function few(texts: readonly string[]): string {
  return texts.length <= 2 ? texts.join(", ") : `${texts.slice(0, 2).join(", ")} +${texts.length - 2}`;
}
