import { expect, test } from "vitest";
import { instant } from "../../base/time.ts";
import { address } from "../../net/address.ts";
import { prefix } from "../../net/prefix.ts";
import { attributesIn, eachAttribute, type Message, messagesIn } from "../../runtime/netlink-message.ts";
import type { Member } from "./members.ts";
import { changeBatch, dumpRequest, eachMember, holdBatch } from "./wire-elements.ts";

const to = address("2001:db8:1:2:21::2");
const now = instant(Date.parse("2026-11-26T00:00:00Z"));
const ends = instant(now + 5000);

/** What `nft add element` of nft 1.0.6 sends as the list of elements, taken down with strace. */
const recorded: readonly (readonly [set: string, member: Member, bytes: string])[] = [
  [
    "open_02",
    { kind: "open", to, transport: "tcp", port: 443 },
    "24000180200001801c00010020010db80001000200210000000000020600000001bb0000",
  ],
  [
    "open_02",
    { kind: "open", to, transport: "udp", port: 53, ends },
    "580001800c0004000000000000001388200001801c00010020010db8000100020021000000000002110000000035000025000600001f756e74696c20323032362d31312d32365430303a30303a30352e3030305a00000000",
  ],
  [
    "from_02",
    { kind: "from", to, transport: "tcp", ports: { first: 8000, last: 8099 }, from: prefix("2001:db8:ff::/48") },
    "64000180300001802c00010020010db8000100020021000000000002060000001f40000020010db800ff0000000000000000000030000a802c00010020010db8000100020021000000000002060000001fa3000020010db800ffffffffffffffffffffff",
  ],
  ["live_02", { kind: "live", to }, "1c000180180001801400010020010db8000100020021000000000002"],
  [
    "livefrom_02",
    { kind: "livefrom", to, from: prefix("3fff::/20") },
    "54000180280001802400010020010db80001000200210000000000023fff000000000000000000000000000028000a802400010020010db80001000200210000000000023fff0fffffffffffffffffffffffffff",
  ],
];

/** Kind of message, set, and each element's attributes by type: their order does not matter to the kernel. */
type Sent = {
  readonly verb: string;
  readonly set: string;
  readonly elements: readonly Readonly<Record<string, string>>[];
};

function sentIn(datagram: Uint8Array): readonly Sent[] {
  const data = messagesIn(Buffer.from(datagram)).filter((each) => each.is === "data" && each.kind > 17);
  return data.map((each) => {
    const parts = attributesIn(dataOf(each));
    const verb = (each.kind & 0xff) === 12 ? "add" : "delete";
    return {
      verb,
      set: (parts.get(2) ?? Buffer.of()).toString("latin1").replace("\0", ""),
      elements: elementsIn(parts.get(3) ?? Buffer.of()),
    };
  });
}

function dataOf(message: Message): Buffer {
  if (message.is !== "data") throw new Error("Not data");
  return message.attributes;
}

function elementsIn(list: Buffer): readonly Readonly<Record<string, string>>[] {
  const found: Readonly<Record<string, string>>[] = [];
  eachAttribute(list, (_, element) => {
    found.push(Object.fromEntries([...attributesIn(element)].map(([type, value]) => [type, value.toString("hex")])));
  });
  return found;
}

test.each(recorded)("changeBatch puts an element into %s as nft does", (set, member, bytes) => {
  const { datagram, last } = changeBatch([{ set, kind: member.kind, gone: [], there: [member] }], now);
  const sent = sentIn(datagram);
  expect(sent.at(-1)).toEqual({ verb: "add", set, elements: elementsIn(Buffer.from(bytes, "hex")) });
  expect(messagesIn(Buffer.from(datagram))).toHaveLength(last + 2);
});

test("changeBatch makes elements of hash sets be as they should, whatever was there", () => {
  const [open] = recorded;
  const gone: Member = { kind: "open", to, transport: "tcp", port: 80 };
  const { datagram } = changeBatch([{ set: "open_02", kind: "open", gone: [gone], there: [open?.[1] ?? gone] }], now);
  const sent = sentIn(datagram);
  expect(sent.map(({ verb, elements }) => `${verb} ${elements.length}`)).toEqual(["add 2", "delete 2", "add 1"]);
});

test("changeBatch deletes from interval sets what is known to be there, and nothing else", () => {
  const [, , from] = recorded;
  if (from === undefined) throw new Error("No such element");
  const sets = { set: "from_02", kind: "from" } as const;
  const verbs = (gone: readonly Member[], there: readonly Member[]): readonly string[] =>
    sentIn(changeBatch([{ ...sets, gone, there }], now).datagram).map((each) => each.verb);
  expect([verbs([from[1]], []), verbs([], [from[1]]), verbs([], [])]).toEqual([["delete"], ["add"], []]);
});

test("changeBatch spreads many elements over messages whose lengths fit, the last one acknowledged", () => {
  const there = Array.from(
    { length: 65_535 },
    (_, i): Member => ({ kind: "open", to, transport: "tcp", port: i + 1, ends }),
  );
  const { datagram, last } = changeBatch([{ set: "open_02", kind: "open", gone: [], there }], now);
  const sent = sentIn(datagram).filter((each) => each.verb === "add");
  expect(sent.reduce((sum, each) => sum + each.elements.length, 0)).toBe(2 * there.length);
  const flags = [...flagsIn(datagram)];
  expect(flags.filter((each) => each.acknowledged)).toEqual([{ sequence: last, acknowledged: true }]);
});

function* flagsIn(datagram: Uint8Array): Generator<{ readonly sequence: number; readonly acknowledged: boolean }> {
  const bytes = Buffer.from(datagram);
  for (let at = 0; at < bytes.length; at += (bytes.readUInt32LE(at) + 3) & ~3) {
    yield { sequence: bytes.readUInt32LE(at + 8), acknowledged: (bytes.readUInt16LE(at + 6) & 4) !== 0 };
  }
}

test.each(recorded)("eachMember reads an element of %s", (_, member, bytes) => {
  const found: Member[] = [];
  eachMember(listOf(bytes), member.kind, now, (each) => found.push(each));
  // What is left of its time comes with a dump only; without it nothing says that it ends.
  const { ends: _ends, ...untimed } = member;
  expect(found).toEqual([untimed]);
});

function listOf(elements: string): Buffer {
  const list = Buffer.from(elements, "hex");
  const header = Buffer.alloc(4);
  header.writeUInt16LE(4 + list.length, 0);
  header.writeUInt16LE(3, 2);
  return Buffer.concat([header, list]);
}

test("eachMember takes the end from the comment, and else from what is left", () => {
  const left = "0c00050000000000000003e8";
  const [, timed] = recorded;
  const withLeft = (element: string): string => {
    const body = element.slice(8) + left;
    const header = Buffer.alloc(4);
    header.writeUInt16LE(4 + body.length / 2, 0);
    header.writeUInt16LE(0x8001, 2);
    return header.toString("hex") + body;
  };
  const found: Member[] = [];
  const collect = (bytes: string): void => eachMember(listOf(withLeft(bytes)), "open", now, (each) => found.push(each));
  collect(timed?.[2] ?? "");
  collect(recorded[0]?.[2] ?? "");
  expect(found.map((each) => each.ends)).toEqual([ends, now + 1000]);
});

test.each([
  ["open", recorded[0]?.[2].replace("0600000001bb", "2f00000001bb")], // another protocol
  ["open", recorded[0]?.[2].replace("0600000001bb", "060000000000")], // port 0
  ["from", recorded[2]?.[2].replace("00ffffffffffffffffffffff", "00fffffffffffffffffffffe")], // no prefix
  ["from", recorded[2]?.[2].replace("0002060000001fa3", "0003060000001fa3")], // two addresses
  ["live", recorded[0]?.[2]], // of another set
] as const)("eachMember leaves out what no member can say, in %s", (kind, bytes = "") => {
  expect(recorded.map((each) => each[2])).not.toContain(kind === "live" ? "" : bytes);
  const found: Member[] = [];
  eachMember(listOf(bytes), kind, now, (each) => found.push(each));
  expect(found).toEqual([]);
});

test("holdBatch holds each tuple for a minute", () => {
  const tuple = Buffer.alloc(44, 7);
  const { datagram } = holdBatch([tuple]);
  expect(sentIn(datagram)).toEqual([
    { verb: "add", set: "cut", elements: [{ 1: `30000100${tuple.toString("hex")}`, 4: "000000000000ea60" }] },
  ]);
  expect(holdBatch([]).last).toBe(0);
});

test("dumpRequest asks for one set of our table", () => {
  const [message] = messagesIn(Buffer.from(dumpRequest("open_02")));
  if (message === undefined) throw new Error("No message");
  const parts = attributesIn(dataOf(message));
  expect([1, 2].map((type) => parts.get(type)?.toString("latin1"))).toEqual(["sixgate\0", "open_02\0"]);
});
