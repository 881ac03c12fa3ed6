import fc from "fast-check";
import { expect, test } from "vitest";
import { acknowledge, attributesIn, MessageWriter, messagesIn } from "./netlink-message.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

test("MessageWriter writes headers, attributes and nests as the kernel reads them", () => {
  const writer = new MessageWriter();
  writer.message({ kind: 0x0a0c, flags: acknowledge, sequence: 7, family: 1, resource: 10 }, (message) => {
    message.text(1, "abc");
    message.nested(2, (inner) => inner.number32(3, 0x01020304));
    message.number64(4, 2 ** 40 + 5);
    message.bytes(5, Uint8Array.of(9));
  });
  expect(hex(writer.written())).toBe(
    [
      "3c000000 0c0a 0500 07000000 00000000", // 60 bytes, kind, request and acknowledge, sequence, port
      "01 00 000a", // family, version, resource
      "0800 0100 61626300",
      "0c00 0280 0800 0300 01020304",
      "0c00 0400 0000010000000005",
      "0500 0500 09 000000",
    ]
      .join("")
      .replaceAll(" ", ""),
  );
});

test("MessageWriter grows and keeps every message whole", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 12 }), (values) => {
      const writer = new MessageWriter();
      for (const [sequence, value] of values.entries()) {
        writer.message({ kind: 0x105, flags: 0, sequence, family: 10 }, (message) => message.bytes(6, value));
      }
      const messages = messagesIn(Buffer.from(writer.written()));
      expect(messages.map((each) => each.sequence)).toEqual([...values.keys()]);
      for (const [i, message] of messages.entries()) {
        if (message.is !== "data") throw new Error("Not data");
        expect(hex(attributesIn(message.attributes).get(6) ?? Buffer.of())).toBe(hex(values[i] ?? Buffer.of()));
      }
    }),
    { numRuns: 50 },
  );
});

test("messagesIn tells errors, acknowledgements and the end of a dump apart", () => {
  const message = (type: number, flags: number, body: string): string => {
    const bytes = Buffer.from(body, "hex");
    const header = Buffer.alloc(16);
    header.writeUInt32LE(16 + bytes.length, 0);
    header.writeUInt16LE(type, 4);
    header.writeUInt16LE(flags, 6);
    header.writeUInt32LE(5, 8);
    return hex(header) + body;
  };
  const datagram = [
    message(2, 0, "feffffff"), // -2
    message(2, 0x100, "00000000"),
    message(3, 0x12, "00000000"),
    message(3, 0x2, "f4ffffff"), // -12
  ].join("");
  expect(messagesIn(Buffer.from(datagram, "hex"))).toMatchObject([
    { is: "error", errno: 2, sequence: 5 },
    { is: "error", errno: 0, torn: false },
    { is: "done", errno: 0, torn: true },
    { is: "done", errno: 12, torn: false },
  ]);
});

test.each(["00", "0f000000020000000500000000000000", "ff000000020000000500000000000000"])(
  "messagesIn refuses lengths that do not fit: %s",
  (bytes) => {
    expect(() => messagesIn(Buffer.from(bytes, "hex"))).toThrow(RangeError);
  },
);

test("attributesIn reads or refuses whatever bytes there are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        attributesIn(Buffer.from(bytes));
      } catch (cause) {
        expect(cause).toBeInstanceOf(RangeError);
      }
    }),
  );
});
