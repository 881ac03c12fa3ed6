import { endOf, type Field, widthOf } from "../../../proof/field.ts";
import type { Match, TrackState } from "../../../proof/filter-rules.ts";
import { stateBits } from "../../../proof/filter-rules.ts";
import { fieldValues } from "../../../proof/lookup.ts";
import { maskedSpan } from "../../../proof/mask.ts";
import { noValues, otherValues, type Values, valuesOf, valuesWhere } from "../../../proof/values.ts";
import { isJson } from "./json.ts";
import { nextHeaderMatch } from "./next-header.ts";
import { type BigSpan, small, spansIn } from "./spans.ts";
import { type Asks, numberOf, type Subject, subjectOf } from "./subject.ts";

export const never: Match = { kind: "some", of: [] };
const always: Match = { kind: "every", of: [] };

/** One comparison, all of whose parts have to hold. `right` is no set with a name. */
export function matchesOf(operator: string, left: unknown, right: unknown): readonly Match[] {
  const subject = subjectOf(left);
  const match = compared(subject, operator, right);
  return match === always ? subject.needs : [...subject.needs, match];
}

function compared(subject: Subject, operator: string, right: unknown): Match {
  const { asks, names } = subject;
  switch (asks.kind) {
    case "never":
      return never;
    case "chance":
      return { kind: "chance", usually: false, why: asks.why };
    case "opaque":
      return { kind: "opaque", why: asks.why };
    case "interface":
      return interfaceMatch(asks.side, operator, right);
    case "way-back":
      return wayBackMatch(asks.strict, operator, right);
    case "extension": {
      if (typeof right !== "boolean") return notRead(subject, right);
      const is = right === (operator === "==");
      return { kind: "field", field: asks.field, values: is ? [1] : otherValues([1]) };
    }
    case "constant":
    case "field":
    case "hops":
    case "next-header":
    case "route-kind":
    case "state":
    case "status":
    case "to":
      break;
  }
  const test = testOf(operator, right, subject);
  return test === undefined ? notRead(subject, right) : tested(asks, test, names);
}

function notRead({ asks }: Subject, right: unknown): Match {
  return { kind: "opaque", why: `${asks.kind} compared with ${JSON.stringify(right)?.slice(0, 60)}` };
}

/** What a value has to be: in one of the spans, or (`bits`) have one of these bits set; or not so. */
type Test = { readonly spans: readonly BigSpan[]; readonly bits?: bigint; readonly negated: boolean };

const huge = (1n << 128n) - 1n;

function testOf(operator: string, right: unknown, { names }: Subject): Test | undefined {
  if (operator === "in" || operator === "!") {
    const bits = numberOf(right, names);
    return bits === undefined ? undefined : { spans: [], bits, negated: operator === "!" };
  }
  const spans = spansIn(right, names);
  if (spans === undefined) return undefined;
  if (operator === "==" || operator === "!=") return { spans, negated: operator === "!=" };
  const [first] = spans;
  if (first === undefined || spans.length > 1 || first.first !== first.last) return undefined;
  const value = first.first;
  switch (operator) {
    case "<":
      return { spans: value === 0n ? [] : [{ first: 0n, last: value - 1n }], negated: false };
    case "<=":
      return { spans: [{ first: 0n, last: value }], negated: false };
    case ">":
      return { spans: [{ first: 0n, last: value }], negated: true };
    case ">=":
      return { spans: value === 0n ? [] : [{ first: 0n, last: value - 1n }], negated: true };
    default:
      return undefined;
  }
}

function passes(test: Test, value: bigint): boolean {
  const is =
    test.bits === undefined
      ? test.spans.some(({ first, last }) => value >= first && value <= last)
      : (value & test.bits) !== 0n;
  return is !== test.negated;
}

function tested(asks: Asks, test: Test, names: Subject["names"]): Match {
  switch (asks.kind) {
    case "field":
      return fieldMatch(asks, test);
    case "to": {
      const values = addressValues(test, asks.mask);
      return values === undefined ? holes("ip6 daddr") : { kind: "to", values };
    }
    case "hops":
      return { kind: "hops", values: valuesWhere(256, (value) => passes(test, BigInt(value))) };
    case "state": {
      const states = (Object.keys(stateBits) as TrackState[]).filter((state) =>
        passes(test, BigInt(stateBits[state]) & (asks.mask ?? huge)),
      );
      return { kind: "state", states };
    }
    case "constant": {
      const said = asks.values.map((value) => passes(test, BigInt(value) & (asks.mask ?? huge)));
      // Of several ways to write one value, one that is equal makes it equal, and all have to differ to make it differ.
      return (test.negated ? said.every(Boolean) : said.some(Boolean)) ? always : never;
    }
    case "next-header":
      return nextHeaderMatch((value) => passes(test, BigInt(value)));
    case "status": {
      const asked = test.bits ?? test.spans.reduce((all, { first, last }) => all | first | last, 0n);
      if ((asked & ~BigInt(asks.zeros)) !== 0n) return { kind: "opaque", why: "ct status" };
      return passes(test, 0n) ? always : never;
    }
    case "route-kind":
      return routeKindMatch(test);
    case "chance":
    case "extension":
    case "interface":
    case "never":
    case "opaque":
    case "way-back":
      return { kind: "opaque", why: `${asks.kind} ${Object.keys(names).length}` };
  }
}

function holes(what: string): Match {
  return { kind: "opaque", why: `${what} under a mask with holes` };
}

function fieldMatch(asks: Asks & { readonly kind: "field" }, test: Test): Match {
  const { field, mask, shift = 0, less = 0 } = asks;
  if (field === "from") {
    const values = addressValues(test, mask);
    return values === undefined ? holes("ip6 saddr") : { kind: "field", field, values };
  }
  const end = Number(endOf(field));
  if (widthOf(field) <= 16) {
    const bits = Number(mask ?? 0xffffn);
    const of = (value: number): bigint => BigInt(((value & bits) >> shift) - less);
    return { kind: "field", field, values: valuesWhere(end, (value) => passes(test, of(value))) };
  }
  if ((field === "mark" || field === "flowMark") && (mask !== undefined || test.bits !== undefined)) {
    return markMatch(field, mask, test);
  }
  if (mask !== undefined || test.bits !== undefined) return holes(field);
  return { kind: "field", field, values: wideValues(field, test, less) };
}

function markMatch(field: "mark" | "flowMark", mask: bigint | undefined, test: Test): Match {
  const bits = (mask ?? 0xffff_ffffn) & (test.bits ?? 0xffff_ffffn);
  const values =
    test.bits === undefined
      ? wideValues(field, { spans: test.spans, negated: test.negated }, 0)
      : test.negated
        ? otherValues([1])
        : [1];
  return { kind: "masked", field, mask: Number(bits), values };
}

function wideValues(field: Field, { spans, negated }: Test, less: number): Values {
  const end = endOf(field);
  const shifted = spans.map(small).map(({ first, last }) => ({
    first: Number(first) + less,
    last: Math.min(Number(last) + less, Number(end) - 1),
  }));
  const values = valuesOf(
    shifted.filter(({ first, last }) => first <= last),
    end,
  );
  return negated ? otherValues(values) : values;
}

/** Undefined where a mask has holes. */
function addressValues(test: Test, mask: bigint | undefined): Values | undefined {
  if (test.bits !== undefined) return undefined;
  const all: Values[] = [];
  for (const span of test.spans) {
    const fits = maskedSpan(span, mask, 128);
    if (fits === undefined) return undefined;
    all.push(fits.first > fits.last ? noValues : (fieldValues("from", fits, undefined) ?? noValues));
  }
  const spans = all.flatMap((values) =>
    values.length === 0
      ? []
      : [{ first: values[0] ?? 0n, last: values[1] === undefined ? huge : BigInt(values[1]) - 1n }],
  );
  const values = valuesOf(spans, endOf("from"));
  return test.negated ? otherValues(values) : values;
}

function interfaceMatch(side: "in" | "out", operator: string, right: unknown): Match {
  const listed = isJson(right) && Array.isArray(right["set"]) ? right["set"] : [right];
  const names = listed.filter((each) => typeof each === "string");
  if (names.length !== listed.length || (operator !== "==" && operator !== "!=")) {
    return { kind: "opaque", why: `an interface compared with ${JSON.stringify(right)?.slice(0, 60)}` };
  }
  if (names.some((each) => each.includes("\\"))) return { kind: "opaque", why: `interface ${names.join(", ")}` };
  return { kind: "interface", side, names, negated: operator === "!=" };
}

/** `exists` and `missing`; older listings say 0 for "none". */
function wayBackMatch(strict: boolean, operator: string, right: unknown): Match {
  const isNone = right === "0" || right === 0;
  if (typeof right !== "boolean" && !isNone) return { kind: "opaque", why: "fib oif of one name" };
  const exists = (isNone ? false : right === true) === (operator === "==");
  return { kind: "way-back", strict, negated: !exists };
}

const local = 2;
const multicast = 5;

function routeKindMatch(test: Test): Match {
  const kinds = Array.from({ length: 16 }, (_, kind) => kind).filter((kind) =>
    passes({ ...test, negated: false }, BigInt(kind)),
  );
  const parts = kinds.map((kind): Match => {
    if (kind === local) return { kind: "local", negated: false };
    if (kind === multicast) return { kind: "to", values: [0xffn << 120n] };
    return { kind: "opaque", why: "fib type" };
  });
  const found: Match = { kind: "some", of: parts };
  return test.negated ? { kind: "not", of: found } : found;
}
