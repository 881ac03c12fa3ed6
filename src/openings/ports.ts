import { didYouMean } from "../base/nearest.ts";
import { quote } from "../base/quote.ts";
import { type Read, wrong } from "../base/wrong.ts";
import { parsePortRange } from "../net/port.ts";
import type { Transport } from "../net/transport.ts";
import type { Service } from "./opening.ts";
import { readProtocol } from "./protocol.ts";

/** What one word of a list of ports asks for. `published`: what the container publishes, looked up later. */
export type Ports =
  | { readonly kind: "services"; readonly services: readonly Service[] }
  | { readonly kind: "published" };

const names = ["ping", "published"];

/**
 * `item = "ping" / "published" / port ["-" port] ["/" proto]`. The protocol belongs to its own port, as with Docker's
 * -p and in the fleet file: `80,443/udp` is 80/tcp and 443/udp. `proto` is what holds where none is said: tcp, unless a
 * label of its own says otherwise, and then a port must not say it again. E905 for anything else.
 */
export function readPorts(word: string, proto?: readonly Transport[]): Read<Ports> {
  if (word === "ping") return { value: { kind: "services", services: [{ kind: "ping" }] } };
  if (word === "published") return { value: { kind: "published" } };
  const slash = word.indexOf("/");
  const transports = slash < 0 ? { value: proto ?? ["tcp" as const] } : readProtocol(word.slice(slash + 1));
  const range = slash < 0 ? word : word.slice(0, slash);
  if (names.includes(range))
    return wrong("E905", `${range} has no protocol, found ${quote(word)}`, `write ${range} alone`);
  const ports = parsePortRange(range);
  if (ports === undefined) return notPorts(range);
  if (!("value" in transports)) return transports;
  if (slash >= 0 && proto !== undefined)
    return wrong("E905", `Protocol given twice: ${quote(word)}`, `write ${range} here, or leave the proto label out`);
  const services = transports.value.map((transport): Service => ({ kind: "ports", transport, ports }));
  return { value: { kind: "services", services } };
}

function notPorts(range: string): Read<Ports> {
  const text = `Not a port, a range, ping or published: ${quote(range)}${didYouMean(range, names)}`;
  if (/^[0-9.]*:?[0-9]+:[0-9]+$/.test(range)) {
    const own = range.slice(range.lastIndexOf(":") + 1);
    return wrong("E905", text, `write ${own}, the container's own port: nothing is mapped here`);
  }
  const ends = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(range);
  if (ends !== null && Number(ends[1]) > Number(ends[2]))
    return wrong("E905", text, `write the lower port first: ${ends[2]}-${ends[1]}`);
  return wrong("E905", text, "write 1 to 65535 in plain digits, as 80, 443/udp, 8000-8099, ping or published");
}
