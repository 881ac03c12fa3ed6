import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { PlaceName, Step } from "./table.ts";

/** Debian's own: python3-scapy is for this one, whatever other Python comes first in the PATH. */
export const python = "/usr/bin/python3";

export type Place = {
  readonly pid: number;
  readonly link: string;
  readonly mac: string;
  /** The gateway's MAC address on that cable. */
  readonly gateway: string;
};

export type BenchWish = {
  readonly places: Readonly<Record<PlaceName, Place>>;
  /** PID of the gateway, where the witness counts. */
  readonly gateway: number;
  /** What the words of the tables stand for. */
  readonly names: Readonly<Record<string, string>>;
  /** One packet for each way that always passes: what was sent before it is through when it is. */
  readonly fences: readonly { readonly from: PlaceName; readonly send: string }[];
};

/** A packet that came out of the gateway. */
export type Seen = {
  readonly at: PlaceName;
  /** `answer` at the place that sent, `arrival` anywhere else. */
  readonly kind: "answer" | "arrival";
  readonly from: string;
  readonly to: string;
  /** `TCP SA`, `ICMPv6 1/4`, `UDP`, `header 60 UDP`, `fragment 0+ UDP`. */
  readonly what: string;
  readonly hops: number;
  readonly bytes: number;
  /** What it carries, bytes that are no letters as dots. */
  readonly text: string;
};

/** What came of one step: packets seen on the cables, and the gateway's own count behind its filter. */
export type Outcome = { readonly seen: readonly Seen[]; readonly crossed: number; readonly accepted: number };

export type Question = {
  readonly number: number;
  readonly steps: readonly (Pick<Step, "from" | "send" | "with" | "mac" | "to" | "pause"> & {
    /** True where something has to come: it is waited for. */
    readonly awaited: boolean;
  })[];
};

export type Attacker = {
  /** Asks all at once, step by step. Gives the outcome of every step by the case's number. Rejects when a packet was lost on the way to us. */
  ask(questions: readonly Question[], pause?: number): Promise<ReadonlyMap<number, readonly Outcome[]>>;
  stop(): Promise<void>;
};

type Answer = { error?: string; ready?: boolean; lost?: number; results?: Record<string, Outcome[]> };

/** Starts packets.py. Rejects when it can't be had: no scapy, no root. */
export async function startAttacker(wish: BenchWish): Promise<Attacker> {
  const child = spawn(python, ["-B", join(import.meta.dirname, "packets.py")], { stdio: ["pipe", "pipe", "pipe"] });
  const lines = linesOf(child);
  const first = await lines.ask(wish);
  if (first.ready !== true) throw new Error("The attacker does not start");
  return {
    async ask(questions, pause = 0.001) {
      const { results = {}, lost } = await lines.ask({ cases: questions, pause });
      if (lost !== 0) throw new Error(`${lost} packets were lost between the gateway and the one who watches`);
      return new Map(Object.entries(results).map(([number, outcomes]) => [Number(number), outcomes]));
    },
    async stop() {
      child.stdin.end();
      await lines.ended;
    },
  };
}

type Lines = { ask(request: unknown): Promise<Answer>; readonly ended: Promise<void> };

/** One answer line to each request line. A process that ends early rejects what is asked of it, with its last words. */
function linesOf(child: ChildProcessByStdio<Writable, Readable, Readable>): Lines {
  const reader: Interface = createInterface({ input: child.stdout });
  const answers = reader[Symbol.asyncIterator]();
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk.toString("utf8")}`.slice(-2000);
  });
  child.stdin.on("error", () => undefined); // it is told by the end of its answers
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once("close", () => resolve());
  child.once("error", (cause) => {
    said = cause.message;
    resolve();
  });
  return {
    ended,
    async ask(request) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await answers.next();
      if (done === true) {
        await ended;
        throw new Error(`The attacker ended: ${said.trim()}`);
      }
      const answer = JSON.parse(value) as Answer;
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    },
  };
}
