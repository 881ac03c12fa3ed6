import { type Address4, address4Of } from "../net/ipv4.ts";
import type { Fleet } from "./fleet.ts";

/**
 * Where agents, people and programs reach the controller: on the management network, at the gateway's address or, beside
 * a gateway of another kind, at the machine's own. Undefined where there is no such network: then on the hosts' link.
 */
export function controllerAddress({ controller, gateway }: Fleet): Address4 | undefined {
  if (gateway.kind !== "nftables") return controller?.address;
  return gateway.management?.ipv4 === undefined ? undefined : address4Of(gateway.management.ipv4);
}
