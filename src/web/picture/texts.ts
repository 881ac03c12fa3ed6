import { printable } from "../../base/printable.ts";
import type { Layer } from "./graph.ts";
import type { Placed } from "./layout.ts";

/** What stands above the columns. */
export const headings: Readonly<Record<Layer, string>> = {
  source: "Sources",
  gateway: "Gateway",
  bridge: "Bridge",
  host: "Hosts",
  network: "Networks",
  container: "Containers",
};

/** Widths of a letter: of the label in bold, of the detail in the fixed font, of what is remarked. At most. */
const letter = { label: 7.9, detail: 7, remark: 6.4 };

/** What a node says, encoded and cut to its width. `room`: pixels that its texts have. */
export type NodeTexts = {
  readonly room: number;
  readonly label: string;
  readonly detail: string;
  /** At the right of the label, what is amiss: a mark, or packets that were denied. */
  readonly remark: { readonly text: string; readonly kind: "mark" | "count" } | undefined;
  /** All of it, a line each. */
  readonly title: string;
};

export function textsOf(node: Placed, denied: number): NodeTexts {
  const [first, ...others] = node.marks;
  const mark = first === undefined ? "" : `${first}${others.length === 0 ? "" : ` +${others.length}`}`;
  const remark = mark !== "" ? mark : denied > 0 ? `${denied} denied` : "";
  const room = node.width - 24 - 8;
  const forLabel = remark === "" ? room : Math.max(room / 3, room - 8 - remark.length * letter.remark);
  const forRemark = room - Math.min(forLabel, node.label.length * letter.label);
  return {
    room,
    label: cut(printable(node.label), forLabel / letter.label),
    detail: cut(printable(node.detail), room / letter.detail),
    remark:
      remark === ""
        ? undefined
        : { text: cut(printable(remark), forRemark / letter.remark), kind: mark === "" ? "count" : "mark" },
    title: [
      node.label,
      node.detail,
      ...node.marks,
      ...(denied === 0 ? [] : [`${denied} packets denied in five minutes`]),
    ]
      .filter((each) => each !== "")
      .map(printable)
      .join("\n"),
  };
}

/** By the widest letters of the page's fonts: a picture has no ellipsis of its own. */
function cut(text: string, letters: number): string {
  const all = Array.from(text);
  return all.length <= letters ? text : `${all.slice(0, Math.max(1, Math.floor(letters) - 1)).join("")}…`;
}
