import type { JSX, SVGAttributes, TargetedKeyboardEvent } from "preact";
import type { Goes } from "../../../picture/graph.ts";
import { type Drawn, type Layout, nodeHeight, type Placed } from "../../../picture/layout.ts";
import { headings, type NodeTexts, textsOf } from "../../../picture/texts.ts";

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
  const texts = textsOf(node, denied);
  const pale = lit !== undefined && !lit.has(node.id);
  return (
    <g
      {...leads(node, onPoint, onGo)}
      class={`map-node map-${node.tone} map-of-${node.layer}${goes === undefined ? "" : " map-goes"}${pale ? " map-pale" : ""}`}
      transform={`translate(${node.x} ${node.y})`}
      onPointerEnter={() => onPoint(node.id)}
    >
      <title>{texts.title}</title>
      <rect width={node.width} height={nodeHeight} rx={7} />
      <Inside texts={texts} />
    </g>
  );
}

/** Two lines of text, and at the right of the first what is amiss. An inner picture cuts what is too long for it. */
function Inside({ texts: { room, label, detail, remark } }: { readonly texts: NodeTexts }): JSX.Element {
  return (
    <>
      <circle class="map-dot" cx={13} cy={15.5} r={3.5} />
      <svg x={24} width={room} height={nodeHeight}>
        <text class="map-label" y={20}>
          {label}
        </text>
        {remark === undefined ? null : (
          <text class={`map-${remark.kind}`} x={room} y={19} text-anchor="end">
            {remark.text}
          </text>
        )}
        <text class="map-detail" y={35}>
          {detail}
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
