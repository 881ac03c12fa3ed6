import type { Diagnostic } from "../../base/diagnostic.ts";
import type { GatewayDesired } from "../../desired/desired.ts";
import { networkOf } from "../pf/items.ts";
import { auditPf, error, serviceCount, transports, warning } from "../pf/limits.ts";

/** Each service is an alias and a rule or two: OPNsense's own code took 4.4 s to add the two thousandth rule. */
const mostServices = 1000;

export function audit(desired: GatewayDesired): readonly Diagnostic[] {
  return [...auditPf(desired), ...services(desired), ...transports(desired, "OPNsense"), ...shell(desired)];
}

function services(desired: GatewayDesired): readonly Diagnostic[] {
  const count = serviceCount(desired);
  if (count <= mostServices) return [];
  return [
    error(
      "E453",
      desired.device,
      `${count} different services are open, at most ${mostServices}: each is an alias and a rule or two, and OPNsense takes seconds for each of thousands`,
      "open ranges of ports, or fewer different ones",
    ),
  ];
}

function shell(desired: GatewayDesired): readonly Diagnostic[] {
  if (networkOf(desired).shell) return [];
  return [
    warning(
      "W452",
      desired.device,
      "Without exec nobody on OPNsense takes an unconfirmed change back: its own API has no such thing that works",
      "add exec: ssh:root@… to the gateway",
    ),
  ];
}
