import { controllerAddress } from "../fleet/controller-address.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { ListenAt, TlsPair } from "./listen.ts";

/**
 * Where a controller serves its API: on the unix socket, and over TLS on the management network where there is one.
 * Without one people come in by the gateway itself: the hosts' link is for agents only.
 */
export function apiPlaces(fleet: Fleet, tls: TlsPair, socket: string): readonly ListenAt[] {
  const unix: ListenAt = { kind: "unix", path: socket };
  const host = controllerAddress(fleet);
  if (fleet.controller === undefined || host === undefined) return [unix];
  return [unix, { kind: "tcp", host, port: fleet.controller.apiPort, tls }];
}
