import { get, post, Refused } from "./ask.ts";
import { session } from "./session-state.ts";
import type { Role } from "./views.ts";

type Who = { readonly name: string; readonly role: Role };

/** With the code of a login link where the address has one (`/#code=…`), else with the cookie that may still hold. */
export async function findSession(): Promise<void> {
  const code = /^#code=([A-Za-z0-9_-]{1,200})$/.exec(location.hash)?.[1];
  // Out of the address and the history before anything else happens: it is a secret, used up or not.
  if (code !== undefined) history.replaceState(null, "", "/");
  try {
    const who = code === undefined ? await get<Who>("/api/v1/session") : await begin({ code });
    session.value = { state: "in", name: who.name, role: who.role };
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown;
    session.value = { state: "out", usedLink: code !== undefined };
  }
}

/** Rejects with Refused where the token does not hold. */
export async function signIn(token: string): Promise<void> {
  const who = await begin({ token });
  session.value = { state: "in", name: who.name, role: who.role };
}

export async function signOut(): Promise<void> {
  await post("/api/v1/session/end", {}).catch(() => undefined);
  session.value = { state: "out" };
}

function begin(by: { readonly token: string } | { readonly code: string }): Promise<Who> {
  return post<Who>("/api/v1/session", by);
}
