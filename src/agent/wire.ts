import type { HostName } from "../base/name.ts";
import { isName } from "../base/name.ts";

/** Where a controller listens for agents unless it is told otherwise. */
export const inboxPort = 6464;

/**
 * The two things that are spoken on that port, told apart by ALPN (RFC 7301): reports, with a client certificate, and
 * enrolment, with a join token. Another version of either gets another name.
 */
export const agentProtocol = "sixgate-agent/1";
export const enrolProtocol = "sixgate-enrol/1";

/** Bytes of one line, its end included. A longer one is malformed; nothing of it is kept. */
export const lineCap = 65_536;

/** Who the other end of a connection is, as the only subject alternative name of its certificate (a URI). */
export const controllerName = "spiffe://sixgate/controller";
const hostPrefix = "spiffe://sixgate/host/";

export function hostUri(host: HostName): string {
  return `${hostPrefix}${host}`;
}

/** The host of a certificate, from its subject alternative names as Node writes them; undefined unless it is exactly one host's. */
export function hostOfNames(names: string | undefined): HostName | undefined {
  const head = `URI:${hostPrefix}`;
  if (names === undefined || !names.startsWith(head)) return undefined;
  const name = names.slice(head.length);
  return isName(name) ? (name as HostName) : undefined;
}

/** Whether a certificate is the controller's, from its subject alternative names as Node writes them. */
export function isController(names: string | undefined): boolean {
  return names !== undefined && names.split(", ").includes(`URI:${controllerName}`);
}

/** Keying material of the connection itself (RFC 9266): what is signed over it is worth nothing on another connection. */
export const binding = { label: "EXPORTER-Channel-Binding", length: 32 } as const;

/** What the owner of a new key signs, to show that it has it: only on this connection, only for this purpose. */
export function proofText(purpose: "enrol" | "renew", exported: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`sixgate ${purpose}\0`), exported]);
}
