import type { GatewayDesired } from "../desired/desired.ts";
import { baseOf, contains, type Prefix, prefix } from "../net/prefix.ts";
import type { Route, Site } from "./filter-rules.ts";

/** Where a gateway will send what, from what is wanted of it: the hosts' blocks inside, the rest of the prefix nowhere. */
export function plannedSite(desired: GatewayDesired): Site {
  const { delegated, hosts, own, uplink, inside } = desired;
  const local: Route[] = own.map((address) => ({ to: `${address}/128` as Prefix, kind: "local" }));
  // A router answers to the first address of each prefix on its links as well (RFC 4291 §2.6.1).
  const anycast = hosts
    .filter(({ link }) => own.some((address) => contains(link, address)))
    .map(({ link }): Route => ({ to: `${baseOf(link)}/128` as Prefix, kind: "local", anycast: true }));
  return {
    routes: [
      { to: prefix("::/0"), kind: "out", device: uplink },
      { to: delegated, kind: "nowhere" },
      ...hosts.map(({ block }): Route => ({ to: block, kind: "out", device: inside })),
      ...anycast,
      ...local,
    ],
  };
}
