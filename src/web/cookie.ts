/**
 * `__Host-`: a browser takes it only over TLS (or from this machine), for this very host and the whole of it, so that
 * no neighbour under the same domain can set or read it.
 */
const name = "__Host-sixgate";
const attributes = "Path=/; Secure; HttpOnly; SameSite=Strict";

export function sessionCookie(secret: string): string {
  return `${name}=${secret}; ${attributes}`;
}

export const noSessionCookie: string = `${name}=; ${attributes}; Max-Age=0`;

export function readSessionCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [key, value] = part.trim().split("=");
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}
