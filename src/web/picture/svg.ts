import { printable } from "../../base/printable.ts";
import { type Drawn, type Layout, nodeHeight, type Placed } from "./layout.ts";
import { headings, textsOf } from "./texts.ts";

/** As the page has them: light, and dark where whoever looks prefers that. */
const styles = `
svg { --text: #1b1f24; --muted: #59636e; --line: #d1d9e0; --panel: #ffffff; --raised: #f6f8fa; --accent: #0b62c4;
  --good: #1a7f37; --warn: #9a6700; --bad: #c2272d; background: var(--panel); font: 13.5px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --text: #e6edf3; --muted: #9198a1; --line: #3d444d; --panel: #0d1117;
  --raised: #151b23; --accent: #58a6ff; --good: #3fb950; --warn: #d29922; --bad: #f85149; } }
text { fill: var(--text); text-rendering: geometricPrecision; }
.heading { fill: var(--muted); font-size: 12px; }
.wall { fill: none; stroke: var(--accent); stroke-width: 2; opacity: 0.35; }
.node rect { fill: var(--raised); stroke: var(--line); }
.node circle { fill: var(--muted); }
.node.proved rect { stroke: var(--good); }
.node.proved circle { fill: var(--good); }
.node.open rect, .node.held rect { stroke: var(--warn); }
.node.open circle, .node.held circle { fill: var(--warn); }
.node.gateway rect { stroke: var(--accent); stroke-width: 2; }
.label { font-weight: 600; }
.detail { fill: var(--muted); font: 11.5px ui-monospace, monospace; }
.mark { fill: var(--warn); font-size: 11.5px; }
.count { fill: var(--bad); font-size: 11.5px; }
.edge { fill: none; stroke: var(--line); stroke-width: 1.25; }
.edge.proved { stroke: var(--good); stroke-width: 1.75; }
.edge.open { stroke: var(--warn); stroke-width: 1.75; }
.edge.held, .edge.refused { stroke: var(--warn); stroke-width: 1.75; stroke-dasharray: 2 3; }
.edge.denied { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; }
.edge.stop { stroke: var(--bad); stroke-width: 1.75; }
`;

/**
 * A layout as an SVG 1.1 document that stands alone: no script, no link, nothing to fetch. The same layout gives the same
 * bytes. Names are encoded: whatever a container is called stays text.
 */
export function svgOf(layout: Layout, title: string): string {
  const { width, height, nodes, edges, columns } = layout;
  const gateway = columns.find(({ layer }) => layer === "gateway");
  const denied = new Map(edges.flatMap(({ kind, from, count }) => (kind === "denied" ? [[from, count] as const] : [])));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(printable(title))}</title>`,
    `<style>${styles}</style>`,
    ...(gateway === undefined ? [] : [`<path class="wall" d="M${gateway.x + gateway.width / 2} 32V${height - 8}"/>`]),
    ...columns.map(({ layer, x }) => `<text class="heading" x="${x}" y="22">${headings[layer]}</text>`),
    ...edges.map(edgeText),
    ...nodes.map((node) => nodeText(node, denied.get(node.id) ?? 0)),
    "</svg>",
    "",
  ].join("\n");
}

function edgeText({ kind, path, x, y }: Drawn): string {
  const line = `<path class="edge ${kind}" d="${path}"/>`;
  return kind === "denied" ? `${line}<path class="edge stop" d="M${x - 9} ${y - 3.5}l7 7m0 -7l-7 7"/>` : line;
}

function nodeText(node: Placed, denied: number): string {
  const { room, label, detail, remark, title } = textsOf(node, denied);
  return [
    `<g class="node ${node.tone} ${node.layer}" transform="translate(${node.x} ${node.y})">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${node.width}" height="${nodeHeight}" rx="7"/><circle cx="13" cy="15.5" r="3.5"/>`,
    // An inner picture cuts what is too long for it.
    `<svg x="24" width="${room}" height="${nodeHeight}">`,
    `<text class="label" y="20">${escape(label)}</text>`,
    ...(remark === undefined
      ? []
      : [`<text class="${remark.kind}" x="${room}" y="19" text-anchor="end">${escape(remark.text)}</text>`]),
    `<text class="detail" y="35">${escape(detail)}</text></svg></g>`,
  ].join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
