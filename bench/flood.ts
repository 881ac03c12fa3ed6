import { readFileSync } from "node:fs";
import koffi from "koffi";

// Sends UDP datagrams of ever new flows as fast as one thread can: run inside the sender's network namespace, with what
// to send on standard input. Prints what it did as JSON.

export type Flood = {
  /** Source address (of each packet another one in this /64, unless `live`) and destinations as hex, 32 digits each. */
  readonly from: string;
  readonly to: readonly string[];
  readonly packets: number;
  /** All packets of one flow, from this port. */
  readonly live?: number;
};

/** `nanoseconds` of the processor: of the sender, and of the kernel that forwards in its calls. */
export type Flooded = { readonly sent: number; readonly nanoseconds: number };

const together = 64;
const port = 443;
const [addressLength, controlLength, headerLength, vectorLength] = [28, 40, 64, 16];

/** Memory that the kernel reads, by address: it has to stay where it is, and be kept. */
type Block = { readonly bytes: Buffer; readonly at: bigint };

function block(length: number): Block {
  const bytes = Buffer.alloc(length);
  return { bytes, at: koffi.address(bytes) };
}

/** An array of mmsghdr (64-bit Linux), each with its destination, and with its source as IPV6_PKTINFO (RFC 3542 §6). */
function messages({ from, to, packets, live }: Flood): readonly Block[] {
  const headers = block(headerLength * packets);
  const addresses = block(addressLength * packets);
  const controls = block(controlLength * packets);
  const vector = block(vectorLength);
  const payload = block(18);
  vector.bytes.writeBigUInt64LE(payload.at, 0);
  vector.bytes.writeBigUInt64LE(18n, 8);
  for (let n = 0; n < packets; n++) {
    const address = addresses.bytes.subarray(n * addressLength);
    address.writeUInt16LE(10, 0);
    address.writeUInt16BE(port, 2);
    address.write(to[Math.floor(Math.random() * to.length)] ?? "", 8, "hex");
    const control = controls.bytes.subarray(n * controlLength);
    control.writeBigUInt64LE(36n, 0);
    control.writeUInt32LE(41, 8);
    control.writeUInt32LE(50, 12);
    control.write(from, 16, "hex");
    if (live === undefined) {
      control.writeUInt32BE(Math.floor(Math.random() * 2 ** 32), 24);
      control.writeUInt32BE(n, 28);
    }
    const header = headers.bytes.subarray(n * headerLength);
    header.writeBigUInt64LE(addresses.at + BigInt(n * addressLength), 0);
    header.writeUInt32LE(addressLength, 8);
    header.writeBigUInt64LE(vector.at, 16);
    header.writeBigUInt64LE(1n, 24);
    header.writeBigUInt64LE(controls.at + BigInt(n * controlLength), 32);
    header.writeBigUInt64LE(BigInt(controlLength), 40);
  }
  return [headers, addresses, controls, vector, payload];
}

function socketFrom(source: number): number {
  const libc = koffi.load("libc.so.6");
  const fd = Number(libc.func("int socket(int, int, int)")(10, 2, 0));
  const any = Buffer.alloc(addressLength);
  any.writeUInt16LE(10, 0);
  any.writeUInt16BE(source, 2);
  const bound = Number(libc.func("int bind(int, const void *, unsigned int)")(fd, any, addressLength));
  if (fd < 0 || bound !== 0) throw new Error(`No socket: ${koffi.errno()}`);
  return fd;
}

function send(flood: Flood): Flooded {
  const fd = socketFrom(flood.live ?? 40_000);
  const sendmmsg = koffi.load("libc.so.6").func("int sendmmsg(int, void *, unsigned int, int)");
  const blocks = messages(flood);
  const [headers] = blocks;
  if (headers === undefined) throw new Error("Nothing to send");
  const began = process.cpuUsage();
  let sent = 0;
  for (let at = 0; at < flood.packets; at += together) {
    const many = Math.min(together, flood.packets - at);
    sent += Math.max(0, Number(sendmmsg(fd, headers.bytes.subarray(headerLength * at), many, 0)));
  }
  const { user, system } = process.cpuUsage(began);
  if (blocks.some((each) => each.at !== koffi.address(each.bytes))) throw new Error("Memory moved");
  return { sent, nanoseconds: 1000 * (user + system) };
}

console.log(JSON.stringify(send(JSON.parse(readFileSync(0, "utf8")) as Flood)));
