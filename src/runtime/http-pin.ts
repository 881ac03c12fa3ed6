import { Agent, type AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { Failure } from "../base/failure.ts";

/**
 * Connections to a device whose certificate is known by its fingerprint, whoever signed it and whatever names it has.
 * The certificate is compared after the handshake, which proves that the device holds its key, and before the
 * connection is handed out: no byte of a request leaves before that.
 */
export function pinnedAgent(options: AgentOptions, sha256: string, at: string): Agent {
  const agent = new Agent(options);
  agent.createConnection = (
    to: ConnectionOptions,
    created?: (error: Error | null, stream: Duplex) => void,
  ): undefined => {
    // The pin takes the place of the authorities: nothing is trusted that does not have exactly this certificate.
    const socket = connect({ ...to, rejectUnauthorized: false });
    let told = false;
    const tell = (error: Error | null): void => {
      if (told) return;
      told = true;
      if (error !== null) socket.destroy();
      created?.(error, socket);
    };
    socket.once("error", tell);
    socket.once("secureConnect", () => tell(differs(socket, sha256, at)));
    return undefined;
  };
  return agent;
}

function differs(socket: TLSSocket, sha256: string, at: string): Failure | null {
  const shown = socket.getPeerCertificate().fingerprint256?.replaceAll(":", "") ?? "none";
  if (shown === sha256) return null;
  return new Failure(
    "E551",
    at,
    `The device shows a certificate with the fingerprint ${shown}, expected was ${sha256}`,
    "if you renewed it, write the new one into api.tls.fingerprint; else somebody stands in between",
  );
}
