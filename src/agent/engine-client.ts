import { Agent, type IncomingMessage, request } from "node:http";
import { z } from "zod";
import { Failure } from "../base/failure.ts";
import { printable } from "../base/printable.ts";
import type { EngineFacts } from "./board.ts";
import { eventAnswer, eventFilters, imageAnswer, listAnswer, networkAnswer, versionAnswer } from "./engine-answers.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { ContainerSight, EngineEvent, NetworkSight } from "./sight.ts";

/** The API that is spoken: the engine's own, up to the newest that was read for this. */
const oldestApi = 40;
const newestApi = 52;

const answerWithin = 15_000;
/** Bytes of one answer. A list of 4,000 containers with many labels has a sixth of it. */
const largest = 64 * 1_048_576;
/** Bytes of one event. All labels of a container are in each of its events, so they can be long; nobody needs those. */
const longestEvent = 1_048_576;

/** What an agent asks an engine: five GETs, nothing that changes anything, nothing that shows an environment. */
export type EngineClient = {
  /** Settles the version of the API. Rejects with E929 where the engine is too old or too new. */
  greet(signal: AbortSignal): Promise<EngineFacts>;
  /** Those that run or are paused; or the ones with these ids, whatever their state. Rejects unless answered in full. */
  containers(ids: readonly string[] | "running", signal: AbortSignal): Promise<readonly ContainerSight[]>;
  /** Undefined where there is none. */
  network(id: string, signal: AbortSignal): Promise<NetworkSight | undefined>;
  /** The labels of an image that begin with `sixgate.`; undefined where it isn't there. */
  imageLabels(id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  /**
   * Calls `hear` with each event, at once, until the stream ends; then resolves. `since`: milliseconds since 1970;
   * what came after that and is still remembered is told first. `hear` with undefined: something came that was not
   * understood, so nobody knows what happened. `opened`: from here on nothing is missed.
   */
  events(
    since: number | undefined,
    hear: (event: EngineEvent | undefined) => void,
    opened: () => void,
    signal: AbortSignal,
  ): Promise<void>;
  end(): void;
};

/** Over the engine's unix socket. */
export function engineClient(socketPath: string): EngineClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  let api = "";

  function open(path: string, signal: AbortSignal, timeout?: number): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath, path, agent, signal, ...(timeout === undefined ? {} : { timeout }) });
      asked.once("response", resolve);
      asked.once("error", (cause) => reject(notReached(socketPath, cause)));
      asked.once("timeout", () => asked.destroy(new Error(`No answer within ${answerWithin / 1000} s`)));
      asked.end();
    });
  }
  async function ask<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined> {
    const response = await open(`${api}${path}`, signal, answerWithin);
    const text = await textOf(response, socketPath);
    if (response.statusCode === 404) return undefined;
    if (response.statusCode !== 200) throw refused(socketPath, path, response.statusCode, text);
    return parse(socketPath, path, schema, text);
  }
  return {
    async greet(signal) {
      api = "";
      const version = await there(socketPath, "/version", ask("/version", versionAnswer, signal));
      const minor = Math.min(newestApi, Number(version.ApiVersion.slice(2)));
      if (minor < oldestApi) throw tooOld(socketPath, version.ApiVersion);
      api = `/v1.${minor}`;
      return { engine: version.Version.slice(0, 64), api: `1.${minor}` };
    },
    containers: (ids, signal) => {
      const filters = ids === "running" ? { status: ["running", "paused"] } : { id: ids };
      const path = `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
      return there(socketPath, path, ask(path, listAnswer, signal));
    },
    network: (id, signal) => ask(`/networks/${encodeURIComponent(id)}`, networkAnswer, signal),
    imageLabels: (id, signal) => ask(`/images/${encodeURIComponent(id)}/json`, imageAnswer, signal),
    async events(since, hear, opened, signal) {
      const from = since === undefined ? "" : `&since=${(Math.max(0, since) / 1000).toFixed(9)}`;
      const path = `/events?filters=${encodeURIComponent(eventFilters)}${from}`;
      const response = await open(`${api}${path}`, signal);
      if (response.statusCode !== 200)
        throw refused(socketPath, path, response.statusCode, await textOf(response, socketPath));
      opened();
      await hearAll(response, hear);
    },
    end: () => agent.destroy(),
  };
}

async function hearAll(response: IncomingMessage, hear: (event: EngineEvent | undefined) => void): Promise<void> {
  const splitter = new LineSplitter(longestEvent);
  await new Promise<void>((resolve, reject) => {
    response.on("data", (chunk: Buffer) => {
      for (const line of splitter.push(chunk)) {
        const event = line.kind === "line" ? readEvent(line.text) : "not understood";
        if (event === "not understood") hear(undefined);
        else if (event !== undefined) hear(event);
      }
    });
    response.once("end", resolve);
    response.once("error", reject);
    response.once("close", resolve);
  });
}

function readEvent(text: string): EngineEvent | undefined | "not understood" {
  try {
    const parsed = eventAnswer.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : "not understood";
  } catch {
    return "not understood";
  }
}

async function textOf(response: IncomingMessage, at: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > largest) throw new Error(`More than ${largest} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw notReached(at, cause);
  }
  return Buffer.concat(chunks, size).toString("utf8");
}

function parse<T>(at: string, path: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notUnderstood(at, path, "not JSON", cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw notUnderstood(at, path, z.prettifyError(parsed.error).slice(0, 300), parsed.error);
}

async function there<T>(at: string, path: string, answer: Promise<T | undefined>): Promise<T> {
  const value = await answer;
  if (value === undefined) throw refused(at, path, 404, "");
  return value;
}

/** What is asked, without its query: that can be long. */
function shown(path: string): string {
  return path.split("?")[0] ?? path;
}

function notReached(at: string, cause: unknown): Failure {
  const text = cause instanceof Error ? cause.message : String(cause);
  const fix = "does the engine run, and may this user use its socket? The group `docker` may";
  return new Failure("E930", at, `Docker does not answer: ${printable(text)}`, fix, { cause });
}

function refused(at: string, path: string, status: number | undefined, text: string): Failure {
  const said = text.slice(0, 200).trim();
  const fix = "look at the engine's log; behind a proxy, let this path through";
  return new Failure("E930", at, `GET ${shown(path)} was answered with ${status ?? 0}: ${printable(said)}`, fix);
}

function notUnderstood(at: string, path: string, text: string, cause: unknown): Failure {
  const fix = "is this a Docker engine between 20.10 and 29?";
  return new Failure("E929", at, `GET ${shown(path)}: ${printable(text)}`, fix, { cause });
}

function tooOld(at: string, api: string): Failure {
  return new Failure(
    "E929",
    at,
    `The engine speaks API ${api}`,
    `Docker 20.10 or later is needed (API 1.${oldestApi})`,
  );
}
