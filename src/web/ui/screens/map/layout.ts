import { type Graph, type GraphEdge, type GraphNode, type Layer, layers } from "./graph.ts";

/** Where a node stands, in pixels of the picture. `x`, `y`: its upper left corner. */
export type Placed = GraphNode & { readonly x: number; readonly y: number; readonly width: number };
/** A line from the right of one node to the left of the next, as a path of SVG. */
export type Drawn = GraphEdge & { readonly path: string; readonly x: number; readonly y: number };

export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed[];
  readonly edges: readonly Drawn[];
  /** Headings of the columns that have something. */
  readonly columns: readonly { readonly layer: Layer; readonly x: number; readonly width: number }[];
};

export const nodeHeight = 40;
const gap = 10;
const top = 36;
const margin = 12;
/** Between two columns: room for the lines. */
const between = 64;
/** How far down the gateway stands at most. */
const highest = 240;
const widths: Readonly<Record<Layer, number>> = {
  source: 150,
  gateway: 110,
  bridge: 96,
  host: 190,
  network: 206,
  container: 176,
};

/**
 * Layers from left to right. Each is put in the order of the middles of what it hangs on (the barycentre rule of Sugiyama,
 * Tagawa and Toda, 1981), then its nodes stand as near to the middle of their neighbours as there is room. The same
 * graph gives the same picture.
 */
export function layOut(graph: Graph): Layout {
  const columns = orderLayers(graph);
  const shown = columns.filter(({ nodes }) => nodes.length > 0);
  const places = placeColumns(shown, graph.edges);
  const xs = new Map<Layer, number>();
  let x = margin;
  for (const { layer } of shown) {
    xs.set(layer, x);
    x += widths[layer] + between;
  }
  const lowest = Math.min(top, ...places.values());
  const nodes = shown.flatMap(({ layer, nodes: of }) =>
    of.map((node): Placed => {
      const y = (places.get(node.id) ?? 0) - lowest + top;
      return { ...node, x: xs.get(layer) ?? 0, y, width: widths[layer] };
    }),
  );
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return {
    width: Math.max(margin * 2, x - between + margin),
    height: Math.max(top, ...nodes.map(({ y }) => y + nodeHeight)) + margin,
    nodes,
    edges: graph.edges.flatMap((edge) => drawn(edge, byId)),
    columns: shown.map(({ layer }) => ({ layer, x: xs.get(layer) ?? 0, width: widths[layer] })),
  };
}

type Column = { readonly layer: Layer; readonly nodes: readonly GraphNode[] };

/** Sweeps to the right, then to the left, until nothing moves or eight times. */
function orderLayers({ nodes, edges }: Graph): readonly Column[] {
  const columns = layers.map((layer) => ({ layer, nodes: nodes.filter((node) => node.layer === layer) }));
  const neighbours = neighboursOf(edges);
  for (let sweep = 0; sweep < 8; sweep++) {
    const before = columns.map((column) => column.nodes.map(({ id }) => id).join()).join();
    const forth = sweep % 2 === 0;
    for (const n of forth ? [1, 2, 3, 4, 5] : [4, 3, 2, 1, 0]) {
      const fixed = columns[forth ? n - 1 : n + 1];
      const column = columns[n];
      if (fixed === undefined || column === undefined) continue;
      const ranks = new Map(fixed.nodes.map(({ id }, at) => [id, at]));
      const own = new Map(column.nodes.map(({ id }, at) => [id, at]));
      const key = (node: GraphNode): number =>
        barycentre(neighbours.get(node.id) ?? [], ranks) ?? own.get(node.id) ?? 0;
      column.nodes = [...column.nodes].sort((a, b) => key(a) - key(b) || (own.get(a.id) ?? 0) - (own.get(b.id) ?? 0));
    }
    if (before === columns.map((column) => column.nodes.map(({ id }) => id).join()).join()) break;
  }
  return columns;
}

function neighboursOf(edges: readonly GraphEdge[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (a: string, b: string): void => {
    const list = found.get(a);
    if (list === undefined) found.set(a, [b]);
    else list.push(b);
  };
  for (const { from, to } of edges) {
    add(from, to);
    add(to, from);
  }
  return found;
}

function barycentre(neighbours: readonly string[], ranks: ReadonlyMap<string, number>): number | undefined {
  const found = neighbours.flatMap((id) => ranks.get(id) ?? []);
  return found.length === 0 ? undefined : found.reduce((sum, each) => sum + each, 0) / found.length;
}

/** From the column with most nodes to both sides: that one is dense, the others follow it. */
function placeColumns(columns: readonly Column[], edges: readonly GraphEdge[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const neighbours = neighboursOf(edges);
  const counts = columns.map(({ nodes }) => nodes.length);
  const widest = counts.indexOf(Math.max(...counts));
  const step = nodeHeight + gap;
  columns[widest]?.nodes.forEach(({ id }, at) => places.set(id, at * step));
  const firstOfMany = columns.findIndex(({ layer }) => layer === "bridge");
  const order = [
    ...Array.from({ length: widest }, (_, at) => widest - 1 - at),
    ...Array.from({ length: Math.max(0, columns.length - widest - 1) }, (_, at) => widest + 1 + at),
  ];
  for (const n of order) {
    const nodes = columns[n]?.nodes ?? [];
    const wanted = nodes.map(({ id }) => {
      const middle = barycentre(neighbours.get(id) ?? [], places);
      // A long picture is looked at from its top: where packets come in has to be there.
      return middle === undefined || n > firstOfMany ? middle : Math.min(middle, highest);
    });
    spread(wanted, step).forEach((y, at) => places.set(nodes[at]?.id ?? "", y));
  }
  return places;
}

/** In order and no nearer than `step`, as near as may be to where each wants to be: blocks that touch move as one. */
export function spread(wanted: readonly (number | undefined)[], step: number): readonly number[] {
  type Block = { sum: number; count: number; at: number };
  const blocks: Block[] = [];
  const middle = wanted.find((each) => each !== undefined) ?? 0;
  for (const each of wanted) {
    const last = blocks.at(-1);
    const target = each ?? (last === undefined ? middle : last.at + last.count * step);
    let block: Block = { sum: target, count: 1, at: target };
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (before.at + before.count * step <= block.at) break;
      blocks.pop();
      // What each wants of the block's first place.
      const sum = before.sum + block.sum - block.count * before.count * step;
      const count = before.count + block.count;
      block = { sum, count, at: sum / count };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ at, count }) => Array.from({ length: count }, (_, n) => Math.round(at + n * step)));
}

function drawn(edge: GraphEdge, nodes: ReadonlyMap<string, Placed>): readonly Drawn[] {
  const from = nodes.get(edge.from);
  const to = nodes.get(edge.to);
  if (from === undefined || to === undefined) return [];
  // Denied packets end at the gateway, a little below those that come in.
  const shift = edge.kind === "denied" ? 9 : 0;
  const [x1, y1] = [from.x + from.width, from.y + nodeHeight / 2 + shift];
  const [x2, y2] = [to.x, to.y + nodeHeight / 2 + shift];
  const bend = (x2 - x1) / 2;
  return [
    {
      ...edge,
      path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
      x: (x1 + x2) / 2,
      y: (y1 + y2) / 2,
    },
  ];
}

/** What hangs together with a node over edges of openings and wires, in both directions but never back: its paths. */
export function pathsThrough(id: string, edges: readonly GraphEdge[]): ReadonlySet<string> {
  const found = new Set([id]);
  for (const [from, to] of [
    ["from", "to"],
    ["to", "from"],
  ] as const) {
    let edge: readonly string[] = [id];
    while (edge.length > 0) {
      const next = edges.filter((each) => edge.includes(each[from]) && !found.has(each[to])).map((each) => each[to]);
      for (const each of next) found.add(each);
      edge = next;
    }
  }
  return found;
}
