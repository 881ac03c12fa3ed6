import { type Signal, useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import { Empty } from "../../parts/empty.tsx";
import { Troubles } from "../../parts/troubles.tsx";
import { type Column, VirtualTable } from "../../parts/virtual-table.tsx";
import type { ListReader } from "../../store/list-reader.ts";
import { type Order, Ordering } from "../../store/order.ts";
import type { Row } from "../../store/sorted-list.ts";
import { matcherOf } from "../../store/words.ts";

type Props<T extends { readonly host: string }> = {
  readonly label: string;
  readonly class: string;
  readonly reader: ListReader<T>;
  readonly columns: readonly Column<T>[];
  /** In small letters; empty: all. */
  readonly text: string;
  /** What is left out whatever the search says; has to be the same function as long as it means the same. */
  readonly wants?: (entry: T) => boolean;
  /** Where the order is kept that somebody chose. */
  readonly order: Signal<Order | undefined>;
  /** Shown when the list is whole and has nothing. */
  readonly none: ComponentChildren;
};

/** A long list with its search, and in its place what is to be said when it is empty or was not read. */
export function ListOf<T extends { readonly host: string }>({
  label,
  class: name,
  reader,
  columns,
  text,
  wants,
  order,
  none,
}: Props<T>): JSX.Element {
  const wish = useSignal({ text, wants });
  if (wish.peek().text !== text || wish.peek().wants !== wants) wish.value = { text, wants };
  const ordering = useMemo(() => new Ordering<Row<T>>(), []);
  const ofRows = useMemo(() => columns.map(columnOfRow), [columns]);
  const rows = useComputed(() => {
    const key = ofRows.find(({ id }) => id === order.value?.by)?.key;
    return ordering.of(matching(reader.list.rows.value, wish.value), order.value, key);
  });
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
          keyOf={idOf}
          columns={ofRows}
          order={order.value}
          onOrder={(chosen) => {
            order.value = chosen;
          }}
        />
      )}
      {!isEmpty && reading.state === "reading" && (
        <p class="reading" aria-busy="true">
          Reading the rest…
        </p>
      )}
    </>
  );
}

function idOf({ id }: Row<unknown>): string {
  return id;
}

function columnOfRow<T>({ cell, key, ...rest }: Column<T>): Column<Row<T>> {
  const ofEntry = { ...rest, cell: (row: Row<T>) => cell(row.entry) };
  return key === undefined ? ofEntry : { ...ofEntry, key: (row: Row<T>) => key(row.entry) };
}

/** Rows that have every word of the search. */
function matching<T extends { readonly host: string }>(
  rows: readonly Row<T>[],
  { text, wants }: { readonly text: string; readonly wants: Props<T>["wants"] },
): readonly Row<T>[] {
  if (text === "" && wants === undefined) return rows;
  const matches = matcherOf(text);
  return rows.filter((row) => matches(row.text) && (wants === undefined || wants(row.entry)));
}
