import { Turned } from "./answer.ts";
import type { Api } from "./api.ts";
import { readSessionCookie } from "./cookie.ts";
import type { FailedLogins } from "./failed-logins.ts";
import type { Bearer } from "./token-book.ts";

/** Who was let in. `bearer` is undefined only where nobody has to be anybody. */
export type Admitted = {
  readonly bearer: Bearer | undefined;
  /** By the page's cookie, which a browser sends by itself. */
  readonly cookie: boolean;
  alive(): Promise<boolean>;
};

type Asking = {
  readonly source: string | undefined;
  header(name: string): string | undefined;
  /** The route is for anyone. */
  readonly open: boolean;
};

const nobody: Admitted = { bearer: undefined, cookie: false, alive: () => Promise.resolve(true) };

/** Lets in by token or by session, a token first. Rejects with 401, or with 429 where too many failures came from. */
export async function admit(api: Api, logins: FailedLogins, asking: Asking): Promise<Admitted> {
  const header = asking.header("authorization");
  const cookie = readSessionCookie(asking.header("cookie"));
  if (asking.open) {
    refuseFast(logins, asking.source);
    return nobody;
  }
  if (header === undefined) return admitSession(api, cookie);
  refuseFast(logins, asking.source);
  const token = /^Bearer ([^\s]{1,200})$/i.exec(header)?.[1];
  const bearer = token === undefined ? undefined : await api.tokens.bearerOf(token);
  if (bearer !== undefined) return { bearer, cookie: false, alive: () => isAlive(api, bearer, undefined) };
  if (asking.source !== undefined) logins.failed(asking.source);
  throw unauthorised("Not a token that holds");
}

/** A session that has ended is no attack, and its secret can't be guessed: it counts against nobody. */
async function admitSession(api: Api, cookie: string | undefined): Promise<Admitted> {
  if (cookie === undefined) throw unauthorised("No token");
  const bearer = await sessionBearer(api, cookie);
  if (bearer === undefined) throw unauthorised("The session has ended");
  return { bearer, cookie: true, alive: () => isAlive(api, bearer, cookie) };
}

/** Before a secret is looked at, so that trying is slow, right or wrong. The unix socket is root's own. */
function refuseFast(logins: FailedLogins, source: string | undefined): void {
  const wait = source === undefined ? 0 : logins.wait(source);
  if (wait === 0) return;
  const text = "Too many wrong tokens came from here";
  const error = {
    code: "E959",
    severity: "error",
    at: "token",
    text,
    fix: `wait ${wait} s, then try the right one`,
  } as const;
  throw new Turned(429, [error], { "retry-after": String(wait) });
}

async function sessionBearer(api: Api, cookie: string): Promise<Bearer | undefined> {
  const begun = api.sessions.bearerOf(cookie);
  return begun === undefined ? undefined : api.tokens.renewed(begun.person.name, begun.mark);
}

async function isAlive(api: Api, bearer: Bearer, cookie: string | undefined): Promise<boolean> {
  if (cookie !== undefined && !api.sessions.lives(cookie)) return false;
  return (await api.tokens.renewed(bearer.person.name, bearer.mark)) !== undefined;
}

function unauthorised(text: string): Turned {
  const fix = "send `Authorization: Bearer TOKEN`; `sixgate token create` makes one";
  return new Turned(401, [{ code: "E956", severity: "error", at: "token", text, fix }], {
    "www-authenticate": "Bearer",
  });
}
