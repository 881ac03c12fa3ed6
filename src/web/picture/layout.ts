import { type Graph, type GraphEdge, type GraphNode, type Layer, layers } from "./graph.ts";

/** Where a node stands, in pixels of the picture. `x`, `y`: its upper left corner. */
export type Placed = GraphNode & { readonly x: number; readonly y: number; readonly width: number };
/** A line from the right of one node to the left of the next, as a path of SVG. `x`, `y`: where it ends. */
export type Drawn = GraphEdge & { readonly path: string; readonly x: number; readonly y: number };

/** What the screen has for the picture, in pixels. A picture that needs more is scrolled. */
export type Room = { readonly width: number; readonly height: number };

export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Placed[];
  readonly edges: readonly Drawn[];
  /** Headings of the columns that have something. */
  readonly columns: readonly { readonly layer: Layer; readonly x: number; readonly width: number }[];
};

export const nodeHeight = 44;
const top = 44;
const margin = 16;
/** From one node of a column to the next: near where there are many, and never so far that they fall apart. */
const steps = { least: nodeHeight + 10, most: nodeHeight + 40 };
/** Between two columns: room for the lines. */
const between = { least: 40, most: 120 };
const widths: Readonly<Record<Layer, number>> = {
  source: 172,
  gateway: 116,
  bridge: 104,
  host: 204,
  network: 216,
  container: 190,
};

/**
 * Layers from left to right. Each is put in the order of the middles of what it hangs on (the barycentre rule of Sugiyama,
 * Tagawa and Toda, 1981), then its nodes stand as near to the middle of their neighbours as there is room. What the screen
 * has more than the picture needs goes between columns and rows. The same graph in the same room gives the same picture.
 */
export function layOut(graph: Graph, room: Room): Layout {
  const columns = orderLayers(graph).filter(({ nodes }) => nodes.length > 0);
  const most = Math.max(1, ...columns.map(({ nodes }) => nodes.length));
  const step = within(steps, (room.height - top - margin - nodeHeight) / Math.max(1, most - 1));
  const places = placeColumns(columns, graph.edges, { step, room });
  const wide = columns.reduce((sum, { layer }) => sum + widths[layer], 2 * margin);
  const gap = within(between, (room.width - wide) / Math.max(1, columns.length - 1));
  const xs = new Map<Layer, number>();
  let x = margin;
  for (const { layer } of columns) {
    xs.set(layer, x);
    x += widths[layer] + gap;
  }
  const [upper, lower] = [Math.min(...places.values()), Math.max(...places.values()) + nodeHeight];
  const height = Math.max(Math.floor(room.height), lower - upper + top + margin);
  // Less than the screen has: in its middle.
  const down = top - upper + Math.floor((height - top - margin - (lower - upper)) / 2);
  const nodes = columns.flatMap(({ layer, nodes: of }) =>
    of.map(
      (node): Placed => ({
        ...node,
        x: xs.get(layer) ?? 0,
        y: (places.get(node.id) ?? 0) + down,
        width: widths[layer],
      }),
    ),
  );
  return {
    width: Math.max(margin * 2, x - gap + margin),
    height,
    nodes,
    edges: drawEdges(graph.edges, new Map(nodes.map((node) => [node.id, node]))),
    columns: columns.map(({ layer }) => ({ layer, x: xs.get(layer) ?? 0, width: widths[layer] })),
  };
}

function within({ least, most }: { readonly least: number; readonly most: number }, wanted: number): number {
  return Math.floor(Math.min(most, Math.max(least, wanted)));
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

/** From the column with most nodes to both sides: that one is dense, the others follow it. A gateway is in the middle. */
function placeColumns(
  columns: readonly Column[],
  edges: readonly GraphEdge[],
  { step, room }: { readonly step: number; readonly room: Room },
): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  const neighbours = neighboursOf(edges);
  const counts = columns.map(({ nodes }) => nodes.length);
  const widest = counts.indexOf(Math.max(...counts));
  // A picture longer than the screen is looked at from its top: where packets come in has to be there.
  const centre = (((columns[widest]?.nodes.length ?? 1) - 1) / 2) * step;
  const isLong = (columns[widest]?.nodes.length ?? 0) * step > room.height;
  const highest = isLong ? Math.max(240, room.height / 2 - top) : Number.POSITIVE_INFINITY;
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
      if (middle === undefined || n > firstOfMany) return middle;
      return Math.min(nodes.length === 1 ? centre : middle, highest);
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

/** Lines to one node arrive side by side at the gateway, where each source has two: they neither cross nor cover each other. */
function drawEdges(edges: readonly GraphEdge[], nodes: ReadonlyMap<string, Placed>): readonly Drawn[] {
  const yOf = ({ from }: GraphEdge): number => nodes.get(from)?.y ?? 0;
  const arriving = edges
    .filter(({ from }) => nodes.get(from)?.layer === "source")
    .sort((a, b) => yOf(a) - yOf(b) || Number(a.kind === "denied") - Number(b.kind === "denied"));
  const apart = Math.min(10, (nodeHeight - 12) / Math.max(1, arriving.length - 1));
  const halves = new Set(arriving.filter(({ kind }) => kind === "denied").map(({ from }) => from));
  return edges.flatMap((edge): readonly Drawn[] => {
    const from = nodes.get(edge.from);
    const to = nodes.get(edge.to);
    if (from === undefined || to === undefined) return [];
    const at = arriving.indexOf(edge);
    const leaves = at < 0 || !halves.has(edge.from) ? 0 : edge.kind === "denied" ? 6 : -6;
    const [x1, y1] = [from.x + from.width, from.y + nodeHeight / 2 + leaves];
    const [x, y] = [to.x, to.y + nodeHeight / 2 + (at < 0 ? 0 : (at - (arriving.length - 1) / 2) * apart)];
    const bend = (x - x1) / 2;
    return [{ ...edge, path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x - bend} ${y} ${x} ${y}`, x, y }];
  });
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
