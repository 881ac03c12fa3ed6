import { type Address, parseAddress, toBits } from "../../../net/address.ts";
import { type Prefix, parsePrefix } from "../../../net/prefix.ts";
import { prefixValues } from "../../../proof/arrivals.ts";
import type { Match } from "../../../proof/filter-rules.ts";
import { type Value, type Values, valuesOf } from "../../../proof/values.ts";
import { type Around, tableName } from "./around.ts";
import { listed, type Words } from "./words.ts";

/** `never`: the rule is of IPv4. */
export type PlaceMatch = readonly Match[] | "never";

type Side = "from" | "to";

const end = 1n << 128n;

/** Reads what stands behind `from` or `to`, without ports. */
export function placeOf(words: Words, side: Side, anchor: string, around: Around): PlaceMatch {
  const negated = words.take("!") !== undefined;
  const word = words.next() ?? "";
  if (word === "any") return negated ? [opaque("! any")] : [];
  if (word.startsWith("{")) return oneOf(listed(word), negated, side, anchor, around);
  if (words.take("-") !== undefined) return rangeOf(word, words.next() ?? "", negated, side);
  const found = oneOf([word], negated, side, anchor, around);
  return found;
}

function oneOf(words: readonly string[], negated: boolean, side: Side, anchor: string, around: Around): PlaceMatch {
  if (words.includes("any")) return [];
  const all = words.map((word) => matchOf(word, side, anchor, around)).filter((each) => each !== "never");
  if (all.length === 0) return negated ? [] : "never";
  const [only] = all;
  const match: Match = all.length === 1 && only !== undefined ? only : { kind: "some", of: all };
  return [negated ? { kind: "not", of: match } : match];
}

function matchOf(word: string, side: Side, anchor: string, around: Around): Match | "never" {
  if (word.startsWith("<")) return tableMatch(word, side, anchor);
  if (word === "no-route" && side === "from") return noWayBack(false, around);
  if (word === "urpf-failed" && side === "from") return noWayBack(true, around);
  // With `-v` the number of addresses stands behind: `(vtnet0:2)`, `(vtnet0:network:1)`, `(self:*)`.
  const [, name, suffix] = /^\(([\w.]+?)(?::(network|broadcast|peer|0(?=:)))?(?::(?:\d+|\*))?\)$/.exec(word) ?? [];
  if (word === "self" || (name === "self" && suffix === undefined)) return among(ownAddresses(around), side);
  if (name !== undefined) return dynamic(name, suffix, side, around);
  const bare = word.replace(/%[\w.]+/, "");
  const one = parseAddress(bare);
  const found = one === undefined ? parsePrefix(bare) : (`${one}/128` as Prefix);
  if (found !== undefined) return among([found], side);
  if (/^!?\d+\.\d+\.\d+\.\d+/.test(word)) return "never";
  return opaque(`place ${word}`);
}

/**
 * The gateway's own addresses have a way back: they are not `no-route` anywhere, and not `urpf-failed` at the interface
 * that has them (pf_routable; the route to an own address is of that interface, `nh_aifp`).
 */
function noWayBack(strict: boolean, around: Around): Match {
  const back: Match = { kind: "way-back", strict, negated: true };
  const own: Match = strict
    ? { kind: "some", of: [...around.addresses].map(([device, all]) => ownAt(device, all)) }
    : among(ownAddresses(around), "from");
  return { kind: "every", of: [back, { kind: "not", of: own }] };
}

function ownAt(device: string, addresses: readonly Address[]): Match {
  const here: Match = { kind: "interface", side: "in", names: [device], negated: false };
  return { kind: "every", of: [here, among(addresses.map(whole), "from")] };
}

function tableMatch(word: string, side: Side, anchor: string): Match {
  const table = word.replace(/^<|>$/g, "").replace(/:[\d*]+$/, "");
  const key = side === "from" ? ({ kind: "field", field: "from" } as const) : ({ kind: "to" } as const);
  return { kind: "elements", key: [key], set: tableName(anchor, table), negated: false };
}

/** `(vtnet0)` is what addresses the interface has at this moment, `:0` without further ones. */
function dynamic(name: string, suffix: string | undefined, side: Side, around: Around): Match {
  const devices = around.groups.get(name) ?? [name];
  const known = devices.filter((each) => around.addresses.has(each));
  if (suffix !== undefined || known.length === 0)
    return opaque(`addresses of ${name}${suffix === undefined ? "" : `:${suffix}`}`);
  return among(
    known.flatMap((each) => (around.addresses.get(each) ?? []).map(whole)),
    side,
  );
}

function ownAddresses(around: Around): readonly Prefix[] {
  return [...around.addresses.values()].flatMap((each) => each.map(whole));
}

function whole(address: Address): Prefix {
  return `${address}/128` as Prefix;
}

function among(prefixes: readonly Prefix[], side: Side): Match {
  return valued(prefixValues(prefixes), side);
}

function rangeOf(first: string, last: string, negated: boolean, side: Side): PlaceMatch {
  const [from, to] = [parseAddress(first), parseAddress(last)];
  if (from === undefined || to === undefined)
    return /^\d+\./.test(first) ? "never" : [opaque(`range ${first} - ${last}`)];
  const match = valued(valuesOf([{ first: toBits(from), last: toBits(to) }], end), side);
  return [negated ? { kind: "not", of: match } : match];
}

function valued(values: Values, side: Side): Match {
  return side === "to" ? { kind: "to", values } : { kind: "field", field: "from", values };
}

/** `port = 443`, `port 8000:8099`, `port 1 >< 9`; undefined where no port is named. */
export function portsOf(words: Words, side: Side): Match | undefined {
  if (words.take("port") === undefined) return undefined;
  const word = words.next() ?? "";
  const field = side === "from" ? "fromPort" : "toPort";
  if (word.startsWith("{")) {
    const of = listed(word).map((each) => portMatch(rangeValues(each), field, each));
    return { kind: "some", of };
  }
  if (/^(=|!=|<|<=|>|>=)$/.test(word)) {
    const port = words.next() ?? "";
    return portMatch(compared(word, port), field, `${word} ${port}`);
  }
  const between = words.take(/^(><|<>)$/);
  if (between === undefined) return portMatch(rangeValues(word), field, word);
  const last = words.next() ?? "";
  return portMatch(exclusive(word, between, last), field, `${word} ${between} ${last}`);
}

function portMatch(values: Values | undefined, field: "fromPort" | "toPort", text: string): Match {
  return values === undefined ? opaque(`port ${text}`) : { kind: "field", field, values };
}

const ports = 65_536;

function numberOf(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) < ports ? Number(text) : undefined;
}

function rangeValues(text: string): Values | undefined {
  const [from = "", to = from] = text.split(":");
  const [first, last] = [numberOf(from), numberOf(to)];
  return first === undefined || last === undefined ? undefined : spans([first, last]);
}

function compared(how: string, text: string): Values | undefined {
  const port = numberOf(text);
  if (port === undefined) return undefined;
  switch (how) {
    case "=":
      return spans([port, port]);
    case "!=":
      return spans([0, port - 1], [port + 1, ports - 1]);
    case "<":
      return spans([0, port - 1]);
    case "<=":
      return spans([0, port]);
    case ">":
      return spans([port + 1, ports - 1]);
    default:
      return spans([port, ports - 1]);
  }
}

/** `1 >< 9` is 2 to 8, `1 <> 9` what is below 1 or above 9 (pf.conf(5)). */
function exclusive(from: string, how: string, to: string): Values | undefined {
  const [first, last] = [numberOf(from), numberOf(to)];
  if (first === undefined || last === undefined) return undefined;
  return how === "><" ? spans([first + 1, last - 1]) : spans([0, first - 1], [last + 1, ports - 1]);
}

function spans(...all: readonly (readonly [Value, Value])[]): Values {
  return valuesOf(
    all.filter(([first, last]) => first <= last).map(([first, last]) => ({ first, last })),
    ports,
  );
}

function opaque(what: string): Match {
  return { kind: "opaque", why: `${what} is not understood` };
}
