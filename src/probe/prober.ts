// Runs at the vantage, as a process of its own: reads questions from standard input, writes answers to standard output.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Answer, Question, Reason, State } from "./probe.ts";

/** `at`: when it was known, where that is before the outcome is told (performance.now). */
type Outcome = { readonly state: State; readonly reason: Reason; readonly said?: string; readonly at?: number };

/** The kernel chooses. */
const anyAddress = "::";

/** After a TCP connection stands, so long is waited for a first word. */
const wordWait = 150;

function outcomeOf(error: NodeJS.ErrnoException): Outcome {
  switch (error.code ?? "") {
    case "ECONNREFUSED":
      return { state: "closed", reason: "reset" };
    case "ETIMEDOUT":
      return { state: "filtered", reason: "no-response" };
    case "EACCES":
      return { state: "filtered", reason: "admin-prohibited" };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { state: "unreachable", reason: "no-route" };
    default:
      return { state: "unreachable", reason: "not-sent", said: error.message };
  }
}

function askTcp(question: Question, wait: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: question.to, port: question.port ?? 0, localAddress: question.from });
    let said = "";
    let connected = false;
    let at = 0;
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end({ state: "filtered", reason: "no-response" }), wait);
    const open = (): void => end({ state: "open", reason: "syn-ack", said, at });
    socket.on("connect", () => {
      connected = true;
      at = performance.now();
      clearTimeout(timer);
      setTimeout(open, wordWait);
    });
    socket.on("data", (chunk) => {
      said = chunk.toString("utf8").slice(0, 200);
      open();
    });
    socket.on("end", open);
    socket.on("error", (error) => (connected ? open() : end(outcomeOf(error))));
  });
}

function askUdp(question: Question, wait: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(question.to.includes(":") ? "udp6" : "udp4");
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(() => end({ state: "open|filtered", reason: "no-response" }), wait);
    socket.on("message", (message) =>
      end({ state: "open", reason: "udp-response", said: message.toString("utf8").slice(0, 200) }),
    );
    socket.on("error", (error: NodeJS.ErrnoException) =>
      end(error.code === "ECONNREFUSED" ? { state: "closed", reason: "port-unreach" } : outcomeOf(error)),
    );
    socket.bind(0, question.from, () => {
      // Connected, so that the kernel hands ICMPv6 errors to this socket.
      socket.connect(question.port ?? 0, question.to, () => socket.send("sixgate"));
    });
  });
}

function askPing(question: Question, wait: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const seconds = String(Math.max(1, Math.ceil(wait / 1000)));
    const child = spawn(
      "ping",
      [
        question.to.includes(":") ? "-6" : "-4",
        "-n",
        "-c1",
        `-W${seconds}`,
        ...(question.from === anyAddress ? [] : ["-I", question.from]),
        question.to,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
    child.on("error", (error) => resolve({ state: "unreachable", reason: "not-sent", said: error.message }));
    child.on("close", (code) => {
      if (code === 0) resolve({ state: "open", reason: "echo-reply" });
      else if (/prohibited/.test(printed)) resolve({ state: "filtered", reason: "admin-prohibited", said: printed });
      else if (/unreachable|No route/i.test(printed))
        resolve({ state: "unreachable", reason: "no-route", said: printed });
      else resolve({ state: "filtered", reason: code === 1 ? "no-response" : "not-sent", said: printed.slice(0, 200) });
    });
  });
}

async function answer(question: Question, wait: number): Promise<Answer> {
  const began = performance.now();
  const asked = { tcp: askTcp, udp: askUdp, ping: askPing }[question.transport];
  const outcome = await asked(question, wait);
  return {
    question,
    state: outcome.state,
    reason: outcome.reason,
    said: outcome.said ?? "",
    ms: Math.round(((outcome.at ?? performance.now()) - began) * 10) / 10,
  };
}

const { questions, wait } = JSON.parse(await text(process.stdin)) as { questions: readonly Question[]; wait: number };
process.stdout.write(JSON.stringify(await Promise.all(questions.map((question) => answer(question, wait)))));
