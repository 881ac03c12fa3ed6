import { type Instant, instant } from "../../base/time.ts";
import type { Address } from "../../net/address.ts";
import { copyWords, formatWords, parseWords, setHostBits } from "../../net/packed.ts";
import { type Prefix, parsePrefixWords, prefixAt } from "../../net/prefix.ts";
import { protocolNumber, type Transport, transports } from "../../net/transport.ts";
import {
  acknowledge,
  attributesIn,
  create,
  dump,
  eachAttribute,
  inetFamily,
  MessageWriter,
} from "../../runtime/netlink-message.ts";
import { type SetChange, untilIn, untilText } from "./lane-ways.ts";
import type { Member, MemberKind } from "./members.ts";
import { table } from "./ruleset.ts";

// Messages of nf_tables about elements of sets (linux/netfilter/nf_tables.h). A key is its fields one after the other,
// each filled up to a multiple of four bytes, numbers in network order.

const subsystem = 10; // NFNL_SUBSYS_NFTABLES
const newElements = (subsystem << 8) | 12;
const getElements = (subsystem << 8) | 13;
const deleteElements = (subsystem << 8) | 14;
const [batchBegin, batchEnd] = [16, 17];

const [listTable, listSet, listElements, listElement] = [1, 2, 3, 1];
const [elementKey, elementTimeout, elementExpiration, elementComment, elementKeyEnd] = [1, 4, 5, 6, 10];
const elementExpression = 7;
const dataValue = 1;
const unspecified = 0;
/** The name of our table without its family. */
const tableName: string = table.replace(/^inet /, "");
/** Of at most some 200 bytes each: a list of them has to stay below 64 KiB. */
const perMessage = 250;

/** What a minute is to the kernel. */
const held = 60_000;

/**
 * One transaction for {@link SetChange}s. In a hash set each element is first added as it may be there already, then
 * deleted, then added as it should be: so it does not matter what was there. In an interval set an element that is
 * added may meet another, so only what is known to be there is deleted. `last` is acknowledged when all is in force.
 */
export function changeBatch(changes: readonly SetChange[], now: Instant): { datagram: Uint8Array; last: number } {
  const steps: Step[] = [];
  for (const { set, kind, gone, there } of changes) {
    const isHash = kind === "open" || kind === "live";
    const touched = isHash ? byKey([...gone, ...there]) : gone;
    if (isHash) steps.push({ kind: newElements, set, members: touched.map(bare) });
    steps.push({ kind: deleteElements, set, members: touched.map(bare) });
    steps.push({ kind: newElements, set, members: there });
  }
  const parts = steps.flatMap(({ members, ...rest }) => chunks(members).map((each) => ({ ...rest, members: each })));
  return batchOf(parts.length, (writer, n, flags) => {
    const part = parts[n] as Step;
    const header = { kind: part.kind, flags: part.kind === newElements ? flags | create : flags, sequence: n + 1 };
    elementMessage(writer, header, part.set, (list) => {
      for (const member of part.members) writeMember(list, member, now);
    });
  });
}

type Step = { readonly kind: number; readonly set: string; readonly members: readonly Member[] };

/** The tuples of flows that are cut, as their answers have them, into the set `cut`, each for a minute. */
export function holdBatch(tuples: readonly Uint8Array[]): { datagram: Uint8Array; last: number } {
  const parts = chunks(tuples);
  return batchOf(parts.length, (writer, n, flags) => {
    elementMessage(writer, { kind: newElements, flags: flags | create, sequence: n + 1 }, "cut", (list) => {
      for (const tuple of parts[n] ?? []) {
        list.nested(listElement, (element) => {
          element.nested(elementKey, (key) => key.bytes(dataValue, tuple));
          element.number64(elementTimeout, held);
        });
      }
    });
  });
}

/** A request for every element of a set. */
export function dumpRequest(set: string): Uint8Array {
  const writer = new MessageWriter();
  writer.message({ kind: getElements, flags: dump, sequence: 1, family: inetFamily }, (message) => {
    message.text(listTable, tableName);
    message.text(listSet, set);
  });
  return writer.written();
}

function batchOf(
  count: number,
  part: (writer: MessageWriter, n: number, flags: number) => void,
): { datagram: Uint8Array; last: number } {
  const writer = new MessageWriter();
  const border = { flags: 0, family: unspecified, resource: subsystem };
  writer.message({ ...border, kind: batchBegin, sequence: 0 });
  for (let n = 0; n < count; n++) part(writer, n, n === count - 1 ? acknowledge : 0);
  writer.message({ ...border, kind: batchEnd, sequence: count + 1 });
  return { datagram: writer.written(), last: count };
}

function elementMessage(
  writer: MessageWriter,
  header: { readonly kind: number; readonly flags: number; readonly sequence: number },
  set: string,
  elements: (list: MessageWriter) => void,
): void {
  writer.message({ ...header, family: inetFamily }, (message) => {
    message.text(listTable, tableName);
    message.text(listSet, set);
    message.nested(listElements, elements);
  });
}

function byKey(members: readonly Member[]): readonly Member[] {
  const found = new Map(
    members.map((each) => [each.kind === "open" ? `${each.to} ${each.transport} ${each.port}` : each.to, each]),
  );
  return [...found.values()];
}

function bare(member: Member): Member {
  const { ends, ...rest } = member;
  return ends === undefined ? member : rest;
}

function chunks<T>(all: readonly T[]): readonly (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let at = 0; at < all.length; at += perMessage) found.push(all.slice(at, at + perMessage));
  return found;
}

const words: Uint32Array = new Uint32Array(8);

function writeMember(list: MessageWriter, member: Member, now: Instant): void {
  list.nested(listElement, (element) => {
    element.nested(elementKey, (key) => writeKey(key, member, "first"));
    if (member.kind === "from" || member.kind === "livefrom") {
      element.nested(elementKeyEnd, (key) => writeKey(key, member, "last"));
    }
    if (member.ends === undefined) return;
    element.number64(elementTimeout, Math.max(1, member.ends - now));
    element.bytes(elementComment, commentBytes(untilText(member.ends)));
  });
}

const keyLengths: Readonly<Record<MemberKind, number>> = { open: 24, from: 40, live: 16, livefrom: 32 };

/** An interval's key is written twice: with the first and with the last value of each field. */
function writeKey(writer: MessageWriter, member: Member, edge: "first" | "last"): void {
  let at = writer.attribute(dataValue, keyLengths[member.kind]);
  const { buffer } = writer;
  parseWords(member.to, words, 0);
  at = putWords(buffer, at, 0);
  if (member.kind === "open" || member.kind === "from") {
    buffer[at] = protocolNumber(member.transport);
    buffer.writeUInt16BE(member.kind === "open" ? member.port : member.ports[edge], at + 4);
    at += 8;
  }
  if (member.kind !== "from" && member.kind !== "livefrom") return;
  const length = parsePrefixWords(member.from, words, 4);
  if (edge === "last") setHostBits(words, 4, length);
  putWords(buffer, at, 4);
}

function putWords(buffer: Buffer, at: number, from: number): number {
  for (let w = 0; w < 4; w++) buffer.writeUInt32BE(words[from + w] as number, at + 4 * w);
  return at + 16;
}

/** As nft keeps comments: type 0, length, text with its final zero (libnftnl's user data). */
function commentBytes(text: string): Uint8Array {
  const bytes = Buffer.alloc(2 + text.length + 1);
  bytes[1] = text.length + 1;
  bytes.write(text, 2, "latin1");
  return bytes;
}

function commentIn(bytes: Buffer): string | undefined {
  for (let at = 0; at + 2 <= bytes.length; at += 2 + (bytes[at + 1] as number)) {
    if (bytes[at] === 0) return bytes.toString("latin1", at + 2, at + 1 + (bytes[at + 1] as number));
  }
  return undefined;
}

/** Visits the elements in the attributes of one message of a dump, with what they count by. What no member can say is left out. */
export function eachMember(
  attributes: Buffer,
  kind: MemberKind,
  now: Instant,
  visit: (member: Member, expression: Buffer | undefined) => void,
): void {
  const list = attributesIn(attributes).get(listElements);
  if (list === undefined) return;
  const parts: Parts = {};
  eachAttribute(list, (_, element) => {
    parts.key = parts.keyEnd = parts.left = parts.comment = parts.expression = undefined;
    eachAttribute(element, (type, value) => collect(parts, type, value));
    const member = memberIn(parts, kind, now);
    if (member !== undefined) visit(member, parts.expression);
  });
}

/** What is looked at of an element: one of these is used for all of them, for there may be a million. */
type Parts = {
  key?: Buffer | undefined;
  keyEnd?: Buffer | undefined;
  left?: Buffer | undefined;
  comment?: Buffer | undefined;
  expression?: Buffer | undefined;
};

function collect(parts: Parts, type: number, value: Buffer): void {
  if (type === elementKey) parts.key = value;
  else if (type === elementKeyEnd) parts.keyEnd = value;
  else if (type === elementExpiration) parts.left = value;
  else if (type === elementComment) parts.comment = value;
  else if (type === elementExpression) parts.expression = value;
}

function memberIn(parts: Parts, kind: MemberKind, now: Instant): Member | undefined {
  const first = valueIn(parts.key, kind);
  if (first === undefined) return undefined;
  const last = valueIn(parts.keyEnd, kind) ?? first;
  const ends = endIn(parts, now);
  const rest = { to: addressAt(first, 0), ...(ends === undefined ? undefined : { ends }) };
  switch (kind) {
    case "live":
      return { kind, ...rest };
    case "livefrom": {
      const from = prefixBetween(first, last, 16);
      return from === undefined || !isOne(first, last, 16) ? undefined : { kind, from, ...rest };
    }
    case "open":
    case "from": {
      const transport = transports.find((each) => protocolNumber(each) === first[16]);
      const ports = { first: first.readUInt16BE(20), last: last.readUInt16BE(20) };
      if (transport === undefined || ports.first === 0) return undefined;
      return kind === "open"
        ? { kind, transport, port: ports.first, ...rest }
        : rangeMember(first, last, { transport, ports, ...rest });
    }
  }
}

type RangeParts = {
  readonly transport: Transport;
  readonly ports: { readonly first: number; readonly last: number };
  readonly to: Address;
  readonly ends?: Instant;
};

function rangeMember(first: Buffer, last: Buffer, parts: RangeParts): Member | undefined {
  const from = prefixBetween(first, last, 24);
  return from === undefined || !isOne(first, last, 17) ? undefined : { kind: "from", from, ...parts };
}

/** Whether an interval is one value in the first bytes: one address, one protocol. */
function isOne(first: Buffer, last: Buffer, length: number): boolean {
  return first.subarray(0, length).equals(last.subarray(0, length));
}

/** The value in a key: one attribute, so its place is known. */
function valueIn(key: Buffer | undefined, kind: MemberKind): Buffer | undefined {
  const length = keyLengths[kind];
  if (key === undefined || key.length < 4 + length || key.readUInt16LE(0) !== 4 + length) return undefined;
  return key.subarray(4, 4 + length);
}

function endIn({ left, comment }: Parts, now: Instant): Instant | undefined {
  if (left === undefined) return undefined;
  const said = comment === undefined ? undefined : untilIn(commentIn(comment) ?? "");
  return said ?? instant(now + left.readUInt32BE(0) * 2 ** 32 + left.readUInt32BE(4));
}

function addressAt(bytes: Buffer, at: number): Address {
  readWordsAt(bytes, at, 0);
  return formatWords(words, 0) as Address;
}

function readWordsAt(bytes: Buffer, at: number, to: number): void {
  for (let w = 0; w < 4; w++) words[to + w] = bytes.readUInt32BE(at + 4 * w);
}

/** Undefined where the interval is no prefix. */
function prefixBetween(first: Buffer, last: Buffer, at: number): Prefix | undefined {
  readWordsAt(first, at, 0);
  let length = 0;
  while (length < 128 && bitAt(first, at, length) === bitAt(last, at, length)) length++;
  copyWords(words, 0, words, 4);
  setHostBits(words, 4, length);
  for (let w = 0; w < 4; w++) if (words[4 + w] !== last.readUInt32BE(at + 4 * w)) return undefined;
  for (let bit = length; bit < 128; bit++) if (bitAt(first, at, bit) === 1) return undefined;
  return prefixAt(words, 0, length);
}

function bitAt(bytes: Buffer, at: number, bit: number): number {
  return ((bytes[at + (bit >>> 3)] as number) >>> (7 - (bit & 7))) & 1;
}
