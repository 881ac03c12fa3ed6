import { createHash } from "node:crypto";
import type { Instant } from "../base/time.ts";
import { newSecret } from "./token.ts";
import type { Bearer } from "./token-book.ts";

/** Idle for so long, a session has ended: 15 minutes. Whatever is done in it, it ends after 12 hours. */
const idle = 15 * 60_000;
const longest = 12 * 3600_000;
/** A code of a login link, in milliseconds. */
export const codeLasts = 5 * 60_000;
/** More than people have; bounds what a loop of logins can hold. The one that was idle longest goes first. */
const most = 1000;

type Session = { readonly bearer: Bearer; readonly ends: Instant; used: Instant };
type LoginCode = { readonly bearer: Bearer; readonly ends: number };

/** The page's sessions. In memory only: a restart of the controller asks everybody to log in again. Kept by hash of their secret. */
export class Sessions {
  readonly #now: () => Instant;
  /** In order of use. */
  readonly #sessions = new Map<string, Session>();
  readonly #codes = new Map<string, LoginCode>();
  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** The new session's secret, for the cookie. Each login gets one of its own, so that none known before can be it. */
  begin(bearer: Bearer): string {
    const secret = newSecret();
    const now = this.#now();
    this.#sessions.set(keyOf(secret), { bearer, ends: (now + longest) as Instant, used: now });
    dropOldest(this.#sessions);
    return secret;
  }

  /** Whose session that is; undefined when there is none or it has ended. Counts as a use. */
  bearerOf(secret: string): Bearer | undefined {
    const key = keyOf(secret);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    const now = this.#now();
    this.#sessions.delete(key);
    if (now >= session.ends || now - session.used >= idle) return undefined;
    session.used = now;
    this.#sessions.set(key, session);
    return session.bearer;
  }

  /** As `bearerOf`, without counting as a use: a stream that is open keeps no session alive. */
  lives(secret: string): boolean {
    const session = this.#sessions.get(keyOf(secret));
    const now = this.#now();
    return session !== undefined && now < session.ends && now - session.used < idle;
  }

  end(secret: string): void {
    this.#sessions.delete(keyOf(secret));
  }

  /** A code that begins one session within five minutes: it may stand in a link, which a token must not. */
  code(bearer: Bearer): string {
    const code = newSecret();
    this.#codes.set(keyOf(code), { bearer, ends: this.#now() + codeLasts });
    dropOldest(this.#codes);
    return code;
  }

  /** Whose code that is. It is used up by asking. */
  redeem(code: string): Bearer | undefined {
    const key = keyOf(code);
    const found = this.#codes.get(key);
    this.#codes.delete(key);
    return found !== undefined && this.#now() < found.ends ? found.bearer : undefined;
  }
}

/** A map finds by hash, so that how long it looks says nothing of the secret. */
function keyOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function dropOldest(map: Map<string, unknown>): void {
  const oldest = map.size > most ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
}
