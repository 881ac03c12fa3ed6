import type { JSX, TargetedMouseEvent, TargetedPointerEvent } from "preact";
import { useMemo } from "preact/hooks";
import type { NumbersView } from "../../../numbers/numbers-schema.ts";
import { blockOf, moved, pageOfSlot, pathsOf, side, squaresOf, squareText } from "./squares.ts";

const size = 8;

type SquareMapProps = {
  readonly view: NumbersView;
  readonly slot: number;
  readonly onSlot: (slot: number) => void;
  readonly onOpen: (slot: number) => void;
};

/** Every block as a square, 64 in a row. A slider to the keyboard: arrows move, Enter opens the host's block. */
export function SquareMap({ view, slot, onSlot, onOpen }: SquareMapProps): JSX.Element {
  const first = pageOfSlot(slot);
  const squares = useMemo(() => squaresOf(view, first), [view, first]);
  const paths = useMemo(() => pathsOf(squares, size), [squares]);
  const text = squareText(slot, squares.at(slot));
  const under = ({
    currentTarget,
    clientX,
    clientY,
  }: TargetedPointerEvent<SVGSVGElement> | TargetedMouseEvent<SVGSVGElement>): number | undefined => {
    const box = currentTarget.getBoundingClientRect();
    const x = Math.floor(((clientX - box.left) / box.width) * side);
    const y = Math.floor(((clientY - box.top) / box.height) * side);
    const at = first + y * side + x;
    return x < 0 || y < 0 || x >= side || y >= side || at >= squares.all ? undefined : at;
  };
  const n = slot - first;
  return (
    <figure class="squares">
      <div class="square-frame">
        <svg
          viewBox={`0 0 ${side * size} ${side * size}`}
          role="slider"
          tabindex={0}
          aria-label="Blocks by slot"
          aria-valuemin={0}
          aria-valuemax={squares.all - 1}
          aria-valuenow={slot}
          aria-valuetext={text}
          onPointerMove={(event) => {
            const at = under(event);
            if (at !== undefined) onSlot(at);
          }}
          onClick={(event) => {
            const at = under(event);
            if (at !== undefined) onOpen(at);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === " ") onOpen(slot);
            const to = moved(slot, event.key, squares.all);
            if (to !== undefined) onSlot(to);
            if (to !== undefined || event.key === " ") event.preventDefault();
          }}
        >
          {[...paths].map(([shade, path]) => (
            <path key={shade} class={`square-${shade}`} d={path} />
          ))}
          <rect
            class="square-cursor"
            x={(n % side) * size - 1.5}
            y={Math.floor(n / side) * size - 1.5}
            width={size + 2}
            height={size + 2}
          />
        </svg>
      </div>
      <Caption view={view} slot={slot} first={first} all={squares.all} text={text} />
    </figure>
  );
}

type CaptionProps = Pick<SquareMapProps, "view" | "slot"> & {
  readonly first: number;
  readonly all: number;
  readonly text: string;
};

function Caption({ view, slot, first, all, text }: CaptionProps): JSX.Element {
  return (
    <figcaption>
      <p>
        {text} <span class="mono faint">{blockOf(view, slot) ?? ""}</span>
      </p>
      <ul class="square-legend" aria-label="Legend">
        <li class="square-many">20 or more addresses</li>
        <li class="square-some">some</li>
        <li class="square-low">a host, none yet</li>
        <li class="square-own">gateway</li>
        <li class="square-kept">kept</li>
        <li class="square-free">free</li>
      </ul>
      {all > side * side ? (
        <p class="faint">
          Slots {first.toLocaleString("en")} to {(first + side * side - 1).toLocaleString("en")} of{" "}
          {all.toLocaleString("en")}: Page Up and Page Down go on.
        </p>
      ) : null}
    </figcaption>
  );
}
