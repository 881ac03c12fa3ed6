import { type Instant, instant } from "../../base/time.ts";
import type { Item } from "../../change/item.ts";
import { parseAddress } from "../../net/address.ts";
import { parsePrefix } from "../../net/prefix.ts";
import { chainItemOf, elementItem, laneOf, setItem, tableItem } from "./convert.ts";
import { untilIn } from "./lane-ways.ts";
import { prefixText } from "./members.ts";
import { hashOf } from "./ruleset.ts";
import { roleOf } from "./set-shapes.ts";

type Fields = { readonly [key: string]: unknown };

/**
 * Reads `nft --json --numeric --terse list table inet sixgate` (libnftables-json(5), schema 1; nft 1.0.6 to 1.1) as
 * items, not sorted, without elements of sets: see {@link parseElements}. A rule without our mark, a chain, set or other object that is not ours is an item too, so it shows as drift.
 * Throws an Error where the listing has a form that isn't understood: unknown is never empty.
 */
export function parseListing(text: string): readonly Item[] {
  const entries = listOf(fieldsOf(JSON.parse(text), "listing")["nftables"], "listing");
  const items: Item[] = [];
  const chains: Fields[] = [];
  const marks = new Map<string, string[]>();
  for (const entry of entries) {
    for (const [kind, body] of Object.entries(fieldsOf(entry, "listing"))) {
      const fields = fieldsOf(body, kind);
      if (kind === "metainfo") continue;
      if (kind === "table") items.push(tableItem(wordsOf(fields["flags"])));
      else if (kind === "chain") chains.push(fields);
      else if (kind === "rule") pushMark(marks, fields);
      else if (kind === "set" || kind === "map") items.push(setItemIn(kind, fields));
      else if (kind !== "element")
        items.push({
          key: `${kind.replaceAll(" ", "-")} ${nameIn(fields)}`,
          value: { foreign: true },
          lane: "structure",
        });
    }
  }
  for (const chain of chains) items.push(chainItemIn(chain, marks.get(nameIn(chain)) ?? []));
  return items;
}

/** A rule of somebody else has a mark of its own, from what it says and not from counters. */
function pushMark(marks: Map<string, string[]>, rule: Fields): void {
  const chain = textOf(rule["chain"], "rule's chain");
  const comment = rule["comment"];
  const ours = typeof comment === "string" && /^sixgate [0-9a-f]{8}$/.test(comment);
  const mark = ours
    ? comment
    : `foreign ${hashOf(JSON.stringify(rule["expr"] ?? null).replace(/"(packets|bytes)": ?\d+/g, ""))}`;
  const there = marks.get(chain);
  if (there === undefined) marks.set(chain, [mark]);
  else there.push(mark);
}

function chainItemIn(chain: Fields, marks: readonly string[]): Item {
  if (chain["hook"] === undefined) return chainItemOf(nameIn(chain), {}, marks);
  const priority = chain["prio"];
  if (typeof priority !== "number") throw notUnderstood("chain's priority", priority);
  const hook = {
    type: textOf(chain["type"], "chain's type"),
    hook: textOf(chain["hook"], "chain's hook"),
    priority,
    policy: textOf(chain["policy"] ?? "accept", "chain's policy"),
    // Only a hook of the netdev kind has one; ours never do.
    ...(chain["dev"] === undefined ? {} : { device: JSON.stringify(chain["dev"]) }),
  };
  return chainItemOf(nameIn(chain), hook, marks);
}

function setItemIn(kind: "set" | "map", set: Fields): Item {
  const name = nameIn(set);
  return roleOf(name) === undefined || (kind === "map" && set["map"] !== "verdict")
    ? { key: `${kind} ${name}`, value: { foreign: hashOf(JSON.stringify(set)) }, lane: "structure" }
    : setItem({ name, kind, type: wordsOf(set["type"]), flags: wordsOf(set["flags"]) });
}

/**
 * Reads what `nft --json --numeric list set` and `list map` print, one after the other, as items. Throws an Error as
 * {@link parseListing} does.
 */
export function parseElements(text: string): readonly Item[] {
  return text
    .split("\n")
    .filter((each) => each.trim() !== "")
    .flatMap((each) => listOf(fieldsOf(JSON.parse(each), "listing")["nftables"], "listing"))
    .flatMap((entry) => {
      const { set, map } = fieldsOf(entry, "listing");
      if (set !== undefined) return elementsIn("set", fieldsOf(set, "set"));
      return map === undefined ? [] : elementsIn("map", fieldsOf(map, "map"));
    });
}

/** An element that may end by itself. */
export type TimedElement = {
  readonly key: string;
  readonly ends?: Instant;
  /** Of an element that counts. */
  readonly counter?: { readonly packets: number; readonly bytes: number };
};

/** Reads the elements of one set with their ends, from what `nft --json --numeric list set` printed at `now`. */
export function parseTimedElements(text: string, now: Instant): readonly TimedElement[] {
  return listOf(fieldsOf(JSON.parse(text), "listing")["nftables"], "listing").flatMap((entry) => {
    const { set } = fieldsOf(entry, "listing");
    if (set === undefined) return [];
    const fields = fieldsOf(set, "set");
    const type = wordsOf(fields["type"]);
    const elements = fields["elem"] === undefined ? [] : listOf(fields["elem"], "elements");
    return elements.map((each) => ({ key: keyOf(type, each), ...endOf(each, now), ...counterOf(each) }));
  });
}

/** nft tells whole seconds; what we put there says its end in its comment. */
function endOf(element: unknown, now: Instant): Pick<TimedElement, "ends"> {
  const timed = isFields(element) && isFields(element["elem"]) ? element["elem"] : {};
  const { expires, comment } = timed;
  if (typeof expires !== "number") return {};
  const said = typeof comment === "string" ? untilIn(comment) : undefined;
  return { ends: said ?? instant(now + 1000 * expires) };
}

function counterOf(element: unknown): Pick<TimedElement, "counter"> {
  const body = isFields(element) && isFields(element["elem"]) ? element["elem"]["counter"] : undefined;
  const { packets, bytes } = isFields(body) ? body : {};
  return typeof packets === "number" && typeof bytes === "number" ? { counter: { packets, bytes } } : {};
}

function elementsIn(kind: "set" | "map", set: Fields): readonly Item[] {
  const name = nameIn(set);
  const type = wordsOf(set["type"]);
  const elements = set["elem"] === undefined ? [] : listOf(set["elem"], `elements of ${name}`);
  return elements.map((each) => elementIn(name, type, kind, each));
}

function elementIn(set: string, type: readonly string[], kind: "set" | "map", element: unknown): Item {
  if (kind === "set") return elementItem({ set, key: keyOf(type, element), lane: laneOf(set) });
  const [key, verdict] = listOf(element, `element of ${set}`);
  return { ...elementItem({ set, key: keyOf(type, key), lane: laneOf(set) }), value: verdictText(verdict) };
}

/** `goto host_vm1`, `accept`. */
function verdictText(verdict: unknown): string {
  const [[word, body] = ["", null], ...more] = Object.entries(fieldsOf(verdict, "verdict"));
  if (more.length > 0 || !/^[a-z]+$/.test(word)) throw notUnderstood("verdict", verdict);
  return isFields(body) ? `${word} ${textOf(body["target"], "verdict")}` : word;
}

/** The key of an element in nft's syntax. With timeouts, counters or comments it is wrapped: `{ elem: { val } }`. */
function keyOf(type: readonly string[], element: unknown): string {
  if (isFields(element) && isFields(element["elem"])) return keyOf(type, element["elem"]["val"]);
  const parts = isFields(element) && element["concat"] !== undefined ? listOf(element["concat"], "element") : [element];
  if (parts.length !== type.length) throw notUnderstood("element", element);
  return parts.map((part, i) => partText(type[i] ?? "", part)).join(" . ");
}

const protocols: Readonly<Record<string, string>> = { "6": "tcp", "17": "udp", "132": "sctp" };

function partText(type: string, part: unknown): string {
  if (isFields(part)) {
    const { prefix, range } = part;
    if (isFields(prefix)) return addressText(`${textOf(prefix["addr"], "prefix")}/${String(prefix["len"])}`);
    if (Array.isArray(range) && range.length === 2) return range.map((end) => partText(type, end)).join("-");
    throw notUnderstood("element", part);
  }
  if (typeof part === "number") return type === "inet_proto" ? (protocols[part] ?? String(part)) : String(part);
  const text = textOf(part, "element");
  if (type === "ifname") return `"${text}"`;
  if (type === "inet_proto") return protocols[text] ?? text;
  return type === "ipv6_addr" ? addressText(text) : text;
}

/** nft writes some addresses otherwise than RFC 5952 has them, for example with a dotted tail. */
function addressText(text: string): string {
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefixText(prefix);
  const address = parseAddress(text);
  if (address === undefined) throw notUnderstood("address", text);
  return address;
}

function nameIn(fields: Fields): string {
  return textOf(fields["name"], "name");
}

/** nft 1.1 writes a list of one as the one. */
function wordsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((each) => textOf(each, "list of words"));
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw notUnderstood(what, value);
  return value;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw notUnderstood(what, value);
  return value;
}

function fieldsOf(value: unknown, what: string): Fields {
  if (!isFields(value)) throw notUnderstood(what, value);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notUnderstood(what: string, value: unknown): Error {
  return new Error(`The ${what} in nft's listing isn't understood: ${JSON.stringify(value)?.slice(0, 120)}`);
}
