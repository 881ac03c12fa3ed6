import type { JSX, SVGAttributes, TargetedKeyboardEvent } from "preact";
import { printable } from "../../../../base/printable.ts";
import type { Goes } from "./graph.ts";
import { type Drawn, type Layout, nodeHeight, type Placed } from "./layout.ts";

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
      {columns.map(({ layer, x }) => (
        <text key={layer} class="map-heading" x={x} y={18}>
          {headings[layer]}
        </text>
      ))}
      {edges.map((edge) => (
        <Edge key={`${edge.from} ${edge.to} ${edge.kind}`} edge={edge} lit={lit} />
      ))}
      {nodes.map((node) => (
        <Node key={node.id} node={node} lit={lit} onPoint={onPoint} onGo={onGo} />
      ))}
    </svg>
  );
}

function Edge({ edge, lit }: { readonly edge: Drawn; readonly lit: PictureProps["lit"] }): JSX.Element {
  const pale = lit !== undefined && !(lit.has(edge.from) && lit.has(edge.to));
  return (
    <g class={`map-edge map-${edge.kind}${pale ? " map-pale" : ""}`} aria-hidden="true">
      <path d={edge.path} />
      {edge.count > 1 && edge.kind === "denied" ? (
        <text x={edge.x} y={edge.y + 14} text-anchor="middle">
          {edge.count} denied
        </text>
      ) : null}
    </g>
  );
}

function Node({ node, lit, onPoint, onGo }: { readonly node: Placed } & Omit<PictureProps, "layout">): JSX.Element {
  const { goes } = node;
  const pale = lit !== undefined && !lit.has(node.id);
  const lead: SVGAttributes<SVGGElement> =
    goes === undefined
      ? { "aria-hidden": "true" }
      : {
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
  return (
    <g
      {...lead}
      class={`map-node map-${node.tone}${goes === undefined ? "" : " map-goes"}${pale ? " map-pale" : ""}`}
      transform={`translate(${node.x} ${node.y})`}
      onPointerEnter={() => onPoint(node.id)}
    >
      <title>
        {[node.label, node.detail, ...node.marks]
          .filter((each) => each !== "")
          .map(printable)
          .join("\n")}
      </title>
      <rect width={node.width} height={nodeHeight} rx={6} />
      <circle class="map-dot" cx={12} cy={14} r={3.5} />
      {/* An inner picture cuts what is too long for it. */}
      <svg x={22} width={node.width - (node.marks.length > 0 ? 44 : 28)} height={nodeHeight}>
        <text class="map-label" y={18}>
          {cut(printable(node.label), (node.width - (node.marks.length > 0 ? 46 : 30)) / 7.7)}
        </text>
        <text class="map-detail" y={32}>
          {cut(
            node.marks.length > 0 && goes?.kind !== "hosts" ? node.marks.join(", ") : node.detail,
            (node.width - 26) / 6.3,
          )}
        </text>
      </svg>
      {node.marks.length > 0 ? <path class="map-mark" d={`M${node.width - 14} 8l6 10h-12z`} /> : null}
    </g>
  );
}

/** By the widest letters of the page's fonts: a picture has no ellipsis of its own. */
function cut(text: string, letters: number): string {
  const all = Array.from(text);
  return all.length <= letters ? text : `${all.slice(0, Math.max(1, Math.floor(letters) - 1)).join("")}…`;
}
