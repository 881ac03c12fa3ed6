import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { expect, test } from "vitest";
import { dotOf } from "./dot.ts";
import type { Graph } from "./graph.ts";
import { layOut } from "./layout.ts";
import { svgOf } from "./svg.ts";

const hostile = [
  `</text><script>alert(1)</script>`,
  `"/><image href="https://example.net/x"/>`,
  "]]>&amp;&#60;",
  `\\N "] ; evil [label="x`,
  "\u202etxt.exe\u0000\n\u001b[31m",
];

/** Characters that nobody may get to see. */
const hidden = ["\u202e", "\u0000", "\u001b"];

const graph: Graph = {
  nodes: [
    { id: "gateway", layer: "gateway", label: "fw", detail: "nftables", tone: "open", marks: [] },
    ...hostile.map((name) => ({
      id: `container ${name}`,
      layer: "container" as const,
      label: name,
      detail: name,
      tone: "open" as const,
      marks: [name],
    })),
  ],
  edges: hostile.map((name) => ({ from: "gateway", to: `container ${name}`, kind: "open" as const, count: 1 })),
};

function elementsIn(element: XmlElement): readonly XmlElement[] {
  return [element, ...element.children.flatMap((child) => (child instanceof XmlElement ? elementsIn(child) : []))];
}

test("svgOf writes one well-formed document, and names as text only", () => {
  const svg = svgOf(layOut(graph, { width: 600, height: 1 }), hostile.join(" "));
  const { root } = parseXml(svg);
  const elements = root === null ? [] : elementsIn(root);
  expect(new Set(elements.map(({ name }) => name))).toEqual(
    new Set(["svg", "title", "style", "path", "text", "g", "rect", "circle"]),
  );
  const names = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)));
  expect([...names].filter((name) => /^on|href|style/.test(name))).toEqual([]);
  expect(elements.filter(({ name }) => name === "g").map(({ children }) => children.length)).toEqual(
    Array.from({ length: 6 }, () => 4),
  );
  expect(hidden.filter((each) => svg.includes(each))).toEqual([]);
  expect(root?.text).toContain("<script>alert(1)</script>");
});

test("dotOf quotes what names could end or expand", () => {
  const dot = dotOf(graph);
  // Without quoted strings nothing of a name is left.
  const bare = dot.replace(/"(?:[^"\\]|\\.)*"/g, "S");
  expect(bare).not.toMatch(/script|evil|image|amp/);
  expect(bare.match(/^ {2}S -> S /gm)).toHaveLength(hostile.length);
  expect(dot).toContain(String.raw`\\N`);
  expect(hidden.filter((each) => dot.includes(each))).toEqual([]);
});
