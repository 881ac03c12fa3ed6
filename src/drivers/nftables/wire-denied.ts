import type { Address } from "../../net/address.ts";
import { formatWords } from "../../net/packed.ts";
import { protocolNumber, transports } from "../../net/transport.ts";
import { acknowledge, attributesIn, MessageWriter } from "../../runtime/netlink-message.ts";
import type { Denied } from "../members-lane.ts";

// Messages of the packet log (linux/netfilter/nfnetlink_log.h).

const subsystem = 4; // NFNL_SUBSYS_ULOG
const packet = subsystem << 8;
const configuration = (subsystem << 8) | 1;
const [configureCommand, configureMode, configureTimeout] = [1, 2, 4];
const [bind, copyPacket] = [1, 2];
const payload = 9;
/** Bytes of each packet: the fixed header and some extension headers. */
const copied = 128;
/** Hundredths of a second that the kernel gathers packets. */
const gathers = 10;

/** A request for the packets of a log group, as they come. */
export function listenRequest(group: number): Uint8Array {
  const writer = new MessageWriter();
  const header = { kind: configuration, flags: acknowledge, family: 0, resource: group };
  writer.message({ ...header, sequence: 1 }, (message) => {
    message.bytes(configureCommand, Uint8Array.of(bind));
  });
  writer.message({ ...header, sequence: 2 }, (message) => {
    const at = message.attribute(configureMode, 6);
    message.buffer.writeUInt32BE(copied, at);
    message.buffer[at + 4] = copyPacket;
  });
  writer.message({ ...header, sequence: 3 }, (message) => message.number32(configureTimeout, gathers));
  return writer.written();
}

/** The packet in a message of the log; undefined where there is no IPv6 packet in it. */
export function deniedIn(kind: number, attributes: Buffer): Denied | undefined {
  const bytes = kind === packet ? attributesIn(attributes).get(payload) : undefined;
  return bytes === undefined ? undefined : deniedPacket(bytes);
}

const words: Uint32Array = new Uint32Array(4);
/** Hop-by-hop, routing, destination options: 8 bytes and a length in units of eight. */
const extensions: ReadonlySet<number> = new Set([0, 43, 60]);
const fragment = 44;

/** Reads the fixed header and walks over extension headers (RFC 8200 §4). The packet may be cut off anywhere. */
export function deniedPacket(bytes: Buffer): Denied | undefined {
  if (bytes.length < 40 || (bytes[0] as number) >>> 4 !== 6) return undefined;
  let [next, at] = [bytes[6] as number, 40];
  while ((extensions.has(next) || next === fragment) && at + 8 <= bytes.length) {
    const length = next === fragment ? 8 : 8 + 8 * (bytes[at + 1] as number);
    next = bytes[at] as number;
    at += length;
  }
  const transport = transports.find((each) => protocolNumber(each) === next);
  const port = transport !== undefined && at + 4 <= bytes.length ? { port: bytes.readUInt16BE(at + 2) } : {};
  return {
    from: addressAt(bytes, 8),
    to: addressAt(bytes, 24),
    transport: transport ?? (next === protocolNumber("icmpv6") ? "icmpv6" : String(next)),
    ...port,
    count: 1,
  };
}

function addressAt(bytes: Buffer, at: number): Address {
  for (let w = 0; w < 4; w++) words[w] = bytes.readUInt32BE(at + 4 * w);
  return formatWords(words, 0) as Address;
}
