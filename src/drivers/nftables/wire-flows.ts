import type { Address } from "../../net/address.ts";
import { formatWords, parseWords } from "../../net/packed.ts";
import { protocolNumber, transports } from "../../net/transport.ts";
import { acknowledge, attributesIn, dump, ipv6Family, MessageWriter } from "../../runtime/netlink-message.ts";
import type { LiveFlow } from "./flows.ts";

// Messages of connection tracking (linux/netfilter/nfnetlink_conntrack.h).

const subsystem = 1; // NFNL_SUBSYS_CTNETLINK
const getFlows = (subsystem << 8) | 1;
const deleteFlow = (subsystem << 8) | 2;
const countFlows = (subsystem << 8) | 5;

const [originalTuple, flowId, zone] = [1, 12, 18];
const [tupleAddresses, tupleProtocol] = [1, 2];
const [source6, destination6] = [3, 4];
const [protocolNumberPart, sourcePort, destinationPort] = [1, 2, 3];
const [echoId, echoType, echoCode] = [7, 8, 9];

/** A flow and what the kernel knows it by. */
export type WireFlow = LiveFlow & {
  readonly tuple: Uint8Array;
  readonly id?: Uint8Array;
  readonly zone?: Uint8Array;
};

const words: Uint32Array = new Uint32Array(4);

/**
 * A request for all flows over IPv6. The kernel has a filter by address, but for IPv6 it works the wrong way round
 * (Linux 6.18 gives all but those that are asked for), so {@link flowFilter} stands in for it.
 */
export function flowsRequest(): Uint8Array {
  const writer = new MessageWriter();
  writer.message({ kind: getFlows, flags: dump, sequence: 1, family: ipv6Family });
  return writer.written();
}

/** Where the kernel writes the destination of a flow over IPv6: behind three headers and the source. */
const destinationAt = 32;

/**
 * Whether a message may be about a flow to one of these addresses: looks at the place where the destination is, and at
 * the rest of it only when its last 32 bits fit. There may be hundreds of thousands of flows, and few are wanted.
 */
export function flowFilter(to: ReadonlySet<Address>): (attributes: Buffer) => boolean {
  const tails = new Set<number>();
  for (const each of to) {
    parseWords(each, words, 0);
    tails.add(words[3] as number);
  }
  return (attributes) => {
    if (attributes.length < destinationAt + 16 || attributes.readUInt16LE(destinationAt - 2) !== destination6)
      return true;
    return tails.has(attributes.readUInt32BE(destinationAt + 12));
  };
}

/** A request for how many flows there are. */
export function countRequest(): Uint8Array {
  const writer = new MessageWriter();
  writer.message({ kind: countFlows, flags: 0, sequence: 1, family: 0 });
  return writer.written();
}

/** One flow out of the attributes of a message. Throws a RangeError where they are not those of a flow over IPv6. */
export function flowIn(attributes: Buffer): WireFlow {
  const parts = attributesIn(attributes);
  const tuple = must(parts.get(originalTuple));
  const sides = attributesIn(tuple);
  const addresses = attributesIn(must(sides.get(tupleAddresses)));
  const protocol = attributesIn(must(sides.get(tupleProtocol)));
  const [id, ownZone] = [parts.get(flowId), parts.get(zone)];
  return {
    protocol: protocolName(must(protocol.get(protocolNumberPart))[0] ?? 0),
    from: addressIn(addresses.get(source6)),
    to: addressIn(addresses.get(destination6)),
    ...portsIn(protocol),
    ...echoIn(protocol),
    tuple: Buffer.from(tuple),
    ...(id === undefined ? {} : { id: Buffer.from(id) }),
    ...(ownZone === undefined ? {} : { zone: Buffer.from(ownZone) }),
  };
}

/** A request to end flows, each acknowledged: `sequence` is its place. By tuple and id, so a later one stays. */
export function deletionRequest(flows: readonly WireFlow[]): Uint8Array {
  const writer = new MessageWriter();
  for (const [sequence, { tuple, id, zone: ownZone }] of flows.entries()) {
    writer.message({ kind: deleteFlow, flags: acknowledge, sequence, family: ipv6Family }, (message) => {
      message.bytes(originalTuple | 0x8000, tuple);
      if (id !== undefined) message.bytes(flowId, id);
      if (ownZone !== undefined) message.bytes(zone, ownZone);
    });
  }
  return writer.written();
}

/** The flow as its receiver's answers have it: the key of an element of the set `cut`. Undefined for flows without ports. */
export function answerKey({ protocol, from, to, fromPort, toPort }: LiveFlow): Uint8Array | undefined {
  const transport = transports.find((each) => each === protocol);
  if (transport === undefined || fromPort === undefined || toPort === undefined) return undefined;
  const key = Buffer.alloc(44);
  putAddress(key, 0, to);
  key[16] = protocolNumber(transport);
  key.writeUInt16BE(toPort, 20);
  putAddress(key, 24, from);
  key.writeUInt16BE(fromPort, 40);
  return key;
}

function putAddress(bytes: Buffer, at: number, of: Address): void {
  parseWords(of, words, 0);
  for (let w = 0; w < 4; w++) bytes.writeUInt32BE(words[w] as number, at + 4 * w);
}

/** The names that conntrack(8) has for those we ask about; others by number. */
function protocolName(number: number): string {
  if (number === protocolNumber("icmpv6")) return "icmpv6";
  return transports.find((each) => protocolNumber(each) === number) ?? String(number);
}

function portsIn(protocol: ReadonlyMap<number, Buffer>): Pick<LiveFlow, "fromPort" | "toPort"> {
  const [from, to] = [protocol.get(sourcePort), protocol.get(destinationPort)];
  return from === undefined || to === undefined ? {} : { fromPort: from.readUInt16BE(), toPort: to.readUInt16BE() };
}

function echoIn(protocol: ReadonlyMap<number, Buffer>): Pick<LiveFlow, "echo"> {
  const [id, type, code] = [protocol.get(echoId), protocol.get(echoType), protocol.get(echoCode)];
  if (id === undefined || type === undefined || code === undefined) return {};
  return { echo: { id: id.readUInt16BE(), type: type[0] ?? 0, code: code[0] ?? 0 } };
}

function addressIn(bytes: Buffer | undefined): Address {
  const value = must(bytes);
  for (let w = 0; w < 4; w++) words[w] = value.readUInt32BE(4 * w);
  return formatWords(words, 0) as Address;
}

function must(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new RangeError("Not a flow over IPv6");
  return bytes;
}
