import type { Span, Value } from "./values.ts";

/** How long a prefix the mask stands for; undefined where it has holes. `width` in bits. */
export function prefixLengthOf(mask: Value, width: number): number | undefined {
  const full = (1n << BigInt(width)) - 1n;
  const holes = full ^ BigInt(mask);
  // A prefix mask's complement is a run of ones from the right.
  if ((holes & (holes + 1n)) !== 0n) return undefined;
  return width - (holes === 0n ? 0 : holes.toString(2).length);
}

/**
 * The values whose bits under the mask are in the span: one span again, empty (`first` above `last`) where no value fits.
 * Undefined where the mask has holes.
 */
export function maskedSpan(span: Span, mask: Value | undefined, width: number): Span | undefined {
  if (mask === undefined) return span;
  const length = prefixLengthOf(mask, width);
  if (length === undefined) return undefined;
  const step = 1n << BigInt(width - length);
  const [low, high] = [BigInt(span.first), BigInt(span.last)];
  const first = ((low + step - 1n) / step) * step;
  const last = (high / step) * step + step - 1n;
  return typeof span.first === "bigint" ? { first, last } : { first: Number(first), last: Number(last) };
}
