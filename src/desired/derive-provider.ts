import type { DeviceName } from "../base/name.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { ProviderDesired } from "./desired.ts";

/** The prefix goes to the gateway's MAC on its uplink. Nothing where the fleet file gives no way to ask the provider. */
export function deriveProvider(fleet: Fleet): readonly ProviderDesired[] {
  if (fleet.provider.api === undefined) return [];
  return [
    {
      layer: "provider",
      device: fleet.provider.name as DeviceName,
      driver: "hetzner",
      prefix: fleet.prefix,
      mac: fleet.gateway.uplink.mac,
    },
  ];
}
