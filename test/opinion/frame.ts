import { type Address, toBits } from "../../src/net/address.ts";
import type { Packet } from "../../src/proof/packet.ts";

/** What a frame is to carry. Ports are the first four octets of the transport; of ICMPv6 type and code, then the checksum. */
export type Wanted = {
  readonly mac: number;
  readonly from: Address;
  readonly to: Address;
  readonly protocol: number;
  readonly fromPort: number;
  readonly toPort: number;
  readonly flags: number;
  readonly hops: number;
  readonly dscp: number;
  readonly label: number;
  readonly hopByHop: boolean;
  readonly options: boolean;
  /** The type of a routing header; undefined without one. */
  readonly routing: number | undefined;
  readonly fragment: boolean;
  readonly padding: number;
};

export type Frame = { readonly bytes: Buffer; readonly packet: Packet };

/** An Ethernet frame with a whole, well-formed packet, ending in `id`; and what the evaluator is to be told of it. */
export function frameOf(wanted: Wanted, id: number, device: string, hardware: number): Frame {
  const transport = transportOf(wanted, id);
  const extensions = extensionsOf(wanted);
  const header = Buffer.alloc(40);
  header.writeUInt32BE(((6 << 28) | (wanted.dscp << 22) | wanted.label) >>> 0, 0);
  header.writeUInt16BE(extensions.bytes.length + transport.length, 4);
  header[6] = extensions.first;
  header[7] = wanted.hops;
  putAddress(header, 8, wanted.from);
  putAddress(header, 24, wanted.to);
  const ethernet = Buffer.alloc(14);
  ethernet.writeUIntBE(hardware, 0, 6);
  ethernet.writeUIntBE(wanted.mac, 6, 6);
  ethernet.writeUInt16BE(0x86dd, 12);
  const bytes = Buffer.concat([ethernet, header, extensions.bytes, transport]);
  const values = {
    protocol: wanted.protocol,
    toPort: transport.readUInt16BE(2),
    fromPort: transport.readUInt16BE(0),
    from: toBits(wanted.from),
    flags: wanted.protocol === 6 ? wanted.flags : (transport[13] ?? 0),
    hops: wanted.hops,
    hopByHop: Number(wanted.hopByHop),
    routing: wanted.routing === undefined ? 0 : wanted.routing + 1,
    options: Number(wanted.options),
    fragment: Number(wanted.fragment),
    authentication: 0,
    mac: wanted.mac,
    mark: 0,
    flowMark: 0,
    untracked: 0,
    dscp: wanted.dscp,
    label: wanted.label,
    length: bytes.length - 14,
  };
  return { bytes, packet: { in: device, to: wanted.to, values } };
}

/** In the order of RFC 8200 §4.1. */
function extensionsOf(wanted: Wanted): { readonly first: number; readonly bytes: Buffer } {
  const kinds: { readonly number: number; readonly body: readonly number[] }[] = [];
  if (wanted.hopByHop) kinds.push({ number: 0, body: [0, 1, 4, 0, 0, 0, 0] });
  if (wanted.options) kinds.push({ number: 60, body: [0, 1, 4, 0, 0, 0, 0] });
  if (wanted.routing !== undefined) kinds.push({ number: 43, body: [0, wanted.routing, 0, 0, 0, 0, 0] });
  if (wanted.fragment) kinds.push({ number: 44, body: [0, 0, 0, 0, 0, 0, 7] });
  const bytes = kinds.map(({ body }, at) => Buffer.from([kinds[at + 1]?.number ?? wanted.protocol, ...body]));
  return { first: kinds[0]?.number ?? wanted.protocol, bytes: Buffer.concat(bytes) };
}

function transportOf(wanted: Wanted, id: number): Buffer {
  const tail = Buffer.alloc(wanted.padding + 12);
  tail.write("sixg", wanted.padding, "latin1");
  tail.writeUInt32BE(id, wanted.padding + 4);
  tail.writeUInt32BE(~id >>> 0, wanted.padding + 8);
  switch (wanted.protocol) {
    case 6: {
      const head = ports(wanted, 20);
      head.writeUInt32BE(0x1234_5678, 4);
      head[12] = 5 << 4;
      head[13] = wanted.flags;
      head.writeUInt16BE(64_240, 14);
      return summed(Buffer.concat([head, tail]), 16, wanted);
    }
    case 17: {
      const head = ports(wanted, 8);
      head.writeUInt16BE(8 + tail.length, 4);
      return summed(Buffer.concat([head, tail]), 6, wanted);
    }
    case 58: {
      const head = Buffer.alloc(8);
      head.writeUInt16BE(wanted.fromPort, 0);
      head.writeUInt32BE(id, 4);
      return summed(Buffer.concat([head, tail]), 2, wanted);
    }
    case 132:
      return associationOf(wanted, tail);
    default:
      return Buffer.concat([ports(wanted, 8), tail]);
  }
}

function ports(wanted: Wanted, size: number): Buffer {
  const head = Buffer.alloc(size);
  head.writeUInt16BE(wanted.fromPort, 0);
  head.writeUInt16BE(wanted.toPort, 2);
  return head;
}

/** An INIT chunk (RFC 9260 §3.3.2) with the tail in a parameter that receivers skip, and its CRC. */
function associationOf(wanted: Wanted, tail: Buffer): Buffer {
  const padded = Buffer.concat([Buffer.alloc((4 - (tail.length % 4)) % 4), tail]);
  const chunk = Buffer.alloc(24);
  chunk[0] = 1;
  chunk.writeUInt16BE(chunk.length + padded.length, 2);
  chunk.writeUInt32BE(0x0102_0304, 4);
  chunk.writeUInt32BE(65_536, 8);
  chunk.writeUInt16BE(1, 12);
  chunk.writeUInt16BE(1, 14);
  chunk.writeUInt16BE(0xc000, 20);
  chunk.writeUInt16BE(4 + padded.length, 22);
  const all = Buffer.concat([ports(wanted, 12), chunk, padded]);
  all.writeUInt32LE(crc32c(all), 8);
  return all;
}

function summed(transport: Buffer, at: number, wanted: Wanted): Buffer {
  const pseudo = Buffer.alloc(40);
  putAddress(pseudo, 0, wanted.from);
  putAddress(pseudo, 16, wanted.to);
  pseudo.writeUInt32BE(transport.length, 32);
  pseudo[39] = wanted.protocol;
  let sum = 0;
  const all = Buffer.concat([pseudo, transport, Buffer.alloc(transport.length % 2)]);
  for (let i = 0; i < all.length; i += 2) sum += all.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  const sealed = ~sum & 0xffff;
  transport.writeUInt16BE(sealed === 0 && wanted.protocol === 17 ? 0xffff : sealed, at);
  return transport;
}

function putAddress(into: Buffer, at: number, address: Address): void {
  const bits = toBits(address);
  into.writeBigUInt64BE(bits >> 64n, at);
  into.writeBigUInt64BE(BigInt.asUintN(64, bits), at + 8);
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
