/** A value of a field: a number, or a bigint for an address. */
export type Value = number | bigint;

/** Both ends included. */
export type Span = { readonly first: Value; readonly last: Value };

/**
 * A set of values as its edges: ascending, membership changes at each, outside before the first. An odd number of edges
 * runs to the end of the field. Equal sets have equal edges.
 */
export type Values = readonly Value[];

export const noValues: Values = [];

/** `end` is one more than the greatest value of the field. Spans in any order; they may overlap. */
export function valuesOf(spans: readonly Span[], end: Value): Values {
  const edges: Value[] = [];
  for (const { first, last } of spans.toSorted((a, b) => compare(a.first, b.first))) {
    const next = after(last);
    const top = edges.at(-1);
    if (top !== undefined && first <= top) {
      if (next > top) edges[edges.length - 1] = next;
    } else edges.push(first, next);
  }
  if ((edges.at(-1) ?? 0) >= end) edges.pop();
  return edges;
}

export function oneValue(value: Value, end: Value): Values {
  return valuesOf([{ first: value, last: value }], end);
}

export function otherValues(values: Values): Values {
  const [first] = values;
  return isZero(first) ? values.slice(1) : [typeof first === "bigint" ? 0n : 0, ...values];
}

export function hasValue(values: Values, value: Value): boolean {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as Value) <= value) low = middle + 1;
    else high = middle;
  }
  return (low & 1) === 1;
}

/** The set as disjoint spans, ascending. */
export function spansOf(values: Values, end: Value): readonly Span[] {
  const spans: Span[] = [];
  for (let at = 0; at < values.length; at += 2) {
    spans.push({ first: values[at] as Value, last: before(values[at + 1] ?? end) });
  }
  return spans;
}

/** Values of up to 16 bits for which the test holds. */
export function valuesWhere(end: number, holds: (value: number) => boolean): Values {
  const edges: number[] = [];
  for (let value = 0; value < end; value++) if (holds(value) === ((edges.length & 1) === 0)) edges.push(value);
  return edges;
}

export function compare(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isZero(value: Value | undefined): boolean {
  return value === 0 || value === 0n;
}

function after(value: Value): Value {
  return typeof value === "bigint" ? value + 1n : value + 1;
}

function before(value: Value): Value {
  return typeof value === "bigint" ? value - 1n : value - 1;
}
