import type { Elements, Part } from "./filter-rules.ts";

/** Puts an element at the end. Gives its row. */
export function addRow({ columns }: Elements, element: readonly Part[]): number {
  for (const [at, column] of columns.entries()) column.push(element[at] ?? gone);
  return (columns[0]?.length ?? 1) - 1;
}

/** Empties a row, so that the others keep their numbers. Nothing happens for a row that is not there. */
export function removeRow({ columns }: Elements, row: number): void {
  for (const column of columns) if (row >= 0 && row < column.length) column[row] = gone;
}

/** The row of an element, -1 where there is none. Looks at every row. */
export function rowOf(elements: Elements, element: readonly Part[]): number {
  const rows = elements.columns[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) if (isRow(elements, row, element)) return row;
  return -1;
}

/** Whether a row is this element. */
export function isRow({ columns }: Pick<Elements, "columns">, row: number, element: readonly Part[]): boolean {
  return columns.every((column, at) => isSame(column[row], element[at]));
}

/** No value: nothing is equal to it. */
const gone: Part = { first: 1, last: 0 };

/** Whether the part is of a row that was emptied. */
export function isGone(part: Part): boolean {
  return typeof part === "object" && "first" in part && part.first > part.last;
}

function isSame(a: Part | undefined, b: Part | undefined): boolean {
  if (typeof a !== "object" || typeof b !== "object") return a === b;
  if ("opaque" in a || "opaque" in b) return false;
  return a.first === b.first && a.last === b.last;
}
