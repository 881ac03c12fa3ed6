import { createHash, randomBytes, timingSafeEqual, verify } from "node:crypto";
import type { ByeReason } from "../agent/frames.ts";
import { formatJoinToken } from "../agent/join-token.ts";
import { proofText } from "../agent/wire.ts";
import { Failure } from "../base/failure.ts";
import type { HostName } from "../base/name.ts";
import { type Instant, instant } from "../base/time.ts";
import type { Store, Write } from "../store/store.ts";
import { type Authority, type Issued, publicKeyOf } from "./authority.ts";
import type { JoinToken } from "./controller.ts";
import {
  type AgentRecord,
  agentKey,
  readAgent,
  readAgents,
  readToken,
  readTokens,
  type TokenRecord,
  tokenKey,
} from "./trust-records.ts";

const hour = 3_600_000;
/** A token lives no longer, whatever is asked. */
const longestToken = hour;
/** How long a token is remembered after its end, so that a second use is known for what it is. */
const remembered = 30 * 24 * hour;
const standardLifetime = 24 * hour;

/** Someone shows a key and wants a certificate for it. `proof` is the key's signature over the connection. */
export type Claim = { readonly key: string; readonly proof: string; readonly exported: Buffer };

/** A certificate, or why there is none. */
export type Granted =
  | { readonly kind: "granted"; readonly host: HostName; readonly issued: Issued }
  | { readonly kind: "refused"; readonly reason: ByeReason; readonly text: string; readonly host?: HostName };

export type Admission =
  | { readonly kind: "admitted"; readonly record: AgentRecord; readonly ends: Instant }
  | { readonly kind: "refused"; readonly reason: ByeReason; readonly text: string };

export type EnrolmentOptions = {
  readonly authority: Authority;
  readonly store: Store;
  readonly clock: () => Instant;
  /** Milliseconds that an agent's certificate lasts; 24 h by default. Half of it after its issue the agent renews. */
  readonly lifetime?: number;
};

/** Told when a host's certificate doesn't count any more, so that its live connection ends with it. */
export type EndListener = (host: HostName, reason: "revoked" | "replaced", text: string) => void;

/**
 * Who may speak for a host: invitations, certificates, renewal, revocation. All of it is in the store, so a controller
 * that starts again knows it; every change is a compare-and-set, so a token can't be used twice at the same moment.
 */
export class Enrolment {
  readonly #authority: Authority;
  readonly #store: Store;
  readonly #clock: () => Instant;
  readonly #lifetime: number;
  readonly #listeners = new Set<EndListener>();

  constructor(options: EnrolmentOptions) {
    this.#authority = options.authority;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#lifetime = options.lifetime ?? standardLifetime;
  }

  onEnd(listener: EndListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  agents(): Promise<readonly AgentRecord[]> {
    return readAgents(this.#store);
  }

  /** A token for one enrolment of that host, shown once: only its hash is kept. An older one of the host is worth nothing any more. */
  async invite(host: HostName, lasts: number = longestToken): Promise<JoinToken> {
    const now = this.#clock();
    const ends = instant(now + Math.min(lasts, longestToken));
    const id = randomBytes(8).toString("base64url");
    const secret = randomBytes(32).toString("base64url");
    const record: TokenRecord = { host, hash: hashOf(secret), ends };
    await this.#store.commit([
      ...(await this.#outdated(host, now)),
      { key: tokenKey(id), value: JSON.stringify(record), expected: 0 },
    ]);
    return { host, ends, token: formatJoinToken({ id, secret, fingerprint: this.#authority.fingerprint }) };
  }

  /** Removals of the host's unused tokens, and of all that ended long ago. */
  async #outdated(host: HostName, now: Instant): Promise<readonly Write[]> {
    return (await readTokens(this.#store))
      .filter(({ value }) => value !== undefined)
      .filter(
        ({ value }) => (value?.host === host && value.used === undefined) || Number(value?.ends) + remembered < now,
      )
      .map(({ key }) => ({ key, value: undefined, expected: "any" as const }));
  }

  /** Uses a token up and gives its host's certificate for the key. */
  async redeem(id: string, secret: string, claim: Claim): Promise<Granted> {
    const token = await readToken(this.#store, id);
    const known = token.value;
    if (known === undefined || !timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(known.hash)))
      return { kind: "refused", reason: "token", text: "No such token" };
    const { host } = known;
    const now = this.#clock();
    if (known.used !== undefined) return { kind: "refused", reason: "token", text: "The token was used before", host };
    if (known.ends <= now) return { kind: "refused", reason: "token", text: "The token has ended" };
    const key = provenKey("enrol", claim);
    if (key === undefined) return { kind: "refused", reason: "malformed", text: "The key's proof is wrong" };
    const issued = await this.#authority.issueForHost(host, key, this.#lifetime);
    const before = await readAgent(this.#store, host);
    const record: AgentRecord = {
      host,
      generation: (before.value?.generation ?? 0) + 1,
      serial: issued.serial,
      ends: issued.ends,
      enrolled: now,
    };
    const done = await this.#commit([
      { key: token.key, value: JSON.stringify({ ...known, used: now }), expected: token.revision },
      { key: before.key, value: JSON.stringify(record), expected: before.revision },
    ]);
    if (!done) return { kind: "refused", reason: "token", text: "The token was used at the same moment", host };
    this.#tell(host, "replaced", "The host was enrolled anew");
    return { kind: "granted", host, issued };
  }

  /** Whether a certificate that the authority signed counts now. A newer one that is used first ends the older. */
  async admit(host: HostName, serial: string): Promise<Admission> {
    const now = this.#clock();
    const stored = await readAgent(this.#store, host);
    const record = stored.value;
    if (record === undefined) return { kind: "refused", reason: "unknown", text: `"${host}" is not enrolled` };
    if (record.revoked !== undefined) return { kind: "refused", reason: "revoked", text: record.revoked.reason };
    const { next, ...rest } = record;
    if (serial === next?.serial) {
      const taken: AgentRecord = { ...rest, generation: rest.generation + 1, serial, ends: next.ends };
      const write = { key: stored.key, value: JSON.stringify(taken), expected: stored.revision };
      return (await this.#commit([write])) ? inTime(taken, now) : this.admit(host, serial);
    }
    if (serial !== record.serial) {
      return { kind: "refused", reason: "clone", text: "A certificate of an older generation: a newer one is in use" };
    }
    return inTime(record, now);
  }

  /** A certificate for a host's next key. The one in use stays good until the new one is used. */
  async renew(host: HostName, serial: string, claim: Claim): Promise<Granted> {
    const key = provenKey("renew", claim);
    if (key === undefined) return { kind: "refused", reason: "malformed", text: "The key's proof is wrong" };
    const stored = await readAgent(this.#store, host);
    const record = stored.value;
    if (record === undefined || record.revoked !== undefined || record.serial !== serial)
      return {
        kind: "refused",
        reason: record?.revoked === undefined ? "clone" : "revoked",
        text: "Not the key in use",
      };
    const issued = await this.#authority.issueForHost(host, key, this.#lifetime);
    const next = { serial: issued.serial, ends: issued.ends };
    const value = JSON.stringify({ ...record, next });
    const done = await this.#commit([{ key: stored.key, value, expected: stored.revision }]);
    return done ? { kind: "granted", host, issued } : this.renew(host, serial, claim);
  }

  /** From now on no certificate of that host counts, and a live connection ends. Rejects with E932 where there is none. */
  async revoke(host: HostName, reason: string): Promise<void> {
    const stored = await readAgent(this.#store, host);
    const now = this.#clock();
    const removals = await this.#outdated(host, now);
    if (stored.value === undefined) {
      if (removals.length > 0) await this.#store.commit(removals);
      throw new Failure("E932", host, "This host is not enrolled", "its unused tokens are worth nothing any more");
    }
    const value = JSON.stringify({ ...stored.value, revoked: { at: now, reason } } satisfies AgentRecord);
    const done = await this.#commit([...removals, { key: agentKey(host), value, expected: stored.revision }]);
    if (!done) return this.revoke(host, reason);
    this.#tell(host, "revoked", reason);
  }

  #tell(host: HostName, reason: "revoked" | "replaced", text: string): void {
    for (const listener of this.#listeners) listener(host, reason, text);
  }

  /** False where an entry was not as expected. */
  async #commit(writes: readonly Write[]): Promise<boolean> {
    try {
      await this.#store.commit(writes);
      return true;
    } catch (error) {
      if (error instanceof Failure && error.diagnostic.code === staleEntry) return false;
      throw error;
    }
  }
}

/** What a store rejects a compare-and-set with. */
const staleEntry: string = "E940";

function inTime(record: AgentRecord, now: Instant): Admission {
  if (record.ends > now) return { kind: "admitted", record, ends: record.ends };
  return { kind: "refused", reason: "expired", text: "The certificate has ended" };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** The claimed key in DER, when it is one of P-256 and signed this connection. */
function provenKey(purpose: "enrol" | "renew", claim: Claim): Buffer | undefined {
  const der = Buffer.from(claim.key, "base64");
  try {
    const key = publicKeyOf(der);
    const signed = verify("sha256", proofText(purpose, claim.exported), key, Buffer.from(claim.proof, "base64"));
    return signed ? der : undefined;
  } catch {
    return undefined;
  }
}
