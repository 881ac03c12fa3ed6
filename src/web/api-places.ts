import type { Fleet } from "../fleet/fleet.ts";
import { address4Of } from "../net/ipv4.ts";
import type { ListenAt, TlsPair } from "./listen.ts";

/**
 * Where a controller serves its API: on the unix socket, and on a gateway of its own (nftables) over TLS on the
 * management network where there is one. Without one people come in by the gateway itself: the hosts' link is for
 * agents only. Beside a gateway the fleet file does not know the machine's own addresses.
 */
export function apiPlaces(fleet: Fleet, tls: TlsPair, socket: string): readonly ListenAt[] {
  const unix: ListenAt = { kind: "unix", path: socket };
  const ipv4 = fleet.gateway.management?.ipv4;
  if (fleet.controller === undefined || ipv4 === undefined || fleet.gateway.kind !== "nftables") return [unix];
  return [unix, { kind: "tcp", host: address4Of(ipv4), port: fleet.controller.apiPort, tls }];
}
