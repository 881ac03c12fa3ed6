import type { GatewayDesired } from "../desired/desired.ts";
import type { Prefix } from "../net/prefix.ts";
import type { Seat } from "./allowed.ts";
import type { Vantage } from "./filter-rules.ts";

export type Place = { readonly vantage: Vantage; readonly seat: Seat };

/** Where one can look at the fleet from: `internet`, its groups, `management`, and each host by its name. */
export function placesOf(desired: GatewayDesired, groups: ReadonlyMap<string, readonly Prefix[]>): readonly Place[] {
  const { uplink, inside, management, hosts } = desired;
  const bindsHosts = desired.driver === "nftables";
  return [
    { vantage: { name: "internet", device: uplink }, seat: { side: "uplink" } },
    ...[...groups].map(
      ([name, from]): Place => ({ vantage: { name, device: uplink, from }, seat: { side: "uplink" } }),
    ),
    ...(management === undefined
      ? []
      : [{ vantage: { name: "management", device: management.device }, seat: { side: "management" } } as const]),
    ...hosts.map(
      (host): Place => ({
        // Only nftables has rules by MAC address: elsewhere a host's sources are what its bridge port lets out.
        vantage: {
          name: host.host,
          device: inside,
          mac: host.mac,
          ...(bindsHosts ? {} : { from: [host.block] }),
        },
        seat: { side: "hosts", host },
      }),
    ),
  ];
}
