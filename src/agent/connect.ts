import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { Failure } from "../base/failure.ts";
import type { ControllerAt } from "./identity.ts";
import { isController } from "./wire.ts";

const deadline = 10_000;

/** Who is believed: the authority's certificate, or only its fingerprint, as long as nothing is said. */
export type Trust = { readonly authority: string } | "nobody";

export type ConnectOptions = {
  readonly controller: ControllerAt;
  readonly protocol: string;
  readonly trust: Trust;
  /** The client's own, PEM. */
  readonly pair?: { readonly key: string; readonly certificate: string };
};

export function showController(at: ControllerAt): string {
  return at.host.includes(":") ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

/**
 * A TLS 1.3 connection to the controller; it is known by the authority and by its own name in the certificate, not by
 * the address, which may change. Rejects with E922 where it is somebody else, with E926 where nobody answers.
 */
export async function connectController(options: ConnectOptions, signal?: AbortSignal): Promise<TLSSocket> {
  signal?.throwIfAborted();
  const { controller, trust, pair } = options;
  const believed: ConnectionOptions =
    trust === "nobody"
      ? { rejectUnauthorized: false }
      : {
          ca: trust.authority,
          rejectUnauthorized: true,
          checkServerIdentity: (_, certificate) => notController(certificate),
        };
  const socket = connect({
    host: controller.host,
    port: controller.port,
    // SNI takes no addresses.
    ...(isIP(controller.host) === 0 ? { servername: controller.host } : { servername: "" }),
    ALPNProtocols: [options.protocol],
    minVersion: "TLSv1.3",
    ...(pair === undefined ? {} : { key: pair.key, cert: pair.certificate }),
    ...believed,
  });
  socket.setNoDelay(true);
  return established(socket, options, signal);
}

function notController(certificate: PeerCertificate): Error | undefined {
  if (isController(certificate.subjectaltname)) return undefined;
  return Object.assign(new Error("The certificate is not a controller's"), { code: "NOT_THE_CONTROLLER" });
}

function established(socket: TLSSocket, options: ConnectOptions, signal?: AbortSignal): Promise<TLSSocket> {
  const at = showController(options.controller);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      socket.off("error", fail);
      socket.off("close", close);
    };
    const fail = (cause: Error): void => {
      settle();
      // Nobody listens any more to what it may still say.
      socket.on("error", () => undefined);
      socket.destroy();
      reject(failureOf(at, cause));
    };
    const close = (): void => fail(new Error("The connection was closed"));
    const abort = (): void => fail(new Error("Interrupted"));
    const timer = setTimeout(() => fail(new Error(`No answer within ${deadline / 1000} s`)), deadline);
    signal?.addEventListener("abort", abort, { once: true });
    socket.once("error", fail);
    socket.once("close", close);
    socket.once("secureConnect", () => {
      if (socket.alpnProtocol !== options.protocol) return fail(new Error(`It does not speak ${options.protocol}`));
      settle();
      resolve(socket);
    });
  });
}

const untrusted: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "Its certificate has ended, by this machine's clock",
  CERT_NOT_YET_VALID: "Its certificate is not valid yet, by this machine's clock",
  NOT_THE_CONTROLLER: "Its certificate is not a controller's",
  INVALID_PURPOSE: "Its certificate is not a controller's",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "Its certificate is of another authority",
  SELF_SIGNED_CERT_IN_CHAIN: "Its certificate is of another authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "Its certificate is of another authority",
  UNABLE_TO_GET_ISSUER_CERT: "Its certificate is of another authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "Its certificate is of another authority",
  CERT_SIGNATURE_FAILURE: "Its certificate is of another authority",
};

function failureOf(at: string, cause: Error): Failure {
  const code = "code" in cause ? String(cause.code) : "";
  const text = untrusted[code];
  if (text === undefined)
    return new Failure(
      "E926",
      at,
      `Controller not reached: ${cause.message}`,
      "is it running, and the address right?",
      { cause },
    );
  const fix =
    code.startsWith("CERT_HAS") || code.startsWith("CERT_NOT")
      ? `is the clock right here (${new Date().toISOString()}) and on the controller?`
      : "somebody else answers there, or the controller's authority was made anew: then enrol again";
  return new Failure("E922", at, text, fix, { cause });
}

/** The authority that the other end shows with its certificate, in DER; undefined where it shows none. */
export function shownAuthority(socket: TLSSocket): Buffer | undefined {
  const chain = socket.getPeerCertificate(true);
  const issuer: PeerCertificate | undefined = chain.issuerCertificate;
  return issuer?.raw;
}

/** SHA-256 in base64url: what a join token carries of the authority. */
export function fingerprintOf(der: Buffer): string {
  return createHash("sha256").update(der).digest("base64url");
}
