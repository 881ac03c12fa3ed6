/** `NLM_F_*` of netlink(7). */
export const request = 0x1;
export const acknowledge = 0x4;
export const dump = 0x300;
export const create = 0x400;
const interrupted = 0x10;

/** `NLMSG_ERROR`, also sent for success with errno 0; `NLMSG_DONE` ends a dump. */
const errorType = 2;
const doneType = 3;
/** `NLA_F_NESTED`: an attribute that holds attributes. */
const nestedFlag = 0x8000;
const typeMask = 0x3fff;

const headerLength = 16;
/** nfgenmsg: address family, version, resource. Every message of netfilter begins with it. */
const familyLength = 4;
export const inetFamily = 1; // NFPROTO_INET
export const ipv6Family = 10; // AF_INET6

/**
 * Writes netlink messages of netfilter one after the other, as one datagram. Numbers of a header are in the machine's
 * order, those of netfilter's attributes in network order; every machine that sixgate runs on is little-endian.
 */
export class MessageWriter {
  #bytes: Buffer = Buffer.alloc(4096);
  #used = 0;

  /** `kind` is the subsystem and the message, `NFNL_SUBSYS_x << 8 | message`. */
  message(
    { kind, flags, sequence, family, resource = 0 }: Header,
    body: (writer: MessageWriter) => void = () => undefined,
  ): void {
    const at = this.#take(headerLength + familyLength);
    this.#bytes.writeUInt16LE(kind, at + 4);
    this.#bytes.writeUInt16LE(flags | request, at + 6);
    this.#bytes.writeUInt32LE(sequence, at + 8);
    this.#bytes[at + headerLength] = family;
    this.#bytes.writeUInt16BE(resource, at + headerLength + 2);
    body(this);
    this.#bytes.writeUInt32LE(this.#used - at, at);
  }

  /** Room for an attribute's value: zeroed, to be filled at the place in `buffer` that is given back. */
  attribute(type: number, length: number): number {
    const at = this.#take(4 + length);
    this.#bytes.writeUInt16LE(4 + length, at);
    this.#bytes.writeUInt16LE(type, at + 2);
    return at + 4;
  }

  /** Valid until the next attribute is written. */
  get buffer(): Buffer {
    return this.#bytes;
  }

  /** With the zero byte that ends it. ASCII. */
  text(type: number, value: string): void {
    const at = this.attribute(type, value.length + 1);
    this.#bytes.write(value, at, "latin1");
  }

  bytes(type: number, value: Uint8Array): void {
    const at = this.attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  number32(type: number, value: number): void {
    const at = this.attribute(type, 4);
    this.#bytes.writeUInt32BE(value, at);
  }

  /** 64 bits, for a whole number below 2^53. */
  number64(type: number, value: number): void {
    const at = this.attribute(type, 8);
    this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), at);
    this.#bytes.writeUInt32BE(value % 2 ** 32, at + 4);
  }

  /** An attribute of attributes. Its length has 16 bits: a RangeError beyond 65,535 bytes. */
  nested(type: number, body: (writer: MessageWriter) => void): void {
    const at = this.attribute(type | nestedFlag, 0) - 4;
    body(this);
    this.#bytes.writeUInt16LE(this.#used - at, at);
  }

  /** What was written; valid until more is. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  get length(): number {
    return this.#used;
  }

  /** Every message and attribute begins at a multiple of four. */
  #take(length: number): number {
    const at = this.#used;
    const end = at + ((length + 3) & ~3);
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(2 ** Math.ceil(Math.log2(end + 1)));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#used = end;
    return at;
  }
}

export type Header = {
  readonly kind: number;
  readonly flags: number;
  readonly sequence: number;
  readonly family: number;
  readonly resource?: number;
};

/** One message as the kernel sent it. `attributes` begin behind the nfgenmsg; a view that is valid until the next read. */
export type Message = { readonly kind: number; readonly sequence: number } & (
  | { readonly is: "data"; readonly attributes: Buffer; readonly family: number }
  /** `errno` 0 is an acknowledgement. */
  | { readonly is: "error"; readonly errno: number }
  /** The end of a dump. `torn`: something changed meanwhile, and the dump may lack or repeat things. */
  | { readonly is: "done"; readonly errno: number }
) & { readonly torn: boolean };

/** Every message of a datagram. Throws a RangeError where lengths don't fit. */
export function messagesIn(datagram: Buffer): readonly Message[] {
  const found: Message[] = [];
  for (let at = 0; at < datagram.length; ) {
    const length = at + headerLength <= datagram.length ? datagram.readUInt32LE(at) : 0;
    if (length < headerLength || at + length > datagram.length) throw new RangeError("Not a netlink message");
    found.push(messageIn(datagram.subarray(at, at + length)));
    at += (length + 3) & ~3;
  }
  return found;
}

function messageIn(bytes: Buffer): Message {
  const kind = bytes.readUInt16LE(4);
  const sequence = bytes.readUInt32LE(8);
  const torn = (bytes.readUInt16LE(6) & interrupted) !== 0;
  if (kind === errorType || kind === doneType) {
    const errno = bytes.length >= headerLength + 4 ? -bytes.readInt32LE(headerLength) : 0;
    return { kind, sequence, torn, is: kind === errorType ? "error" : "done", errno: errno === 0 ? 0 : errno };
  }
  const attributes = bytes.subarray(headerLength + familyLength);
  return { kind, sequence, torn, is: "data", attributes, family: bytes[headerLength] ?? 0 };
}

/** The attributes in a row of them, by type; the last of each type counts. Views, not copies. */
export function attributesIn(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  eachAttribute(bytes, (type, value) => found.set(type, value));
  return found;
}

/** Throws a RangeError where lengths don't fit. */
export function eachAttribute(bytes: Buffer, visit: (type: number, value: Buffer) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? bytes.readUInt16LE(at) : 0;
    if (length < 4 || at + length > bytes.length) throw new RangeError("Not a netlink attribute");
    visit(bytes.readUInt16LE(at + 2) & typeMask, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
}
