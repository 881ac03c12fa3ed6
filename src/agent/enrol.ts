import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import { connectController, fingerprintOf, showController, shownAuthority } from "./connect.ts";
import { type EnrolledFrame, frameLine, readEnrolledFrame } from "./frames.ts";
import { type ControllerAt, freshKey, writeIdentity } from "./identity.ts";
import type { JoinTokenParts } from "./join-token.ts";
import { LineSplitter } from "./line-splitter.ts";
import { binding, enrolProtocol, hostOfNames, lineCap } from "./wire.ts";

export type Enrolled = { readonly host: HostName; readonly ends: Instant };

/**
 * Makes this machine a host of the fleet: makes a key, gets a certificate for it with the token, and writes both with
 * the authority's and the controller's address to the folder. Rejects with E922 where the one that answers is not the
 * controller the token is of; it has not seen the token then.
 */
export async function enrolAgent(
  controller: ControllerAt,
  token: JoinTokenParts,
  folder: string,
  signal?: AbortSignal,
): Promise<Enrolled> {
  const authority = await findAuthority(controller, token, signal);
  const socket = await connectController({ controller, protocol: enrolProtocol, trust: { authority } }, signal);
  try {
    const fresh = freshKey();
    const exported = socket.exportKeyingMaterial(binding.length, binding.label, Buffer.alloc(0));
    const proof = fresh.prove("enrol", exported);
    socket.write(frameLine({ t: "enrol", id: token.id, secret: token.secret, key: fresh.open, proof }));
    const answer = await answerOf(socket, controller, signal);
    if (answer.t === "bye") throw refusal(controller, answer);
    const own = new X509Certificate(answer.certificate);
    if (hostOfNames(own.subjectAltName) !== answer.host || !own.verify(new X509Certificate(authority).publicKey))
      throw new Failure(
        "E922",
        showController(controller),
        "It gave a certificate that is not ours",
        "look at the controller's log",
      );
    await writeIdentity(folder, { key: fresh.key, certificate: answer.certificate, authority, controller });
    return { host: answer.host, ends: instant(answer.ends) };
  } finally {
    socket.destroy();
  }
}

/** Asks for the authority's certificate and says nothing: it is believed only when the token's fingerprint is its own. */
async function findAuthority(controller: ControllerAt, token: JoinTokenParts, signal?: AbortSignal): Promise<string> {
  const socket = await connectController({ controller, protocol: enrolProtocol, trust: "nobody" }, signal);
  try {
    const der = shownAuthority(socket);
    if (der !== undefined && fingerprintOf(der) === token.fingerprint) return new X509Certificate(der).toString();
    throw new Failure(
      "E922",
      showController(controller),
      "The one that answers there is not the controller that the token is of",
      "check the address; if it is right, somebody stands between: the token was not sent",
    );
  } finally {
    socket.destroy();
  }
}

async function answerOf(socket: TLSSocket, controller: ControllerAt, signal?: AbortSignal): Promise<EnrolledFrame> {
  const splitter = new LineSplitter(lineCap);
  const late = AbortSignal.timeout(15_000);
  const ends = signal === undefined ? late : AbortSignal.any([signal, late]);
  const stop = (): void => void socket.destroy(new Error("No answer"));
  ends.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const line of splitter.push(chunk)) if (line.kind === "line") return readEnrolledFrame(line.text);
    }
    throw new Error("The connection was closed");
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      "E926",
      showController(controller),
      `No answer to the enrolment: ${text}`,
      "look at the controller's log; the token may be used up: make another",
      { cause },
    );
  } finally {
    ends.removeEventListener("abort", stop);
  }
}

function refusal(controller: ControllerAt, bye: Extract<EnrolledFrame, { t: "bye" }>): Failure {
  return new Failure(
    "E921",
    showController(controller),
    bye.text,
    "make another: `sixgate invite HOST` on the controller; a token holds for one hour and one use",
  );
}
