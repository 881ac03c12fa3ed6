import type { NumbersView } from "../../../numbers/numbers-schema.ts";

/** Cells of a side. 64 × 64 are the 4,096 blocks of a /64. */
export const side = 64;
const cells = side * side;

export type Square =
  | { readonly kind: "infrastructure" | "uplink" | "free" | "next" }
  | { readonly kind: "kept"; readonly host: string }
  | { readonly kind: "host"; readonly host: string; readonly used: number; readonly pinned: boolean }
  /** Behind the last block, where there are fewer than cells. */
  | { readonly kind: "none" };

/** Blocks from `first` on by their number, row by row from the upper left. */
export type Squares = { readonly first: number; readonly all: number; readonly at: (slot: number) => Square };

/** The page of 4,096 blocks that a slot is on: longer delegations have more than one. */
export function pageOfSlot(slot: number): number {
  return Math.floor(slot / cells) * cells;
}

export function squaresOf(view: NumbersView, first = 0): Squares {
  const known = new Map<number, Square>([
    [0, { kind: "infrastructure" }],
    [1, { kind: "uplink" }],
  ]);
  if (view.next !== undefined) known.set(view.next.slot, { kind: "next" });
  for (const { host, slot } of view.kept ?? []) known.set(slot, { kind: "kept", host });
  for (const { host, slot, used, pinned } of view.blocks) known.set(slot, { kind: "host", host, used, pinned });
  const { all } = view.slots;
  return {
    first,
    all,
    at: (slot) => (slot < 0 || slot >= all ? { kind: "none" } : (known.get(slot) ?? { kind: "free" })),
  };
}

/** How full a host's block is, in four steps: containers with an address. For a shade, not for arithmetic. */
export function shadeOf(square: Square): "free" | "next" | "own" | "kept" | "low" | "some" | "many" | "none" {
  switch (square.kind) {
    case "none":
    case "free":
    case "next":
    case "kept":
      return square.kind;
    case "infrastructure":
    case "uplink":
      return "own";
    case "host":
      return square.used === 0 ? "low" : square.used < 20 ? "some" : "many";
  }
}

/** One path of SVG for each shade: a picture of 4,096 squares is a handful of elements. `size`: pixels of a cell. */
export function pathsOf(squares: Squares, size: number): ReadonlyMap<ReturnType<typeof shadeOf>, string> {
  const paths = new Map<ReturnType<typeof shadeOf>, string>();
  for (let n = 0; n < cells; n++) {
    const shade = shadeOf(squares.at(squares.first + n));
    if (shade === "none") continue;
    const [x, y] = [(n % side) * size, Math.floor(n / side) * size];
    const part = `M${x} ${y}h${size - 1}v${size - 1}h${1 - size}z`;
    paths.set(shade, (paths.get(shade) ?? "") + part);
  }
  return paths;
}

/** Where the arrow keys go from a slot, as a slider moves; undefined for other keys. */
export function moved(slot: number, key: string, all: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -side,
    ArrowDown: side,
    PageUp: -side * 8,
    PageDown: side * 8,
  };
  if (key === "Home") return 0;
  if (key === "End") return all - 1;
  const step = steps[key];
  return step === undefined ? undefined : Math.min(all - 1, Math.max(0, slot + step));
}

/** In words, for the line below the picture and for screen readers. */
export function squareText(slot: number, square: Square): string {
  switch (square.kind) {
    case "infrastructure":
      return `Slot ${slot}: infrastructure`;
    case "uplink":
      return `Slot ${slot}: the gateway's uplink`;
    case "free":
      return `Slot ${slot}: free`;
    case "next":
      return `Slot ${slot}: free, the next host gets it`;
    case "kept":
      return `Slot ${slot}: kept for ${square.host}, which left the fleet file`;
    case "host":
      return `Slot ${slot}: ${square.host}${square.pinned ? ", pinned" : ""}, ${square.used} ${square.used === 1 ? "address" : "addresses"} in use`;
    case "none":
      return `Slot ${slot}: not in the prefix`;
  }
}

/** The block of a slot, by arithmetic on text alone where the plan gave a neighbour: of the list, else undefined. */
export function blockOf(view: NumbersView, slot: number): string | undefined {
  if (slot === 0) return view.infrastructure;
  if (slot === 1) return view.uplink.block;
  if (slot === view.next?.slot) return view.next.block;
  return view.blocks.find((each) => each.slot === slot)?.block;
}
