import { expect, test } from "vitest";
import type { HostBranch, TopologyView } from "../map/topology-schema.ts";
import { everything } from "./filter.ts";
import { type Focus, graphOf, mostInColumn } from "./graph.ts";
import { layOut, nodeHeight, pathsThrough, spread } from "./layout.ts";

const fleet: Focus = { kind: "fleet" };
const room = { width: 1398, height: 690 };

function hostOf(n: number, change: Partial<HostBranch> = {}): HostBranch {
  const name = `vm${n}`;
  return {
    name,
    bridge: "vmbr2",
    slot: n + 1,
    block: `2001:db8:0:0:${(n * 16).toString(16)}::/76`,
    address: `2001:db8:0:0:${(n * 16).toString(16)}::2`,
    agent: "connected",
    openings: 1,
    held: 0,
    proved: 0,
    failing: 0,
    provedFrom: {},
    refusals: 0,
    from: { internet: 1 },
    networks: [{ name: "default", prefix: "2001:db8::/80", containers: 1, openings: 1, proved: 0 }],
    containers: 1,
    dots: [
      {
        address: `2001:db8::${n}`,
        name: `web${n}`,
        state: "reported",
        network: "default",
        openings: [
          { id: `o${n}`, service: "443/tcp", state: "open", by: "label", from: ["internet"], proof: "unproved" },
        ],
        refusals: [],
      },
    ],
    ...change,
  };
}

function viewOf(count: number, change: Partial<TopologyView> = {}): TopologyView {
  return {
    fleet: "lab",
    delegated: "2001:db8::/64",
    gateway: { name: "fw", kind: "nftables", uplink: "wan", hosts: "lan", nextHop: "fe80::1", reached: true, drift: 0 },
    sources: [
      { kind: "internet", name: "internet", prefixes: ["::/0"] },
      { kind: "group", name: "office", prefixes: ["2001:db8:aaaa::/48"] },
    ],
    bridges: [{ id: "vmbr2", name: "vmbr2" }],
    hosts: Array.from({ length: count }, (_, at) => hostOf(at + 1)),
    denied: [],
    ...change,
  };
}

test("graphOf goes from sources to containers, and says what is open between them", () => {
  const { nodes, edges } = graphOf(viewOf(2), fleet, everything);
  expect(nodes.map(({ layer }) => layer)).toEqual([
    "source",
    "source",
    "gateway",
    "bridge",
    "host",
    "network",
    "container",
    "host",
    "network",
    "container",
  ]);
  expect(edges.find(({ from }) => from === "source internet")).toMatchObject({ kind: "open", count: 2 });
  expect(edges.find(({ from }) => from === "source office")).toMatchObject({ kind: "inside", count: 0 });
});

test("graphOf marks what is amiss: refusals, hosts that are away, a gateway that drifted", () => {
  const view = viewOf(1, { hosts: [hostOf(1, { agent: "stale", refusals: 2, held: 1 })] });
  const { nodes } = graphOf({ ...view, gateway: { ...view.gateway, drift: 3 } }, fleet, everything);
  expect(nodes.find(({ id }) => id === "gateway")?.marks).toEqual(["3 drifted"]);
  expect(nodes.find(({ id }) => id === "host vm1")).toMatchObject({
    tone: "held",
    marks: ["agent stale", "2 refused"],
  });
});

test("graphOf draws denied packets up to the gateway, by their source", () => {
  const flow = {
    from: "2600::/64",
    example: "2600::1",
    to: "2001:db8::1",
    transport: "tcp",
    port: 22,
    count: 5,
    last: 1,
  };
  const view = viewOf(2, {
    denied: [
      { ...flow, source: "internet", host: "vm1" },
      { ...flow, source: "internet", port: 23, host: "vm1" },
    ],
  });
  const { edges } = graphOf(view, fleet, everything);
  expect(edges.filter(({ kind }) => kind === "denied")).toEqual([
    { from: "source internet", to: "gateway", kind: "denied", count: 10 },
  ]);
  const only = graphOf(view, fleet, { ...everything, only: "denied" });
  expect(only.nodes.filter(({ layer }) => layer === "host").map(({ label }) => label)).toEqual(["vm1"]);
});

test("graphOf says what was proved with packets: all of it or not, from containers to sources", () => {
  const provedHost = (n: number): HostBranch => {
    const host = hostOf(n);
    const dots = (host.dots ?? []).map((dot) => ({
      ...dot,
      openings: dot.openings.map((each) => ({ ...each, proof: "proved" as const })),
    }));
    const networks = host.networks.map((network) => ({ ...network, proved: 1 }));
    return { ...host, dots, networks, proved: 1, provedFrom: { internet: 1 } };
  };
  const all = graphOf(viewOf(0, { hosts: [provedHost(1), provedHost(2)] }), fleet, everything);
  expect(new Set(all.nodes.filter(({ id }) => id !== "source office").map(({ tone }) => tone))).toEqual(
    new Set(["proved"]),
  );
  expect(new Set(all.edges.map(({ kind }) => kind))).toEqual(new Set(["proved", "inside"]));
  const some = graphOf(viewOf(0, { hosts: [provedHost(1), hostOf(2, { failing: 1 })] }), fleet, everything);
  const tones = new Map(some.nodes.map(({ id, tone }) => [id, tone]));
  expect(["source internet", "gateway", "host vm1", "host vm2"].map((id) => tones.get(id))).toEqual([
    "open",
    "open",
    "proved",
    "open",
  ]);
  expect(some.nodes.find(({ id }) => id === "host vm2")?.marks).toEqual(["1 not reached"]);
});

test("graphOf marks a host whose packets were not let through, and does not draw them as the Internet's", () => {
  const flow = { from: "2001:db8::/64", example: "2001:db8::9", to: "2600::1", transport: "tcp", port: 25, last: 1 };
  const view = viewOf(2, { denied: [{ ...flow, count: 4, source: "vm1" }] });
  const { nodes, edges } = graphOf(view, fleet, everything);
  expect(edges.filter(({ kind }) => kind === "denied")).toEqual([]);
  const marked = nodes.filter(({ marks }) => marks.length > 0).map(({ id, marks }) => [id, marks]);
  expect(marked).toEqual([["host vm1", ["4 not let through"]]]);
  expect(graphOf(view, { kind: "host", host: "vm2" }, everything).nodes.flatMap(({ marks }) => marks)).toEqual([]);
});

test.each([61, 1000, 4094])("graphOf puts %i hosts together, every one of them in one bundle", (count) => {
  const { nodes } = graphOf(viewOf(count), fleet, everything);
  const bundles = nodes.filter(({ layer }) => layer === "host");
  expect(bundles.length).toBeLessThanOrEqual(mostInColumn);
  const slots = bundles.flatMap(({ goes }) =>
    goes !== undefined && "kind" in goes && goes.kind === "hosts"
      ? Array.from({ length: goes.last - goes.first + 1 }, (_, at) => goes.first + at)
      : [],
  );
  expect(slots).toEqual(Array.from({ length: count }, (_, at) => at + 2));
});

test("graphOf shows one host with all its networks, and counts containers that have no room", () => {
  const dots = Array.from({ length: 200 }, (_, at) => ({ ...(hostOf(1).dots ?? [])[0], address: `2001:db8::${at}` }));
  const host = hostOf(1, {
    dots: dots as NonNullable<HostBranch["dots"]>,
    networks: [{ name: "default", prefix: "2001:db8::/80", containers: 200, openings: 200, proved: 0 }],
  });
  const { nodes } = graphOf(viewOf(1, { hosts: [host] }), { kind: "host", host: "vm1" }, everything);
  const containers = nodes.filter(({ layer }) => layer === "container");
  expect(containers).toHaveLength(mostInColumn);
  expect(containers.at(-1)?.label).toBe("141 more containers");
});

test("graphOf filters by name, source and service", () => {
  const view = viewOf(3);
  const labels = (filter: object): readonly string[] =>
    graphOf(view, fleet, { ...everything, ...filter })
      .nodes.filter(({ layer }) => layer === "host")
      .map(({ label }) => label);
  expect(labels({ text: "WEB2" })).toEqual(["vm2"]);
  expect(labels({ source: "office" })).toEqual([]);
  expect(labels({ service: "443" })).toEqual(["vm1", "vm2", "vm3"]);
  expect(labels({ service: "80/tcp" })).toEqual([]);
});

test.each([1, 5, 16, 60, 1000])(
  "layOut lets no two nodes of a picture of %i hosts overlap, and is the same each time",
  (count) => {
    const graph = graphOf(viewOf(count), fleet, everything);
    const { nodes, width, height, edges } = layOut(graph, room);
    for (const [at, a] of nodes.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.x + a.width).toBeLessThanOrEqual(width);
      expect(a.y + nodeHeight).toBeLessThanOrEqual(height);
      for (const b of nodes.slice(at + 1))
        if (a.x === b.x) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(nodeHeight);
    }
    expect(edges).toHaveLength(graph.edges.length);
    expect(layOut(graphOf(viewOf(count), fleet, everything), room)).toEqual({
      nodes,
      width,
      height,
      edges,
      columns: expect.anything(),
    });
  },
);

test("layOut uses what the screen has, up to rows that still belong together, and stands in its middle", () => {
  const small = graphOf(viewOf(2), fleet, everything);
  const { nodes, width, height } = layOut(small, room);
  expect({ width: width > room.width - 8 && width <= room.width, height }).toEqual({
    width: true,
    height: room.height,
  });
  const ys = nodes.filter(({ layer }) => layer === "container").map(({ y }) => y);
  expect(ys[1] ?? 0).toBe((ys[0] ?? 0) + nodeHeight + 40);
  const gateway = nodes.find(({ layer }) => layer === "gateway");
  expect((gateway?.y ?? 0) * 2).toBeCloseTo((ys[0] ?? 0) + (ys[1] ?? 0), -1);
  const many = layOut(graphOf(viewOf(16), fleet, everything), room);
  expect(many.height).toBeGreaterThan(room.height);
  expect(many.nodes.find(({ layer }) => layer === "gateway")?.y).toBeLessThan(room.height / 2 + nodeHeight);
});

test("layOut leads what comes in and what is denied to the gateway side by side, without a crossing", () => {
  const flow = { from: "2600::/64", example: "2600::1", to: "2001:db8::1", transport: "tcp", port: 22, last: 1 };
  const denied = ["internet", "office"].map((source) => ({ ...flow, source, count: 3, host: "vm1" }));
  const { edges, nodes } = layOut(graphOf(viewOf(2, { denied }), fleet, everything), room);
  const gateway = nodes.find(({ layer }) => layer === "gateway");
  const ends = edges.filter(({ to }) => to === "gateway").sort((a, b) => a.y - b.y);
  expect(ends.map(({ from, kind }) => `${from} ${kind}`)).toEqual([
    "source internet open",
    "source internet denied",
    "source office inside",
    "source office denied",
  ]);
  expect(ends[0]?.y).toBeGreaterThan(gateway?.y ?? 0);
  expect(ends.at(-1)?.y).toBeLessThan((gateway?.y ?? 0) + nodeHeight);
});

test("graphOf says who may come to a container, where that is not everybody, and draws nothing for what faded", () => {
  const [dot] = hostOf(1).dots ?? [];
  if (dot === undefined) throw new Error("no dot");
  const openings = dot.openings.map((each) => ({ ...each, from: ["office"] }));
  const flow = { from: "2600::/64", example: "2600::1", to: "2001:db8::1", transport: "tcp", port: 22, last: 1 };
  const view = viewOf(1, {
    hosts: [hostOf(1, { dots: [{ ...dot, openings }] })],
    denied: [{ ...flow, source: "internet", count: 0, host: "vm1" }],
  });
  const { nodes, edges } = graphOf(view, fleet, everything);
  expect(nodes.find(({ layer }) => layer === "container")?.detail).toBe("443/tcp from office");
  expect(edges.filter(({ kind }) => kind === "denied")).toEqual([]);
});

test("layOut crosses no lines between hosts and what hangs on them", () => {
  const { nodes, edges } = layOut(graphOf(viewOf(12), fleet, everything), room);
  const at = new Map(nodes.map(({ id, y }) => [id, y]));
  const pairs = edges
    .filter(({ from }) => from.startsWith("host "))
    .map(({ from, to }) => [at.get(from) ?? 0, at.get(to) ?? 0] as const);
  for (const [a, b] of pairs) for (const [c, d] of pairs) if (a < c) expect(b).toBeLessThanOrEqual(d);
});

test("spread keeps order and distance, and stays where there is room", () => {
  expect(spread([0, 100, 200], 50)).toEqual([0, 100, 200]);
  expect(spread([0, 0, 0], 50)).toEqual([-50, 0, 50]);
  expect(spread([undefined, 10, undefined], 50)).toEqual([-15, 35, 85]);
});

test("pathsThrough follows a node to both sides, not back again", () => {
  const { edges } = graphOf(viewOf(2), fleet, everything);
  const found = pathsThrough("host vm1", edges);
  expect(found.has("container 2001:db8::1")).toBe(true);
  expect(found.has("source internet")).toBe(true);
  expect(found.has("host vm2")).toBe(false);
});
