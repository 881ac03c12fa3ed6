import { Failure } from "../base/failure.ts";
import type { Shell } from "../runtime/shell.ts";
import { sourceBeside } from "../runtime/source-beside.ts";

/** A question to ask with a packet: from an address that the vantage holds, to an address, by one transport. */
export type Question = {
  /** IPv6 or IPv4 text; both of one family. */
  readonly from: string;
  readonly to: string;
  readonly transport: "tcp" | "udp" | "ping";
  /** None for ping. */
  readonly port?: number;
};

/** nmap's words. `open|filtered`: UDP that nobody answered, which may mean either. */
export const states = ["open", "closed", "filtered", "open|filtered", "unreachable"] as const;
export type State = (typeof states)[number];
/** nmap's reasons: what came back, or that nothing did. */
export const reasons = [
  "syn-ack",
  "reset",
  "no-response",
  "udp-response",
  "port-unreach",
  "admin-prohibited",
  "no-route",
  "echo-reply",
  "not-sent",
] as const;
export type Reason = (typeof reasons)[number];

export type Answer = {
  readonly question: Question;
  readonly state: State;
  readonly reason: Reason;
  /** Milliseconds until the answer, or the time waited. */
  readonly ms: number;
  /** First bytes that the far side said, if it said something by itself (TCP) or in return (UDP). */
  readonly said: string;
};

/** Milliseconds that a probe waits; inside one machine an answer takes less than ten. */
export const patience = 1000;

const prober = sourceBeside(import.meta.url, "./prober");

/**
 * Asks all questions from one vantage, side by side, by one process in that place. Rejects when the prober itself
 * fails: an answer that could not be had is never "filtered".
 */
export async function ask(
  shell: Shell,
  questions: readonly Question[],
  wait: number = patience,
): Promise<readonly Answer[]> {
  if (questions.length === 0) return [];
  const ran = await shell.run([process.execPath, prober], {
    input: JSON.stringify({ questions, wait }),
    timeout: 20_000 + wait,
  });
  if (ran.code !== 0) {
    throw new Failure(
      "E720",
      shell.name,
      `The prober failed: ${ran.stderr.trim().slice(-300)}`,
      "look at `sixgate doctor`",
    );
  }
  const answers: unknown = JSON.parse(ran.stdout);
  if (!Array.isArray(answers) || answers.length !== questions.length) {
    throw new Failure(
      "E720",
      shell.name,
      "The prober gave another number of answers than questions",
      "try again with fewer at once",
    );
  }
  return answers as readonly Answer[];
}
