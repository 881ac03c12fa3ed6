import type { AddressPlan } from "../addressing/address-plan.ts";
import { hostGrounds } from "../addressing/host-ground.ts";
import type { HostName } from "../base/name.ts";
import { instant } from "../base/time.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { decide } from "../openings/decide.ts";
import type { Opening } from "../openings/opening.ts";
import { anywhere } from "../openings/source.ts";
import type { RunningContainer } from "./state.ts";

/** What the lab's containers get by their labels: what they ask for, to anybody, where the fleet's policy grants it. */
export function askedOpenings(
  fleet: Fleet,
  plan: AddressPlan,
  running: readonly RunningContainer[],
): readonly Opening[] {
  const context = { hosts: hostGrounds(plan), groups: fleet.groups, containers: () => [] };
  return running.flatMap(({ host, name, address, asks = [] }) =>
    asks.flatMap((service): readonly Opening[] => {
      const request = {
        key: `${host}/${name}`,
        by: "labels" as const,
        host: host as HostName,
        to: address,
        service,
        from: [{ kind: "prefix" as const, prefix: anywhere }],
        since: instant(0),
        asked: { at: "sixgate.open", text: "" },
      };
      const decision = decide(fleet.policy.openings, request, context, instant(0));
      return decision.kind === "granted"
        ? [{ host: request.host, to: address, service, from: decision.from, askedBy: name }]
        : [];
    }),
  );
}
