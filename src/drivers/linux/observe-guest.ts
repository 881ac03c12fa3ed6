import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Item } from "../../change/item.ts";
import type { GuestDesired } from "../../desired/desired.ts";
import type { Shell } from "../../runtime/shell.ts";
import type { Observed } from "../driver.ts";
import {
  addressInUse,
  addressKey,
  type Claims,
  claimsOf,
  fileKey,
  inOrder,
  proxyKey,
  routeKey,
  routeValue,
  structure,
  sysctlKey,
} from "./guest-items.ts";
import { type Live, readLive, readSysctls } from "./live.ts";
import { sysctlsOf } from "./sysctl.ts";

/** Text by path, of every file on the device that carries our mark. */
export type OwnFiles = ReadonlyMap<string, string>;

/** How long duplicate address detection may keep an address tentative before that is what is reported (RFC 4862 §5.4: 1 s and a random delay of up to 1 s). */
const detection = 3000;

/**
 * What sixgate owns on a machine: its files, and of the live state what those files or the plan speak for. Addresses
 * and routes of others (Docker's, the kernel's, an operator's) are not seen, except for a second default route.
 */
export async function observeGuest(
  shell: Shell,
  desired: GuestDesired,
  files: OwnFiles,
  written: Claims,
  signal?: AbortSignal,
): Promise<Observed> {
  const planned = claimsOf(desired);
  const live = await settled(shell, planned, signal);
  const sysctls = await readSysctls(
    shell,
    sysctlsOf(desired).map(({ key }) => key),
    signal,
  );
  const items = inOrder([
    ...[...files].map(([path, text]) => structure(fileKey(path), text)),
    ...addressItems(live, [...planned.addresses, ...written.addresses]),
    ...routeItems(live, desired, [...planned.routes, ...written.routes]),
    ...proxyItems(live, [...planned.proxies, ...written.proxies]),
    ...[...sysctls].map(([key, value]) => structure(sysctlKey(key), value)),
  ]);
  return { items, revision: revisionOf(items) };
}

/** The same items give the same text, on every machine. */
export function revisionOf(items: readonly Item[]): string {
  return createHash("sha256").update(JSON.stringify(items)).digest("hex").slice(0, 32);
}

async function settled(shell: Shell, planned: Claims, signal?: AbortSignal): Promise<Live> {
  const ours = new Set(planned.addresses.map(({ link, address }) => addressKey(link, address)));
  for (let waited = 0; ; waited += 200) {
    const live = await readLive(shell, signal);
    const waiting = live.addresses.some(
      ({ link, address, state }) => state === "tentative" && ours.has(addressKey(link, address)),
    );
    if (!waiting || waited >= detection) return live;
    await pause(200, undefined, signal === undefined ? {} : { signal });
  }
}

function addressItems(live: Live, claimed: Claims["addresses"]): readonly Item[] {
  const keys = new Set(claimed.map(({ link, address }) => addressKey(link, address)));
  return live.addresses
    .map(({ link, address, state }) => structure(addressKey(link, address), state === "in use" ? addressInUse : state))
    .filter(({ key }) => keys.has(key));
}

/**
 * One item per destination. Where several routes share one (the kernel takes the lowest metric), the planned one is
 * reported if it is there, and others for the default route of IPv6 only: two of those are a way around the gateway.
 */
function routeItems(live: Live, desired: GuestDesired, claimed: readonly string[]): readonly Item[] {
  const planned = new Map(desired.routes.map((route) => [route.to as string, routeValue(route)]));
  return [...new Set(claimed)].flatMap((to) => {
    const values = [...new Set(live.routes.filter((route) => route.to === to).map(({ value }) => value))].sort();
    const wanted = planned.get(to);
    if (values.length === 0) return [];
    if (to !== "::/0" && wanted !== undefined && values.includes(wanted)) return [structure(routeKey(to), wanted)];
    return [structure(routeKey(to), values.join(", "))];
  });
}

function proxyItems(live: Live, claimed: readonly string[]): readonly Item[] {
  return [...new Set(claimed)].flatMap((address) => {
    const links = live.proxies
      .filter((proxy) => proxy.address === address)
      .map(({ link }) => `dev ${link}`)
      .sort();
    return links.length === 0 ? [] : [structure(proxyKey(address), links.join(", "))];
  });
}
