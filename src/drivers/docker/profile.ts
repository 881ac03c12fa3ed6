import type { EngineDesired } from "../../desired/desired.ts";
import { lengthOf, overlaps, type Prefix, sizeOf, subnet } from "../../net/prefix.ts";

/** Docker's name for the key that picks a bridge network's IPv6 forwarding mode (27.0, moby#47871). */
export const gatewayModeOption = "com.docker.network.bridge.gateway_mode_ipv6";
export const enableIpv6Option = "com.docker.network.enable_ipv6";
export const bridgeNameOption = "com.docker.network.bridge.name";

/** First major version where `gateway_mode_ipv6` has an effect; 26.1 takes the option and ignores it. */
export const firstRouted = 27;
/** First major version that filters IPv6 unless told not to (`ip6tables` on by default, moby#47747). */
export const firstFiltered = 27;
/** First major version with `bridge-accept-fwmark` (moby#50476): one door for its iptables and nftables backends. */
export const firstMarked = 29;

/** Bit of the packet mark that opens Docker's filter on 29 and later. Not one that Kubernetes, Calico or Tailscale use. */
export const doorMark = "0x60/0x60";

/** Only user networks, and those routed: profiles `routed` and `two-gates`. */
export function isRouted(desired: EngineDesired): boolean {
  return desired.profile !== "gateway-only";
}

/** How the host's own filter is opened towards the gateway; `none` where Docker does not filter or must not be opened. */
export function doorOf(desired: EngineDesired): "none" | "iptables" | "fwmark" {
  if (desired.profile !== "routed") return "none";
  return desired.engine.major >= firstMarked ? "fwmark" : "iptables";
}

/**
 * Where Docker takes prefixes for networks that sixgate did not name (Compose makes one per project): the last
 * unused prefix of the block, cut into 2^16. So the link, the default bridge and every network of the plan are out of
 * its reach: Docker itself does not look at the host's own addresses. Undefined when the block is full.
 */
export function poolOf(desired: EngineDesired): { readonly base: Prefix; readonly size: number } | undefined {
  const [first] = desired.networks;
  if (first === undefined) return undefined;
  const length = lengthOf(first.prefix);
  const count = sizeOf(desired.block) >> BigInt(128 - length);
  // Number 0 is the link's.
  for (let n = count - 1n; n > 0n && n > count - 64n; n--) {
    const base = subnet(desired.block, length, n);
    if (base === undefined || desired.networks.some((network) => overlaps(network.prefix, base))) continue;
    return { base, size: Math.min(length + 16, 120) };
  }
  return undefined;
}
