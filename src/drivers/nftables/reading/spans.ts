import { parseAddress, toBits } from "../../../net/address.ts";
import { parsePrefix } from "../../../net/prefix.ts";
import type { Span } from "../../../proof/values.ts";
import { isJson, type Json } from "./json.ts";
import type { Names } from "./names.ts";
import { numberOf } from "./subject.ts";

/** The right side of a comparison as spans of numbers. Undefined where it is something else. */
export function spansIn(right: unknown, names: Names): readonly BigSpan[] | undefined {
  if (isJson(right) && Array.isArray(right["set"])) {
    const all: BigSpan[] = [];
    for (const each of right["set"]) {
      const spans = spansIn(unwrapped(each), names);
      if (spans === undefined) return undefined;
      all.push(...spans);
    }
    return all;
  }
  if (isJson(right) && isJson(right["prefix"]) && hasHostBits(right["prefix"])) return [];
  const span = spanIn(right, names);
  return span === undefined ? undefined : [span];
}

export type BigSpan = { readonly first: bigint; readonly last: bigint };

/** One value, a range or a prefix. */
export function spanIn(value: unknown, names: Names): BigSpan | undefined {
  if (isJson(value)) {
    const { range, prefix } = value;
    if (Array.isArray(range) && range.length === 2) {
      const [first, last] = [numberOf(range[0], names), numberOf(range[1], names)];
      return first === undefined || last === undefined ? undefined : { first, last };
    }
    if (isJson(prefix)) return prefixSpan(prefix["addr"], prefix["len"]);
  }
  const number = numberOf(value, names);
  return number === undefined ? undefined : { first: number, last: number };
}

/** `ip6 daddr & ffff:ffff:: == 2001:db8::1` is listed as a prefix with bits beyond its length: no address is equal to it. */
function hasHostBits({ addr, len }: Json): boolean {
  return (
    typeof addr === "string" && parseAddress(addr) !== undefined && parsePrefix(`${addr}/${String(len)}`) === undefined
  );
}

function prefixSpan(address: unknown, length: unknown): BigSpan | undefined {
  const parsed = typeof address === "string" ? parseAddress(address) : undefined;
  if (parsed === undefined || typeof length !== "number" || length < 0 || length > 128) return undefined;
  const size = 1n << BigInt(128 - length);
  const first = toBits(parsed);
  return first % size === 0n ? { first, last: first + size - 1n } : undefined;
}

/** An element without its timeout, comment and counter. */
export function unwrapped(element: unknown): unknown {
  return isJson(element) && isJson(element["elem"]) ? element["elem"]["val"] : element;
}

/** As numbers, for a field of less than 53 bits. */
export function small(span: BigSpan): Span {
  return { first: Number(span.first), last: Number(span.last) };
}
