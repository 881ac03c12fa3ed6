import { z } from "zod";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { isName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Store } from "../store/store.ts";

const moment = z.number().transform((value): Instant => instant(value));
const host = z.custom<HostName>((value) => typeof value === "string" && isName(value));
const serial = z.string().regex(/^[0-9a-f]{32}$/);

/** An invitation. `hash`: SHA-256 of its secret, hex. It stays for a while after it was used, to tell a second use. */
export const tokenRecord = z.strictObject({
  host,
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  ends: moment,
  used: moment.exactOptional(),
});
export type TokenRecord = z.output<typeof tokenRecord>;

/**
 * Which certificate of a host counts. `generation` grows with each new key that came into use. `next` was issued, but
 * its reply may have been lost: it takes over when it is first used, and from then on `serial` is an old generation.
 */
export const agentRecord = z.strictObject({
  host,
  generation: z.int().min(1),
  serial,
  ends: moment,
  next: z.strictObject({ serial, ends: moment }).exactOptional(),
  enrolled: moment,
  revoked: z.strictObject({ at: moment, reason: z.string() }).exactOptional(),
});
export type AgentRecord = z.output<typeof agentRecord>;

/** A value of the store with the revision that it was read at; 0 where it isn't there. */
export type Stored<T> = { readonly key: string; readonly value: T | undefined; readonly revision: number };

const tokens = "trust/token/";
const agents = "trust/agent/";
/** What the keys of all agents' records begin with. */
export const agentPrefix: string = agents;

export function tokenKey(id: string): string {
  return `${tokens}${id}`;
}

export function agentKey(name: HostName): string {
  return `${agents}${name}`;
}

function parse<T>(key: string, schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const text = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new Failure("E931", key, text, "the store was changed by something else; restore it from a backup", {
      cause,
    });
  }
}

async function read<T>(store: Store, key: string, schema: z.ZodType<T>): Promise<Stored<T>> {
  const entry = await store.get(key);
  if (entry === undefined) return { key, value: undefined, revision: 0 };
  return { key, value: parse(key, schema, entry.value), revision: entry.revision };
}

async function readAll<T>(store: Store, prefix: string, schema: z.ZodType<T>): Promise<readonly Required<Stored<T>>[]> {
  const entries = await store.list(prefix);
  return entries.map(({ key, value, revision }) => ({ key, value: parse(key, schema, value), revision }));
}

export function readToken(store: Store, id: string): Promise<Stored<TokenRecord>> {
  return read(store, tokenKey(id), tokenRecord);
}

export function readTokens(store: Store): Promise<readonly Stored<TokenRecord>[]> {
  return readAll(store, tokens, tokenRecord);
}

export function readAgent(store: Store, name: HostName): Promise<Stored<AgentRecord>> {
  return read(store, agentKey(name), agentRecord);
}

export async function readAgents(store: Store): Promise<readonly AgentRecord[]> {
  return (await readAll(store, agents, agentRecord)).map((each) => each.value).filter((each) => each !== undefined);
}
