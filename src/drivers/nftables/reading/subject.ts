import { parseAddress, toBits } from "../../../net/address.ts";
import { parseMac } from "../../../net/mac.ts";
import type { Field } from "../../../proof/field.ts";
import type { Match } from "../../../proof/filter-rules.ts";
import { oneValue } from "../../../proof/values.ts";
import { isJson, type Json, only, wordIn } from "./json.ts";
import {
  codeNames,
  directionNames,
  dscpNames,
  etherNames,
  familyNames,
  flagNames,
  messageNames,
  type Names,
  protocolNames,
  routeNames,
  stateNames,
  statusNames,
} from "./names.ts";

/**
 * What the left side of an nft match asks for. `needs` has to hold for it to be there at all: a rule that asks for the
 * port of what is not TCP does not match, negated or not.
 */
export type Subject = { readonly needs: readonly Match[]; readonly names: Names; readonly asks: Asks };

export type Asks =
  | {
      readonly kind: "field";
      readonly field: Field;
      readonly mask?: bigint;
      readonly shift?: number;
      readonly less?: number;
    }
  | { readonly kind: "to"; readonly mask?: bigint }
  | { readonly kind: "hops" }
  | { readonly kind: "interface"; readonly side: "in" | "out" }
  | { readonly kind: "state"; readonly mask?: bigint }
  /** Known whatever the packet; with several, one of them as nft writes it. */
  | { readonly kind: "constant"; readonly values: readonly number[]; readonly mask?: bigint }
  | { readonly kind: "next-header" }
  | { readonly kind: "extension"; readonly field: Field }
  | { readonly kind: "way-back"; readonly strict: boolean }
  | { readonly kind: "route-kind" }
  /** Bits of the flow's status: these are known to be 0. */
  | { readonly kind: "status"; readonly zeros: number }
  /** It can't be had from a packet that crosses the gateway, so nothing matches. */
  | { readonly kind: "never" }
  | { readonly kind: "chance"; readonly why: string }
  | { readonly kind: "opaque"; readonly why: string };

const none: readonly Match[] = [];

function asks(what: Asks, names: Names = {}, needs: readonly Match[] = none): Subject {
  return { needs, names, asks: what };
}

function opaque(why: string, needs: readonly Match[] = none): Subject {
  return asks({ kind: "opaque", why }, {}, needs);
}

function isProtocol(number: number): readonly Match[] {
  return [{ kind: "field", field: "protocol", values: oneValue(number, 256) }];
}

const tracked: readonly Match[] = [{ kind: "tracked" }];

/** An expression on the left, or a part of a key. What isn't understood is opaque, by what it is called. */
export function subjectOf(expression: unknown): Subject {
  const pair = only(expression);
  if (pair === undefined) return opaque(`expression ${JSON.stringify(expression)?.slice(0, 60)}`);
  const [kind, body] = pair;
  if (kind === "&" && Array.isArray(body)) return maskedBy(subjectOf(body[0]), body[1]);
  if (!isJson(body)) return opaque(kind);
  if (kind === "meta") return metaSubject(String(body["key"]));
  if (kind === "payload") return payloadSubject(body);
  if (kind === "ct") return trackSubject(body);
  if (kind === "exthdr") return extensionSubject(body);
  if (kind === "fib") return routeSubject(body);
  if (kind === "numgen") return asks({ kind: "chance", why: "a number that changes from packet to packet" });
  return opaque(`${kind} ${wordIn(body, "key")}${wordIn(body, "name")}`.trim());
}

function metaSubject(key: string): Subject {
  switch (key) {
    case "l4proto":
      return asks({ kind: "field", field: "protocol" }, protocolNames);
    case "nfproto":
      return asks({ kind: "constant", values: [10] }, familyNames);
    case "protocol":
      return asks({ kind: "constant", values: [0x86dd, 0xdd86] }, etherNames);
    case "iif":
    case "iifname":
      return asks({ kind: "interface", side: "in" });
    case "oif":
    case "oifname":
      return asks({ kind: "interface", side: "out" });
    case "mark":
      return asks({ kind: "field", field: "mark" });
    case "length":
      return asks({ kind: "field", field: "length" });
    case "skuid":
    case "skgid":
    case "cgroup":
      return asks({ kind: "never" });
    case "random":
    case "cpu":
      return asks({ kind: "chance", why: `meta ${key} changes from packet to packet` });
    case "time":
    case "day":
    case "hour":
      return asks({ kind: "chance", why: `meta ${key} changes with the clock` });
    default:
      return opaque(`meta ${key}`);
  }
}

const ports: Readonly<Record<string, Field>> = { sport: "fromPort", dport: "toPort" };
/** Transports whose first four bytes are two ports. */
const transports: Names = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 };

function payloadSubject(body: Json): Subject {
  const [protocol, name] = [wordIn(body, "protocol"), wordIn(body, "field")];
  if (body["base"] !== undefined) return rawSubject(wordIn(body, "base"), Number(body["offset"]), Number(body["len"]));
  const port = ports[name];
  if (protocol === "th" && port !== undefined) return asks({ kind: "field", field: port });
  const number = transports[protocol];
  if (number !== undefined) {
    if (port !== undefined) return asks({ kind: "field", field: port }, {}, isProtocol(number));
    if (protocol === "tcp" && name === "flags")
      return asks({ kind: "field", field: "flags" }, flagNames, isProtocol(6));
    return opaque(`${protocol} ${name}`, isProtocol(number));
  }
  if (protocol === "icmpv6") return messageSubject(name);
  if (protocol === "ip6") return headerSubject(name);
  if (protocol === "ether" && name === "saddr") return asks({ kind: "field", field: "mac" });
  if (protocol === "ether" && name === "type") return asks({ kind: "constant", values: [0x86dd, 0xdd86] }, etherNames);
  if (protocol === "ip" || protocol === "arp" || protocol === "icmp" || protocol === "igmp")
    return asks({ kind: "never" });
  return opaque(`${protocol} ${name}`);
}

function messageSubject(name: string): Subject {
  const needs = isProtocol(58);
  if (name === "type") return asks({ kind: "field", field: "fromPort", mask: 0xff00n, shift: 8 }, messageNames, needs);
  if (name === "code") return asks({ kind: "field", field: "fromPort", mask: 0xffn }, codeNames, needs);
  if (name === "checksum") return asks({ kind: "field", field: "toPort" }, {}, needs);
  return opaque(`icmpv6 ${name}`, needs);
}

function headerSubject(name: string): Subject {
  switch (name) {
    case "saddr":
      return asks({ kind: "field", field: "from" });
    case "daddr":
      return asks({ kind: "to" });
    case "hoplimit":
      return asks({ kind: "hops" });
    case "nexthdr":
      return asks({ kind: "next-header" }, protocolNames);
    case "dscp":
      return asks({ kind: "field", field: "dscp" }, dscpNames);
    case "flowlabel":
      return asks({ kind: "field", field: "label" });
    case "length":
      return asks({ kind: "field", field: "length", less: 40 });
    case "version":
      return asks({ kind: "constant", values: [6] });
    default:
      return opaque(`ip6 ${name}`);
  }
}

/** `@nh,64,128` and its like: base, first bit, number of bits. */
function rawSubject(base: string, offset: number, bits: number): Subject {
  switch (`${base} ${offset} ${bits}`) {
    case "nh 64 128":
      return headerSubject("saddr");
    case "nh 192 128":
      return headerSubject("daddr");
    case "nh 48 8":
      return headerSubject("nexthdr");
    case "nh 56 8":
      return headerSubject("hoplimit");
    case "nh 32 16":
      return headerSubject("length");
    case "th 0 16":
      return asks({ kind: "field", field: "fromPort" });
    case "th 16 16":
      return asks({ kind: "field", field: "toPort" });
    case "th 0 8":
      return asks({ kind: "field", field: "fromPort", mask: 0xff00n, shift: 8 });
    case "th 8 8":
      return asks({ kind: "field", field: "fromPort", mask: 0xffn });
    default:
      return opaque(`@${base},${offset},${bits}`);
  }
}

/** Of a flow that its first packet just opened. */
function trackSubject(body: Json): Subject {
  const key = String(body["key"]);
  const isOriginal = body["dir"] === "original";
  switch (key) {
    case "state":
      return asks({ kind: "state" }, stateNames);
    case "direction":
      return asks({ kind: "constant", values: [0] }, directionNames, tracked);
    case "status":
      // Neither expected nor answered, and not confirmed before it has left; what translates destinations is not followed.
      return asks({ kind: "status", zeros: 1 | 2 | 4 | 8 | 32 | 512 }, statusNames, tracked);
    case "mark":
      return asks({ kind: "field", field: "flowMark" }, {}, tracked);
    case "zone":
      return asks({ kind: "constant", values: [0] }, {}, tracked);
    case "l3proto":
      return asks({ kind: "constant", values: [10] }, familyNames, tracked);
    case "protocol":
      return asks({ kind: "field", field: "protocol" }, protocolNames, tracked);
    case "ip6 saddr":
      return isOriginal ? asks({ kind: "field", field: "from" }, {}, tracked) : opaque("ct reply ip6 saddr");
    case "ip6 daddr":
      return isOriginal ? asks({ kind: "to" }, {}, tracked) : opaque("ct reply ip6 daddr");
    default:
      return opaque(`ct ${key}`);
  }
}

const extensions: Readonly<Record<string, Field>> = {
  hbh: "hopByHop",
  rt: "routing",
  dst: "options",
  frag: "fragment",
};

function extensionSubject(body: Json): Subject {
  const name = String(body["name"]);
  const field = extensions[name];
  const part = body["field"] === undefined ? undefined : wordIn(body, "field");
  if (name === "mh" && part === undefined)
    return asks({ kind: "field", field: "protocol", mask: 0xffn }, {}, isProtocol(135));
  if (field === undefined) return opaque(`exthdr ${name}`);
  if (part === undefined) return asks({ kind: "extension", field });
  const needs: readonly Match[] = [{ kind: "field", field, values: [1] }];
  if (name === "rt" && part === "type") return asks({ kind: "field", field: "routing", less: 1 }, {}, needs);
  return opaque(`${name} ${part}`, needs);
}

function routeSubject(body: Json): Subject {
  const flags = (Array.isArray(body["flags"]) ? body["flags"] : [body["flags"]]).map(String).sort().join(" ");
  if (body["result"] === "oif" && flags === "iif saddr") return asks({ kind: "way-back", strict: true });
  if (body["result"] === "oif" && flags === "saddr") return asks({ kind: "way-back", strict: false });
  if (body["result"] === "type" && flags === "daddr") return asks({ kind: "route-kind" }, routeNames);
  return opaque(`fib ${flags} ${String(body["result"])}`);
}

function maskedBy(subject: Subject, right: unknown): Subject {
  const mask = numberOf(right, subject.names);
  const { asks: what } = subject;
  if (mask === undefined) return { ...subject, asks: { kind: "opaque", why: "a mask that is not a number" } };
  switch (what.kind) {
    case "field":
    case "to":
    case "state":
    case "constant":
      if ("mask" in what || "less" in what) break;
      return { ...subject, asks: { ...what, mask } };
    case "status":
      return (mask & ~BigInt(what.zeros)) === 0n ? { ...subject, asks: { kind: "constant", values: [0] } } : subject;
    case "never":
    case "chance":
    case "opaque":
      return subject;
    case "extension":
    case "hops":
    case "interface":
    case "next-header":
    case "route-kind":
    case "way-back":
      break;
  }
  return { ...subject, asks: { kind: "opaque", why: `${what.kind} under a mask` } };
}

/** A number as nft writes one: a number, a name, an address, hex, or several put together with "or". */
export function numberOf(value: unknown, names: Names): bigint | undefined {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "string") {
    const named = names[value];
    if (named !== undefined) return BigInt(named);
    if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(value)) return BigInt(value);
    return addressBits(value) ?? hardwareBits(value);
  }
  const list = Array.isArray(value) ? value : isJson(value) && Array.isArray(value["|"]) ? value["|"] : undefined;
  if (list === undefined || list.length === 0) return undefined;
  let all = 0n;
  for (const each of list) {
    const bits = numberOf(each, names);
    if (bits === undefined) return undefined;
    all |= bits;
  }
  return all;
}

function addressBits(text: string): bigint | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : toBits(address);
}

function hardwareBits(text: string): bigint | undefined {
  const mac = parseMac(text);
  return mac === undefined ? undefined : BigInt(`0x${mac.replaceAll(":", "")}`);
}
