import type {
  AssignedValue,
  Effect,
  FilterRule,
  Key,
  KeyPart,
  Match,
  Place,
  Step,
  Verdict,
} from "../../../proof/filter-rules.ts";
import { isJson, type Json, only, wordIn } from "./json.ts";
import { matchesOf, never } from "./match.ts";
import type { Names } from "./names.ts";
import { numberOf, type Subject, subjectOf } from "./subject.ts";

/** What a rule's statements refer to: by name, within its table. */
export type Around = {
  /** The full name of a chain or a set of the table. */
  fullName(name: string): string;
  /** A set or map without a name, written into the rule: gives the name it gets. */
  addSet(elements: readonly unknown[], isMap: boolean, key: Key): string;
  /** Whether a named limit or quota is turned round ("over"). */
  isInverse(kind: "limit" | "quota", name: string): boolean;
  /** False where translating the source is the last thing that happens to a packet. */
  readonly sourceMatters: boolean;
};

/** The steps of one statement. What is not understood may end the rule, the packet's way or nothing. */
export function stepsOf(statement: unknown, around: Around): readonly Step[] {
  const pair = only(statement);
  if (pair === undefined) return unknown("a statement without a name");
  const [kind, body] = pair;
  switch (kind) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
    case "jump":
    case "goto":
      return [verdictOf(statement, around)];
    case "reject":
      return [{ kind: "reject" }];
    case "match":
      return isJson(body) ? matchSteps(body, around) : unknown(kind);
    case "vmap":
      return isJson(body) ? branchSteps(body, around) : unknown(kind);
    case "mangle":
      return isJson(body) ? mangleSteps(body) : unknown(kind);
    case "limit":
    case "quota":
    case "ct count":
      return [chanceOf(kind, body, around)];
    case "set":
    case "meter":
    case "map":
      return dynamicSteps(kind, body, around);
    case "notrack":
      return [{ kind: "untrack" }];
    case "snat":
    case "masquerade":
      return around.sourceMatters ? rewrite("translates the source") : [{ kind: "accept" }];
    case "dnat":
    case "redirect":
      return rewrite("translates the destination");
    case "tproxy":
      return rewrite("hands the packet to a program of the gateway");
    case "counter":
    case "log":
    case "flow":
    case "last":
    case "comment":
    case "ct helper":
    case "ct timeout":
    case "ct expectation":
    case "secmark":
      return [];
    case "queue":
      return [{ kind: "unknown", why: "a program in user space decides (queue)" }];
    case "xt":
      return isJson(body) && body["type"] === "match"
        ? [{ kind: "opaque", why: `match ${wordIn(body, "name")} of ip6tables` }]
        : unknown("a target of ip6tables");
    default:
      return unknown(kind);
  }
}

/** It may match or not, and whatever it does is not known either. */
function unknown(kind: string): readonly Step[] {
  const why = `${kind} is not understood`;
  return [
    { kind: "opaque", why },
    { kind: "unknown", why },
  ];
}

function rewrite(why: string): readonly Effect[] {
  return [{ kind: "rewrite", why }];
}

/** `{ "accept": null }`, `{ "jump": { "target": "x" } }`. */
export function verdictOf(value: unknown, around: Pick<Around, "fullName">): Verdict {
  const pair = only(value);
  const [kind, body] = pair ?? ["", undefined];
  switch (kind) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
      return { kind };
    case "jump":
    case "goto":
      if (isJson(body) && typeof body["target"] === "string") return { kind, chain: around.fullName(body["target"]) };
      return { kind: "unknown", why: `a ${kind} to nowhere` };
    default:
      return { kind: "unknown", why: `verdict ${kind} is not understood` };
  }
}

function matchSteps(body: Json, around: Around): readonly Match[] {
  const { op, left, right } = body;
  const operator = String(op);
  const named = typeof right === "string" && right.startsWith("@") ? right.slice(1) : undefined;
  const parts = concatOf(left);
  if (named === undefined && parts === undefined) return matchesOf(operator, left, right);
  const key = keyOf(parts ?? [left]);
  if (key === undefined) return [never];
  if (operator !== "==" && operator !== "!=") return [{ kind: "opaque", why: `${operator} of several fields` }];
  const set = named === undefined ? around.addSet(elementsIn(right), false, key.key) : around.fullName(named);
  return [...key.needs, { kind: "elements", key: key.key, set, negated: operator === "!=" }];
}

function elementsIn(right: unknown): readonly unknown[] {
  return isJson(right) && Array.isArray(right["set"]) ? right["set"] : [right];
}

function branchSteps(body: Json, around: Around): readonly Step[] {
  const key = keyOf(concatOf(body["key"]) ?? [body["key"]]);
  if (key === undefined) return [never];
  const { data } = body;
  const map =
    typeof data === "string" ? around.fullName(data.replace(/^@/, "")) : around.addSet(elementsIn(data), true, key.key);
  return [...key.needs, { kind: "branch", key: key.key, map }];
}

function concatOf(expression: unknown): readonly unknown[] | undefined {
  const pair = only(expression);
  return pair?.[0] === "concat" && Array.isArray(pair[1]) ? pair[1] : undefined;
}

/** Undefined: a part can't be had from these packets, so nothing is found. */
function keyOf(parts: readonly unknown[]): { readonly key: Key; readonly needs: readonly Match[] } | undefined {
  const subjects = parts.map(subjectOf);
  if (subjects.some(({ asks }) => asks.kind === "never")) return undefined;
  return { key: subjects.map(keyPartOf), needs: subjects.flatMap((each) => each.needs) };
}

function keyPartOf({ asks }: Subject): KeyPart {
  switch (asks.kind) {
    case "field": {
      const { field, mask, shift, less } = asks;
      if (less !== undefined) return { kind: "opaque", why: field };
      const bits = mask === undefined ? undefined : field === "from" ? mask : Number(mask);
      return {
        kind: "field",
        field,
        ...(bits === undefined ? {} : { mask: bits }),
        ...(shift === undefined ? {} : { shift }),
      };
    }
    case "to":
      return asks.mask === undefined ? { kind: "to" } : { kind: "to", mask: asks.mask };
    case "hops":
      return { kind: "hops" };
    case "interface":
      return { kind: "interface", side: asks.side };
    case "state":
      return asks.mask === undefined ? { kind: "state" } : { kind: "opaque", why: "ct state under a mask" };
    case "constant":
      return asks.mask === undefined
        ? { kind: "constant", values: asks.values }
        : { kind: "opaque", why: "a constant under a mask" };
    case "chance":
    case "extension":
    case "never":
    case "next-header":
    case "opaque":
    case "route-kind":
    case "status":
    case "way-back":
      return { kind: "opaque", why: "why" in asks ? asks.why : asks.kind };
  }
}

function chanceOf(kind: "limit" | "quota" | "ct count", body: unknown, around: Around): Match {
  const isOver =
    typeof body === "string"
      ? kind !== "ct count" && around.isInverse(kind, body)
      : isJson(body) && body["inv"] === true;
  const what = { limit: "a rate", quota: "a quota", "ct count": "a number of flows" }[kind];
  return { kind: "chance", usually: !isOver, why: what };
}

/** A packet puts an element into a set, perhaps only up to a rate. A set that is full takes none. */
function dynamicSteps(kind: string, body: unknown, around: Around): readonly Step[] {
  if (!isJson(body)) return unknown(kind);
  const inner = body["stmt"];
  const statements: readonly unknown[] = Array.isArray(inner) ? inner : inner === undefined ? [] : [inner];
  const limited = statements.flatMap((each) => stepsOf(each, around)).filter((step) => step.kind === "chance");
  return [...limited, { kind: "chance", usually: true, why: "whether the set has room" }];
}

const noNames: Names = {};

/** What a rule changes of a packet. Marks are followed; addresses and ports are not. */
function mangleSteps(body: Json): readonly Step[] {
  const pair = only(body["key"]);
  const [kind, of] = pair ?? ["", undefined];
  const key = isJson(of) ? wordIn(of, "key") || `${wordIn(of, "protocol")} ${wordIn(of, "field")}`.trim() : "";
  if (kind === "meta" && key === "mark") {
    const value = valueOf(body["value"]);
    const needs: readonly Step[] = typeof value === "object" && value.of === "flowMark" ? [{ kind: "tracked" }] : [];
    return [...needs, { kind: "assign", field: "mark", value }];
  }
  if (kind === "ct" && key === "mark") return [{ kind: "assign", field: "flowMark", value: valueOf(body["value"]) }];
  if (kind === "meta" || kind === "ct" || kind === "tcp option") return [];
  if (kind === "payload" && key === "ip6 dscp")
    return [{ kind: "assign", field: "dscp", value: dscpOf(body["value"]) }];
  return rewrite(`changes ${key === "" ? kind : key}`);
}

function dscpOf(value: unknown): number | undefined {
  const number = numberOf(value, noNames);
  return number === undefined ? undefined : Number(number);
}

/** A mark, or one that is made from a mark by "and", "or", "xor" with numbers. */
function valueOf(value: unknown): AssignedValue {
  const number = numberOf(value, noNames);
  if (number !== undefined) return Number(number);
  const pair = only(value);
  if (pair === undefined) return undefined;
  const [operator, sides] = pair;
  const of = markIn(value);
  if (of !== undefined) return { of, and: 0xffff_ffff, or: 0, xor: 0 };
  if (!Array.isArray(sides) || sides.length !== 2) return undefined;
  const [inner, right] = [valueOf(sides[0]), numberOf(sides[1], noNames)];
  if (typeof inner !== "object" || right === undefined) return undefined;
  const bits = Number(right);
  // value = ((mark & and) ^ xor) | or
  if (operator === "|") return { ...inner, or: (inner.or | bits) >>> 0 };
  if (operator === "^" && inner.or === 0) return { ...inner, xor: (inner.xor ^ bits) >>> 0 };
  if (operator === "&") {
    return {
      ...inner,
      and: (inner.and & bits) >>> 0,
      xor: (inner.xor & bits) >>> 0,
      or: (inner.or & bits) >>> 0,
    };
  }
  return undefined;
}

function markIn(value: unknown): "mark" | "flowMark" | undefined {
  const pair = only(value);
  if (pair === undefined || !isJson(pair[1]) || pair[1]["key"] !== "mark") return undefined;
  return pair[0] === "meta" ? "mark" : pair[0] === "ct" ? "flowMark" : undefined;
}

export function ruleOf(statements: readonly unknown[], around: Around, place: Place): FilterRule {
  return { steps: statements.flatMap((each) => stepsOf(each, around)), place };
}
