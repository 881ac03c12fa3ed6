import type { JSX, SVGAttributes, TargetedKeyboardEvent } from "preact";
import { printable } from "../../../../base/printable.ts";
import type { Goes } from "../../../picture/graph.ts";
import { type Drawn, type Layout, nodeHeight, type Placed } from "../../../picture/layout.ts";

const headings = {
  source: "Sources",
  gateway: "Gateway",
  bridge: "Bridge",
  host: "Hosts",
  network: "Networks",
  container: "Containers",
} as const;

type PictureProps = {
  readonly layout: Layout;
  /** Nodes that are not on the paths of what is pointed at are pale. */
  readonly lit: ReadonlySet<string> | undefined;
  readonly onPoint: (id: string | undefined) => void;
  readonly onGo: (goes: Goes) => void;
};

/** The layered picture. Its parts that lead somewhere can be reached by keyboard. */
export function Picture({ layout, lit, onPoint, onGo }: PictureProps): JSX.Element {
  const { width, height, nodes, edges, columns } = layout;
  const gateway = columns.find(({ layer }) => layer === "gateway");
  const denied = new Map(edges.flatMap(({ kind, from, count }) => (kind === "denied" ? [[from, count] as const] : [])));
  return (
    <svg
      class="map-picture"
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="group"
      aria-label="Map of the fleet"
      onPointerLeave={() => onPoint(undefined)}
    >
      {gateway === undefined ? null : (
        <path class="map-wall" d={`M${gateway.x + gateway.width / 2} 32V${height - 8}`} aria-hidden="true" />
      )}
      {columns.map(({ layer, x }) => (
        <text key={layer} class="map-heading" x={x} y={22}>
          {headings[layer]}
        </text>
      ))}
      {edges.map((edge) => (
        <Edge key={`${edge.from} ${edge.to} ${edge.kind}`} edge={edge} lit={lit} />
      ))}
      {nodes.map((node) => (
        <Node key={node.id} node={node} denied={denied.get(node.id) ?? 0} lit={lit} onPoint={onPoint} onGo={onGo} />
      ))}
    </svg>
  );
}

function Edge({ edge, lit }: { readonly edge: Drawn; readonly lit: PictureProps["lit"] }): JSX.Element {
  const { kind, path, x, y } = edge;
  const pale = lit !== undefined && !(lit.has(edge.from) && lit.has(edge.to));
  return (
    <g class={`map-edge map-${kind}${pale ? " map-pale" : ""}`} aria-hidden="true">
      <path d={path} />
      {kind === "denied" ? <path class="map-stop" d={`M${x - 9} ${y - 3.5}l7 7m0 -7l-7 7`} /> : null}
    </g>
  );
}

type NodeProps = { readonly node: Placed; readonly denied: number } & Omit<PictureProps, "layout">;

function Node({ node, denied, lit, onPoint, onGo }: NodeProps): JSX.Element {
  const { goes } = node;
  const pale = lit !== undefined && !lit.has(node.id);
  return (
    <g
      {...leads(node, onPoint, onGo)}
      class={`map-node map-${node.tone} map-of-${node.layer}${goes === undefined ? "" : " map-goes"}${pale ? " map-pale" : ""}`}
      transform={`translate(${node.x} ${node.y})`}
      onPointerEnter={() => onPoint(node.id)}
    >
      <title>
        {[node.label, node.detail, ...node.marks, ...(denied === 0 ? [] : [`${denied} packets denied in five minutes`])]
          .filter((each) => each !== "")
          .map(printable)
          .join("\n")}
      </title>
      <rect width={node.width} height={nodeHeight} rx={7} />
      <Inside node={node} denied={denied} />
    </g>
  );
}

/** Widths of a letter: of the label in bold, of the detail in the fixed font, of what is remarked. At most. */
const letter = { label: 7.9, detail: 7, remark: 6.4 };

/** Two lines of text, and at the right of the first what is amiss. An inner picture cuts what is too long for it. */
function Inside({ node, denied }: Pick<NodeProps, "node" | "denied">): JSX.Element {
  const [first, ...others] = node.marks;
  const mark = first === undefined ? "" : `${first}${others.length === 0 ? "" : ` +${others.length}`}`;
  const remark = mark !== "" ? mark : denied > 0 ? `${denied} denied` : "";
  const room = node.width - 24 - 8;
  const forLabel = remark === "" ? room : Math.max(room / 3, room - 8 - remark.length * letter.remark);
  return (
    <>
      <circle class="map-dot" cx={13} cy={15.5} r={3.5} />
      <svg x={24} width={room} height={nodeHeight}>
        <text class="map-label" y={20}>
          {cut(printable(node.label), forLabel / letter.label)}
        </text>
        {remark === "" ? null : (
          <text class={mark === "" ? "map-count" : "map-mark"} x={room} y={19} text-anchor="end">
            {cut(printable(remark), (room - Math.min(forLabel, node.label.length * letter.label)) / letter.remark)}
          </text>
        )}
        <text class="map-detail" y={35}>
          {cut(printable(node.detail), room / letter.detail)}
        </text>
      </svg>
    </>
  );
}

function leads(node: Placed, onPoint: PictureProps["onPoint"], onGo: PictureProps["onGo"]): SVGAttributes<SVGGElement> {
  const { goes } = node;
  if (goes === undefined) return { "aria-hidden": "true" };
  return {
    role: "button",
    tabindex: 0,
    onClick: () => onGo(goes),
    onKeyDown: (event: TargetedKeyboardEvent<SVGGElement>) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      onGo(goes);
    },
    onFocus: () => onPoint(node.id),
    onBlur: () => onPoint(undefined),
  };
}

/** By the widest letters of the page's fonts: a picture has no ellipsis of its own. */
function cut(text: string, letters: number): string {
  const all = Array.from(text);
  return all.length <= letters ? text : `${all.slice(0, Math.max(1, Math.floor(letters) - 1)).join("")}…`;
}
