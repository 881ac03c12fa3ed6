import type { ComponentChildren, JSX, TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Order } from "../store/order.ts";

export type Column<T> = {
  readonly id: string;
  readonly title: string;
  readonly cell: (entry: T) => ComponentChildren;
  /** What the list can be ordered by; absent: not by this column. */
  readonly key?: (entry: T) => string | number;
};

type Props<T> = {
  readonly label: string;
  /** Its columns' widths are in the styles, under that class. */
  readonly class: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (entry: T) => string;
  readonly order?: Order | undefined;
  /** Absent: the rows have one order. */
  readonly onOrder?: (order: Order | undefined) => void;
};

/** Rows drawn above and below of what is seen. */
const spare = 8;

/**
 * A table of any length, of which only the rows that are seen are in the document. All rows are equally high: the height
 * is `--row` of the styles, which has another value on narrow screens. Arrow keys go from row to row.
 */
export function VirtualTable<T>({ label, class: name, columns, rows, keyOf, order, onOrder }: Props<T>): JSX.Element {
  const { box, first, seen, height, onScroll } = useWindow();
  const from = Math.max(0, first - spare);
  const shown = rows.slice(from, first + seen + spare);
  const choose = (by: string): void => {
    box.current?.scrollTo(0, 0);
    onOrder?.(next(order, by));
  };
  return (
    // biome-ignore lint: what scrolls has to be reached by the keyboard
    <div
      class={`table ${name}`}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      ref={box}
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={step}
    >
      <div role="rowgroup" class="head">
        <div role="row" class="row" aria-rowindex={1}>
          {columns.map(({ id, title, key }) =>
            key === undefined || onOrder === undefined ? (
              <div role="columnheader" key={id} class={id}>
                {title}
              </div>
            ) : (
              <div role="columnheader" key={id} class={`${id} sorts`} aria-sort={sortOf(order, id)}>
                <button type="button" onClick={() => choose(id)}>
                  {title}
                </button>
              </div>
            ),
          )}
        </div>
      </div>
      <div role="rowgroup" class="body" style={{ height: `${rows.length * height}px` }}>
        {shown.map((entry, at) => (
          <div
            role="row"
            class="row"
            key={keyOf(entry)}
            aria-rowindex={from + at + 2}
            style={{ transform: `translateY(${(from + at) * height}px)` }}
          >
            {columns.map(({ id, title, cell }) => (
              <div role="cell" key={id} class={id} data-title={title}>
                {cell(entry)}
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function sortOf(order: Order | undefined, by: string): "ascending" | "descending" | "none" {
  if (order?.by !== by) return "none";
  return order.isDown ? "descending" : "ascending";
}

/** Up, down, and back to the order that the list has by itself. */
function next(order: Order | undefined, by: string): Order | undefined {
  if (order?.by !== by) return { by, isDown: false };
  return order.isDown ? undefined : { by, isDown: true };
}

/** Which rows the box shows: changes only when another row comes into sight. */
function useWindow(): {
  readonly box: { current: HTMLDivElement | null };
  readonly first: number;
  readonly seen: number;
  readonly height: number;
  readonly onScroll: () => void;
} {
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(40);
  const [seen, setSeen] = useState(30);
  const [first, setFirst] = useState(0);
  useEffect(() => {
    const { current } = box;
    if (current === null) return undefined;
    const measure = (): void => {
      const row = Number.parseFloat(getComputedStyle(current).getPropertyValue("--row")) || 40;
      setHeight(row);
      setSeen(Math.ceil(current.clientHeight / row) + 1);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const onScroll = (): void => setFirst(Math.floor((box.current?.scrollTop ?? 0) / height));
  return { box, first, seen, height, onScroll };
}

/** From the button of one row to that of the next; from the table itself the browser scrolls. */
function step(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  const forth = event.key === "ArrowDown";
  if (!forth && event.key !== "ArrowUp") return;
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".body .row") : null;
  const other = forth ? row?.nextElementSibling : row?.previousElementSibling;
  const button = other?.querySelector<HTMLElement>("button, a");
  if (button === null || button === undefined) return;
  event.preventDefault();
  button.focus();
}
