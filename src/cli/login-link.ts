import { Failure } from "../base/failure.ts";
import type { Role } from "../web/role.ts";
import type { Door } from "./door.ts";
import { remoteAt } from "./remote.ts";

/** A link that signs a browser in once. It is a secret as long as it holds. */
export type LoginLink = {
  readonly link: string;
  /** The page without the code. */
  readonly origin: string;
  /** For so long it holds, unless it is used before. */
  readonly seconds: number;
  /** Who it signs in: whoever asked for it. */
  readonly name: string;
  readonly role: Role;
};

type Answer = Omit<LoginLink, "link" | "origin"> & {
  readonly code: string;
  readonly page: boolean;
  readonly origins: readonly string[];
};

/**
 * Asks a controller for a link to its page. It leads to `at` where that is told; else to the lab's door, to where the
 * controller was reached over the network, or to its own address. Rejects with E980 where there is no page, with E981
 * where no browser reaches it.
 */
export async function loginLink(door: Door, at?: string): Promise<LoginLink> {
  const { code, page, origins, ...rest } = await remoteAt(door).post<Answer & { readonly format: string }>(
    "login-code/1",
    "/api/v1/session/code",
    {},
  );
  if (!page)
    throw new Failure(
      "E980",
      door.url,
      "This controller has no page",
      "start the controller again: in a clone that builds it; `npm run build:page` shows why it can't",
    );
  const origin = at ?? door.origin ?? (door.url.startsWith("unix:") ? origins[0] : door.url);
  if (origin === undefined)
    throw new Failure(
      "E981",
      door.url,
      "The controller listens on its socket only: the fleet has no management address for it",
      "forward a port to it, `ssh -L 6465:/run/sixgate/controller.sock root@GATEWAY`, and name that with --at http://127.0.0.1:6465",
    );
  const { name, role, seconds } = rest;
  // Behind `#`: a browser sends it to nobody, and the page takes it out of the address before it does anything.
  return { link: `${origin}/#code=${encodeURIComponent(code)}`, origin, seconds, name, role };
}
