import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { Empty } from "../../parts/empty.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import type { ListReader } from "../../store/list-reader.ts";
import type { Row } from "../../store/sorted-list.ts";

type Props<T> = {
  readonly label: string;
  readonly class: string;
  readonly reader: ListReader<T>;
  readonly columns: readonly Column<T>[];
  /** In small letters; empty: all. */
  readonly text: string;
  /** Shown when the list is whole and has nothing. */
  readonly none: ComponentChildren;
};

/** A long list with its search, and in its place what is to be said when it is empty or was not read. */
export function ListOf<T>({ label, class: name, reader, columns, text, none }: Props<T>): JSX.Element {
  const wanted = useSignal(text);
  wanted.value = text;
  const rows = useComputed(() => matching(reader.list.rows.value, wanted.value));
  const reading = reader.reading.value;
  const isEmpty = reader.list.rows.value.length === 0;
  return (
    <>
      {reading.state === "failed" && <Troubles of={reading.troubles} />}
      {isEmpty && reading.state === "whole" && none}
      {isEmpty && reading.state === "reading" && (
        <p class="reading" aria-busy="true">
          Reading…
        </p>
      )}
      {!isEmpty && rows.value.length === 0 && <Empty title="Nothing matches the search" />}
      {rows.value.length > 0 && (
        <VirtualTable
          label={label}
          class={name}
          rows={rows.value}
          keyOf={(row) => row.id}
          columns={columns.map(({ cell, ...rest }) => ({ ...rest, cell: (row: Row<T>) => cell(row.entry) }))}
        />
      )}
      {!isEmpty && reading.state === "reading" && <p class="reading">Reading the rest…</p>}
    </>
  );
}

/** Rows that have every word of the search. */
function matching<T>(rows: readonly Row<T>[], text: string): readonly Row<T>[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return words.length === 0 ? rows : rows.filter((row) => words.every((word) => row.text.includes(word)));
}
