import type { Address } from "./address.ts";
import type { Transport } from "./transport.ts";

/**
 * What a packet is judged by. `port` is the destination's (absent: any, or none with icmpv6), `fromPort` the
 * source's, both 1-65535; `type` is the ICMPv6 message type, 0-255 (RFC 4443 §2.1). Not checked: that an icmpv6
 * flow has no ports, that a transport has no type.
 */
export type Flow = {
  readonly from: Address;
  readonly to: Address;
  readonly transport: Transport | "icmpv6";
  readonly port?: number;
  readonly fromPort?: number;
  readonly type?: number;
};

/** `tcp 2001:db8::1 to [2001:db8::2]:443`: brackets where there is a port (RFC 5952 §6). */
export function formatFlow(flow: Flow): string {
  const type = flow.type === undefined ? "" : ` type ${flow.type}`;
  return `${flow.transport}${type} ${formatEndpoint(flow.from, flow.fromPort)} to ${formatEndpoint(flow.to, flow.port)}`;
}

/** `[2001:db8::2]:443` (RFC 5952 §6), the bare address where there is no port. */
export function formatEndpoint(a: Address, port?: number): string {
  return port === undefined ? a : `[${a}]:${port}`;
}
