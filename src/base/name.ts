import type { Brand } from "./brand.ts";

/** A machine that runs containers. Matches {@link namePattern}. */
export type HostName = Brand<string, "HostName">;
/** A container network of a host, or a network of the site. Matches {@link namePattern}. */
export type NetworkName = Brand<string, "NetworkName">;
/** Any device that sixgate configures: gateway, hypervisor, or a host. Matches {@link namePattern}. */
export type DeviceName = Brand<string, "DeviceName">;

/**
 * What a name may be: RFC 1123 label, lower case, 1 to 32 characters. So it needs no quoting in a shell, an
 * nft set name (after `-` becomes `_`), a file name or a page; whatever comes from outside is checked against it.
 */
export const namePattern: RegExp = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export function isName(text: string): boolean {
  return namePattern.test(text);
}
