import type { TLSSocket } from "node:tls";
import { type EnrolledFrame, frameLine, Malformed, readEnrolFrame } from "../agent/frames.ts";
import { LineSplitter } from "../agent/line-splitter.ts";
import { binding, lineCap } from "../agent/wire.ts";
import { printable } from "../base/printable.ts";
import type { Room } from "./room.ts";

/**
 * One enrolment: one line in, one line out. The deadline of strangers holds until the end, so nobody can wait here.
 */
export function serveEnrolment(room: Room, socket: TLSSocket): void {
  const from = printable(socket.remoteAddress ?? "somewhere");
  const exported = socket.exportKeyingMaterial(binding.length, binding.label, Buffer.alloc(0));
  const splitter = new LineSplitter(lineCap);
  let asked = false;

  const answer = (frame: EnrolledFrame): void => void socket.end(frameLine(frame));
  const refuse = (text: string, reason: "token" | "malformed" | "failed"): void => {
    room.log("warn", `Enrolment from ${from} refused: ${text}`);
    answer({ t: "bye", reason, text, at: room.clock() });
  };

  async function redeem(text: string): Promise<void> {
    const { id, secret, key, proof } = readEnrolFrame(text);
    const granted = await room.enrolment.redeem(id, secret, { key, proof, exported });
    if (granted.kind === "refused") {
      if (granted.host !== undefined) room.sink.alarm(granted.host, "token", `${granted.text}; now from ${from}`);
      return refuse(granted.text, granted.reason === "malformed" ? "malformed" : "token");
    }
    room.log("info", `${granted.host} enrolled from ${from}`);
    const { certificate, ends } = granted.issued;
    answer({ t: "enrolled", host: granted.host, certificate, ends });
  }

  socket.on("data", (chunk: Buffer) => {
    for (const line of splitter.push(chunk)) {
      if (asked) return;
      asked = true;
      if (line.kind === "too-long") return refuse("Line too long", "malformed");
      redeem(line.text).catch((error: unknown) => {
        if (error instanceof Malformed) refuse("Not an enrolment", "malformed");
        else {
          room.log("warn", `Enrolment failed: ${printable(error instanceof Error ? error.message : String(error))}`);
          refuse("The controller can't do it now; its log says why", "failed");
        }
      });
    }
  });
}
