import { bringAliases, bringNat, bringRules, bringTunables, dropAliases } from "./filter.ts";
import { bringHops, bringLinks, bringVips, dropVips } from "./links.ts";
import { bringDefaults, bringGateways, bringRoutes, dropRouting } from "./routing.ts";
import type { Work } from "./work.ts";

/**
 * Fields of an interface that the REST API package knows. It writes an interface whole, so that any other is lost; with a
 * shell they are put back.
 */
const knownKeys: readonly string[] = [
  "if",
  "enable",
  "descr",
  "spoofmac",
  "mtu",
  "mss",
  "media",
  "mediaopt",
  "blockpriv",
  "blockbogons",
  "ipaddr",
  "subnet",
  "gateway",
  "dhcphostname",
  "alias-address",
  "alias-subnet",
  "dhcprejectfrom",
  "ipaddrv6",
  "subnetv6",
  "gatewayv6",
  "ipv6usev4iface",
  "slaacusev4iface",
  "prefix-6rd",
  "gateway-6rd",
  "prefix-6rd-v4plen",
  "track6-interface",
  "track6-prefix-id--hex",
];

/**
 * Makes the device as the target has it, in an order in which nothing is named before it is there or gone before it is
 * free: interfaces, addresses, gateways, routes, aliases, rules; then backwards for what goes. Each kind is applied before
 * the next, for what waits on the device waits by an index that moves. Safe to call again: it does what is left.
 * `id` is the snapshot that lost keys are found in.
 */
export async function bring(work: Work, id: string | undefined): Promise<void> {
  await bringLinks(work);
  await bringVips(work);
  await bringGateways(work);
  await bringHops(work);
  await bringDefaults(work);
  await bringRoutes(work);
  const aliases = await bringAliases(work);
  const rules = await bringRules(work);
  const nat = await bringNat(work);
  await bringTunables(work);
  await tidy(work, id, rules);
  if (aliases || rules || nat || work.forced.rules || work.forced.tables) await applyFilter(work);
  await dropRouting(work);
  await dropVips(work);
  if (await dropAliases(work)) await applyFilter(work);
}

async function tidy({ exec, touched, signal }: Work, id: string | undefined, rules: boolean): Promise<void> {
  if (exec === undefined || (!rules && touched.size === 0)) return;
  await exec.tidy(id, knownKeys, signal);
}

async function applyFilter(work: Work): Promise<void> {
  await work.rest.apply("/firewall/apply", work.signal);
  await work.reread();
}
