import { parseAddress, toBits } from "../net/address.ts";
import { isGone } from "./element-rows.ts";
import { endOf, type Field, widthOf } from "./field.ts";
import type { Elements, Key, KeyPart, Part } from "./filter-rules.ts";
import { maskedSpan } from "./mask.ts";
import { allPackets, noPackets, type PacketSet, type PacketSpace } from "./packet-set.ts";
import { hopsIn, inStates, type Pair, type Point, statesIn, withHops } from "./point.ts";
import { type Span, type Value, type Values, valuesOf, valuesWhere } from "./values.ts";

/** One place in the rules where a key is looked up in a set. */
export class Lookup {
  readonly number: number;
  readonly elements: Elements;
  readonly key: Key;
  /** The column that holds destinations; -1 where the key has none. */
  readonly toColumn: number;
  readonly #space: PacketSpace;
  readonly #rows = new Map<string, Pair>();
  readonly #asksPoint: boolean;

  constructor(number: number, elements: Elements, key: Key, space: PacketSpace) {
    this.number = number;
    this.elements = elements;
    this.key = key;
    this.toColumn = key.findIndex((part) => part.kind === "to");
    this.#asksPoint = key.some(({ kind }) => kind === "interface" || kind === "state" || kind === "hops");
    this.#space = space;
  }

  get size(): number {
    return this.elements.columns[0]?.length ?? 0;
  }

  /** The destinations of a row: an address as text, a span of them, or undefined where none fits or it can't be told. */
  destinationOf(row: number): string | Span | undefined {
    const part = this.elements.columns[this.toColumn]?.[row];
    const key = this.key[this.toColumn];
    if (part === undefined || key?.kind !== "to") return undefined;
    if (typeof part === "string" && key.mask === undefined) return part;
    const span = spanOf(part, true);
    return span === undefined ? undefined : maskedSpan(span, key.mask, 128);
  }

  /** The packets that a row has, its destination apart. */
  packetsOf(row: number, point: Point): Pair {
    const text = this.#textOf(row, point);
    const known = this.#rows.get(text);
    if (known !== undefined) return known;
    const made = this.#make(row, point);
    this.#rows.set(text, made);
    return made;
  }

  /** Rows of one signature are told apart by nothing but their destination. */
  signatureOf(row: number, point: Point): string {
    const { must, may } = this.packetsOf(row, point);
    const verdict = this.elements.verdicts?.[row];
    const then = verdict === undefined ? "" : `${verdict.kind}${"chain" in verdict ? verdict.chain : ""}`;
    return `${this.number}:${must.id}:${may.id}:${then}${this.#asksPoint ? this.#textOf(row, point) : ""}`;
  }

  #textOf(row: number, point: Point): string {
    let text = this.#asksPoint ? point.key : "";
    for (let column = 0; column < this.key.length; column++) {
      if (column !== this.toColumn) text += ` ${partText(this.elements.columns[column]?.[row])}`;
    }
    return text;
  }

  #make(row: number, point: Point): Pair {
    let [must, may] = [allPackets, allPackets];
    for (const [column, key] of this.key.entries()) {
      if (column === this.toColumn) continue;
      const part = this.elements.columns[column]?.[row];
      const fits = part === undefined || isGone(part) ? nobody : this.#part(key, part, point);
      must = this.#space.and(must, fits.must);
      may = this.#space.and(may, fits.may);
    }
    return { must, may };
  }

  #part(key: KeyPart, part: Part, point: Point): Pair {
    if (key.kind === "interface") {
      const name = key.side === "in" ? point.ends.in : point.ends.out;
      if (name === undefined || typeof part !== "string") return anybody;
      return namesFit([part], name) ? everybody : nobody;
    }
    const span = spanOf(part, key.kind === "field" && key.field === "from");
    if (span === undefined) return anybody;
    switch (key.kind) {
      case "field": {
        const values = fieldValues(key.field, span, key.mask, key.shift);
        return values === undefined ? anybody : exactly(this.#space.where(key.field, values));
      }
      case "hops":
        return exactly(withHops(this.#space, hopsIn(span), point.stage));
      case "state":
        return inStates(this.#space, statesIn(span), point);
      case "constant":
        return key.values.some((value) => value >= span.first && value <= span.last) ? everybody : nobody;
      case "opaque":
      case "to":
        return anybody;
    }
  }
}

export function exactly(set: PacketSet): Pair {
  return { must: set, may: set };
}

export const everybody: Pair = { must: allPackets, may: allPackets };
export const nobody: Pair = { must: noPackets, may: noPackets };
/** Nobody knows who. */
export const anybody: Pair = { must: noPackets, may: allPackets };

/** Whether an interface has one of the names; a `*` at the end of a name stands for anything. */
export function namesFit(names: readonly string[], name: string): boolean {
  return names.some((each) => (each.endsWith("*") ? name.startsWith(each.slice(0, -1)) : each === name));
}

/** Where `(field & mask) >> shift` is in the span. Undefined where that can't be said in values. */
export function fieldValues(field: Field, span: Span, mask: Value | undefined, shift = 0): Values | undefined {
  if ((mask !== undefined || shift > 0) && widthOf(field) <= 16) {
    const [bits, first, last] = [Number(mask ?? 0xffff), Number(span.first), Number(span.last)];
    return valuesWhere(Number(endOf(field)), (value) => {
      const part = (value & bits) >> shift;
      return part >= first && part <= last;
    });
  }
  const fits = shift > 0 ? undefined : maskedSpan(span, mask, widthOf(field));
  if (fits === undefined) return undefined;
  return fits.first > fits.last ? [] : valuesOf([fits], endOf(field));
}

/** A part as a span of numbers; of addresses as bigints. Undefined for what is not understood. */
export function spanOf(part: Part, isAddress: boolean): Span | undefined {
  if (typeof part === "string") {
    const address = isAddress ? parseAddress(part) : undefined;
    return address === undefined ? undefined : { first: toBits(address), last: toBits(address) };
  }
  if (typeof part !== "object") return { first: part, last: part };
  return "opaque" in part ? undefined : part;
}

function partText(part: Part | undefined): string {
  if (typeof part !== "object") return String(part);
  return "opaque" in part ? "?" : `${part.first}-${part.last}`;
}
