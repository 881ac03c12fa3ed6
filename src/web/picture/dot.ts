import { printable } from "../../base/printable.ts";
import { type Graph, type GraphEdge, layers } from "./graph.ts";

const looks: Readonly<Record<GraphEdge["kind"], string>> = {
  proved: "color=green4",
  open: "color=darkorange3",
  held: 'color=darkorange3, style="dotted"',
  refused: 'color=darkorange3, style="dotted"',
  denied: 'color=red3, style="dashed"',
  inside: "color=gray60",
};

/** A graph in Graphviz' language (DOT), layers from left to right. The same graph gives the same bytes. */
export function dotOf({ nodes, edges }: Graph): string {
  return [
    "digraph sixgate {",
    '  rankdir=LR; node [shape=box, style=rounded, fontname="sans-serif"]; edge [arrowsize=0.6];',
    ...layers.flatMap((layer) => {
      const of = nodes.filter((node) => node.layer === layer);
      if (of.length === 0) return [];
      return [
        `  { rank=same; // ${layer}`,
        ...of.map(({ id, label, detail, marks }) => {
          const lines = [label, detail, ...marks].filter((each) => each !== "").map(quotable);
          return `    ${quote(id)} [label="${lines.join("\\n")}"];`;
        }),
        "  }",
      ];
    }),
    ...edges.map(({ from, to, kind, count }) => {
      const label = kind === "denied" ? `, label="${count} denied"` : "";
      return `  ${quote(from)} -> ${quote(to)} [${looks[kind]}${label}];`;
    }),
    "}",
    "",
  ].join("\n");
}

function quote(text: string): string {
  return `"${quotable(text)}"`;
}

/** Within quotes a backslash begins an escape, in labels also of names that DOT would put in. */
function quotable(text: string): string {
  return printable(text).replace(/[\\"]/g, "\\$&");
}
