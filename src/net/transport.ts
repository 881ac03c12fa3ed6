/** The transports that have ports and can be opened. */
export type Transport = "tcp" | "udp" | "sctp";

/** All of them, in the order in which they are listed everywhere. */
export const transports: readonly Transport[] = ["tcp", "udp", "sctp"];

export function isTransport(text: string): text is Transport {
  return transports.some((each) => each === text);
}

const numbers: Readonly<Record<Transport | "icmpv6", number>> = { tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };

/** The value of an IPv6 Next Header field (RFC 8200 §3, IANA protocol numbers). */
export function protocolNumber(protocol: Transport | "icmpv6"): number {
  return numbers[protocol];
}
