import type { Diagnostic } from "../../base/diagnostic.ts";
import { type ChangeSet, keyOf } from "../../change/change-set.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { networkOf } from "../pf/items.ts";
import { auditPf, error, serviceCount, transports, warning } from "../pf/limits.ts";

/** Addresses of the gateway among the hosts. */
const mostAddresses = 100;
/**
 * Seconds that one reload of the filter took with so many virtual IPs and as many gateways: pfSense's own code (2.9
 * development, March 2026) under PHP 8.2, two cores. Without the virtual IPs 997 took 3.0 s.
 */
const reloads: readonly (readonly [addresses: number, seconds: number])[] = [
  [150, 1.4],
  [200, 2.5],
  [300, 8.3],
  [400, 11.7],
  [997, 97],
];
/** Services without a shell: each entry of an alias is compared with every alias at each write, 6 s at 100 aliases. */
const mostServicesByApi = 100;
const mostServices = 500;

export function audit(desired: GatewayDesired): readonly Diagnostic[] {
  return [
    ...auditPf(desired),
    ...addresses(desired),
    ...services(desired),
    ...transports(desired, "pfSense"),
    ...shell(desired),
  ];
}

function addresses({ device, inside, ...desired }: GatewayDesired): readonly Diagnostic[] {
  const link = networkOf({ device, inside, ...desired }).links.find(({ name }) => name === inside);
  const count = link?.addresses.length ?? 0;
  if (count <= mostAddresses) return [];
  const [measured, seconds] = reloads.findLast(([least]) => least <= count) ?? reloads[0] ?? [150, 1.4];
  const text = `${count} addresses among the hosts: with ${measured} pfSense takes ${seconds} s for each reload of its filter, and more than proportionally with more`;
  return [
    error(
      "E452",
      device,
      text,
      "write plan: { layout: compact }: one address and link-local next hops, 3 s with 997 hosts; no address of a host or container changes",
    ),
  ];
}

function services(desired: GatewayDesired): readonly Diagnostic[] {
  const count = serviceCount(desired);
  const most = networkOf(desired).shell ? mostServices : mostServicesByApi;
  if (count <= most) return [];
  return [
    error(
      "E453",
      desired.device,
      `${count} different services are open, at most ${most}${most === mostServices ? "" : " without a shell"}: every write of the REST API compares each address with each alias`,
      most === mostServices
        ? "open ranges of ports, or fewer different ones"
        : "add exec: ssh:root@… to the gateway, or open fewer different ports",
    ),
  ];
}

function shell(desired: GatewayDesired): readonly Diagnostic[] {
  if (networkOf(desired).shell) return [];
  return [
    warning(
      "W452",
      desired.device,
      "Without exec nobody on pfSense takes an unconfirmed change back, the rules in force can't be compared, labels open nothing, and unused space has no route to nowhere (the filter drops it)",
      "add exec: ssh:root@… to the gateway",
    ),
  ];
}

/** What people should know before they agree. */
export function consequences({ changes }: ChangeSet): readonly string[] {
  const keys = changes.map(keyOf);
  return [
    ...(keys.some((key) => /^(interface|mac|address) /.test(key))
      ? ["interfaces are set up again: they are silent for some seconds, and pfSense's REST API writes them whole"]
      : []),
    ...(keys.some((key) => key === "nat4 mode") ? ["outbound NAT becomes hybrid: the automatic rules stay"] : []),
  ];
}
