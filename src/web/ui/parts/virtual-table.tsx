import type { ComponentChildren, JSX, TargetedKeyboardEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export type Column<T> = {
  readonly id: string;
  readonly title: string;
  readonly cell: (entry: T) => ComponentChildren;
};

type Props<T> = {
  readonly label: string;
  /** Its columns' widths are in the styles, under that class. */
  readonly class: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (entry: T) => string;
};

/** Rows drawn above and below of what is seen. */
const spare = 8;

/**
 * A table of any length, of which only the rows that are seen are in the document. All rows are equally high: the height
 * is `--row` of the styles, which has another value on narrow screens. Arrow keys go from row to row.
 */
export function VirtualTable<T>({ label, class: name, columns, rows, keyOf }: Props<T>): JSX.Element {
  const { box, first, seen, height, onScroll } = useWindow();
  const from = Math.max(0, first - spare);
  const shown = rows.slice(from, first + seen + spare);
  return (
    <div class={`table ${name}`} role="table" aria-label={label} aria-rowcount={rows.length + 1}>
      <div role="rowgroup" class="head">
        <div role="row" class="row" aria-rowindex={1}>
          {columns.map(({ id, title }) => (
            <div role="columnheader" key={id} class={id}>
              {title}
            </div>
          ))}
        </div>
      </div>
      {/* biome-ignore lint: what scrolls has to be reached by the keyboard */}
      <div role="rowgroup" class="body" ref={box} tabIndex={0} aria-label={label} onScroll={onScroll} onKeyDown={step}>
        <div class="whole" role="presentation" style={{ height: `${rows.length * height}px` }}>
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
    </div>
  );
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

/** From the button of one row to that of the next. */
function step(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  const forth = event.key === "ArrowDown";
  if (!forth && event.key !== "ArrowUp") return;
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>(".row") : null;
  const next = forth ? row?.nextElementSibling : row?.previousElementSibling;
  const button = next?.querySelector<HTMLElement>("button, a");
  if (button === null || button === undefined) return;
  event.preventDefault();
  button.focus();
}
